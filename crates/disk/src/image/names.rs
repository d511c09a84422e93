//! Which of the names that Windows finds is meant, on a disk that is not mounted.

use std::io;

use crate::name::component;

/// A name in a folder, and where what it stands for lies.
pub(super) struct Named<T> {
    /// As spelled on disk.
    pub(super) name: String,
    pub(super) at: T,
}

/// What a name stands for: the one that is spelled so, or else the only one that differs in
/// case alone. If there are several, none is, as on a mount that regards case.
pub(super) fn choose<T>(mut found: Vec<Named<T>>, name: &str) -> io::Result<Named<T>> {
    let exact = found.iter().position(|named| named.name == name);
    match (exact, found.len()) {
        (Some(exact), _) => Ok(found.swap_remove(exact)),
        (None, 1) => Ok(found.swap_remove(0)),
        (None, _) => Err(io::ErrorKind::NotFound.into()),
    }
}

/// The names that are found for `name`, as spelled on disk: only that one if it is among them.
pub(super) fn spellings<T>(found: Vec<Named<T>>, name: &str) -> Vec<String> {
    if found.iter().any(|named| named.name == name) {
        return vec![name.to_owned()];
    }
    found.into_iter().map(|named| named.name).collect()
}

/// Refuses what diskmend does not do to a disk that is not mounted, whatever the name.
pub(super) fn refuse<T>(name: &str, what: &str) -> io::Result<T> {
    component(name.as_ref())?;
    Err(not_on_an_image(what))
}

/// What diskmend does not do to a disk that is not mounted.
pub(super) fn not_on_an_image(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("on a disk that is not mounted {what}"),
    )
}
