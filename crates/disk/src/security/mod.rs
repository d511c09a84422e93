//! Security descriptors of files and folders, as the self-relative bytes that the volume stores
//! (MS-DTYP 2.4.6). This crate doesn't know their meaning.
//!
//! An object is opened below the root one name at a time, without following links. It is read and
//! changed through that one handle, so a link that replaces it meanwhile has no effect.

mod change;
mod error;
#[cfg(target_os = "linux")]
mod handle;
#[cfg(windows)]
mod layout;
#[cfg(not(any(target_os = "linux", windows)))]
mod no_handle;
mod object;
mod own_places;
mod parallel;
mod private;
mod protection;
mod walk;
#[cfg(windows)]
mod windows;

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::sync::OnceLock;

use crate::dir::Dir;
use crate::error::LookupError;
use crate::metadata::Kind;
use crate::nt_path::NtPath;
use crate::system::SystemDir;

pub use change::{Change, Changed};
pub use error::ObjectError;
#[cfg(target_os = "linux")]
pub(crate) use handle::counts_short_name;
#[cfg(target_os = "linux")]
use handle::{Handle, Keeping};
#[cfg(windows)]
pub(crate) use layout::is_whole;
#[cfg(all(windows, test))]
pub(crate) use layout::same_parts;
#[cfg(not(any(target_os = "linux", windows)))]
use no_handle::{Handle, Keeping};
pub use object::Object;
use own_places::OwnPlaces;
#[cfg(windows)]
pub(crate) use private::FOLDER as PRIVATE_FOLDER;
#[cfg(not(windows))]
pub(crate) use private::make_private;
pub use protection::Protection;
pub(crate) use protection::protection;
use walk::SystemWalk;
#[cfg(windows)]
use windows::{Handle, Keeping};

/// The greatest length of a security descriptor that is read or written, in bytes. An extended
/// attribute can't hold more. Descriptors of Windows have at most some hundred bytes.
pub const MAX_DESCRIPTOR_LEN: usize = 1 << 16;

/// The security descriptors of the files and folders below a folder.
pub trait Descriptors: fmt::Debug {
    /// The folder.
    fn root(&self) -> &dyn Dir;

    /// The object that `components` lead to from the root, with its path as spelled on disk. Case
    /// is ignored, and no link is followed. No components lead to the root.
    ///
    /// # Errors
    /// See [`LookupError`].
    fn find(&self, components: &[&str]) -> Result<Option<(NtPath, Kind)>, LookupError> {
        if components.is_empty() {
            return Ok(Some((NtPath::default(), Kind::Folder)));
        }
        let found = self.root().find(components)?;
        Ok(found.map(|found| (NtPath::from(found.path.as_str()), found.kind())))
    }

    /// The object at a path with exactly this spelling.
    fn object(&self, path: &NtPath) -> Object;

    /// The object at a path and, if it is a folder, everything below it, in batches. A folder comes
    /// before its content.
    fn walk<'a>(&'a self, path: &NtPath) -> Walk<'a>;

    /// Makes these changes and reads each back. If one fails, the others are made nevertheless. The
    /// results are in the order of `changes`.
    fn change(&self, changes: &[Change]) -> Vec<Result<Changed, ObjectError>>;

    /// Returns when all changes are durable.
    ///
    /// # Errors
    /// The system's error.
    fn flush(&self) -> io::Result<()>;
}

/// The objects below a folder, in batches.
pub type Walk<'a> = Box<dyn Iterator<Item = Vec<Object>> + 'a>;

/// The security descriptors of a volume that the system has mounted.
#[derive(Debug)]
pub(crate) struct SystemDescriptors {
    root: SystemDir,
    device: u64,
    keeping: Keeping,
    /// The places of the files that Windows starts from, by inode.
    own_places: OnceLock<OwnPlaces>,
}

impl SystemDescriptors {
    /// The descriptors below a folder; `None` if the file system stores none, or if its driver
    /// doesn't show them.
    pub(crate) fn below(root: &SystemDir) -> io::Result<Option<Self>> {
        let Some(keeping) = Keeping::of(root)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            root: root.clone_handle()?,
            device: root.own_metadata()?.identity.device,
            keeping,
            own_places: OnceLock::new(),
        }))
    }
}

/// The descriptor of a file in a folder; `None` if the file system stores none, or if its driver
/// doesn't show them.
pub(crate) fn descriptor(folder: &SystemDir, name: &OsStr) -> io::Result<Option<Vec<u8>>> {
    let Some(keeping) = Keeping::of(folder)? else {
        return Ok(None);
    };
    let handle = Handle::open(folder, name, &keeping)?;
    Ok(Some(handle.read().map_err(io::Error::other)?))
}

/// Sets the descriptor of a file in a folder.
pub(crate) fn set_descriptor(folder: &SystemDir, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
    let keeping = Keeping::of(folder)?;
    let keeping = keeping.ok_or(io::ErrorKind::Unsupported)?;
    let handle = Handle::open(folder, name, &keeping)?;
    handle.write(bytes).map_err(io::Error::other)
}

/// True if the folder's driver is the kernel's ntfs3.
#[cfg(target_os = "linux")]
pub(crate) fn is_ntfs3(folder: &SystemDir) -> io::Result<bool> {
    Ok(Keeping::of(folder)?.is_some_and(|keeping| keeping.is_ntfs3()))
}

impl Descriptors for SystemDescriptors {
    fn root(&self) -> &dyn Dir {
        &self.root
    }

    fn object(&self, path: &NtPath) -> Object {
        let read = self.open(path, &mut object::Parents::default());
        let read = read.and_then(|opened| Ok((opened.kind, opened.handle.read()?)));
        match read {
            Ok((kind, bytes)) => Object::sound(path.clone(), kind, bytes),
            Err(error) => Object::failed(path.clone(), error),
        }
    }

    fn walk<'a>(&'a self, path: &NtPath) -> Walk<'a> {
        Box::new(SystemWalk::new(self, path))
    }

    fn change(&self, changes: &[Change]) -> Vec<Result<Changed, ObjectError>> {
        let Some(first) = changes.first() else {
            return Vec::new();
        };
        let parents = object::Parents::of(self, &first.path);
        parallel::map(
            changes,
            || parents.clone(),
            |parents, change| change.make(self, parents),
        )
    }

    fn flush(&self) -> io::Result<()> {
        self.keeping.flush(&self.root)
    }
}
