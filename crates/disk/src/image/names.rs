//! Choosing among the names that Windows finds, on a disk that isn't mounted.

use std::io;

use crate::name::component;

/// A name in a folder, and the place of its object.
pub(super) struct Named<T> {
    /// As spelled on disk.
    pub(super) name: String,
    pub(super) at: T,
}

/// The object that a name means: the one with exactly this spelling, or else the only one that
/// differs in case. If several differ only in case it is an error, as on a mount that distinguishes
/// case.
pub(super) fn choose<T>(mut found: Vec<Named<T>>, name: &str) -> io::Result<Named<T>> {
    let exact = found.iter().position(|named| named.name == name);
    match (exact, found.len()) {
        (Some(exact), _) => Ok(found.swap_remove(exact)),
        (None, 1) => Ok(found.swap_remove(0)),
        (None, _) => Err(io::ErrorKind::NotFound.into()),
    }
}

/// The names found for `name`, as spelled on disk. If one has exactly this spelling, it is the only
/// one.
pub(super) fn spellings<T>(found: Vec<Named<T>>, name: &str) -> Vec<String> {
    if found.iter().any(|named| named.name == name) {
        return vec![name.to_owned()];
    }
    found.into_iter().map(|named| named.name).collect()
}

/// Refuses something that diskmend never does on a disk that isn't mounted.
pub(super) fn refuse<T>(name: &str, what: &str) -> io::Result<T> {
    component(name.as_ref())?;
    Err(not_on_an_image(what))
}

/// The error for something that diskmend never does on a disk that isn't mounted.
pub(super) fn not_on_an_image(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("diskmend {what} on a disk that isn't mounted"),
    )
}
