//! Security descriptors of files and folders, as the self-relative bytes that the volume stores
//! (MS-DTYP 2.4.6). What they mean is not known here.
//!
//! An object is opened beneath the root one name at a time, without following links, and is looked
//! at and changed through that one handle: a link that is put in its place meanwhile gains nothing.

mod change;
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

use std::io;
use std::path::Path;
use std::sync::OnceLock;

use crate::error::LookupError;
use crate::folder::Folder;
use crate::image::ImageDescriptors;
use crate::metadata::Kind;
use crate::nt_path::NtPath;

pub use change::{Change, Changed};
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
pub use object::{Object, ObjectError};
use own_places::OwnPlaces;
#[cfg(windows)]
pub(crate) use private::FOLDER as PRIVATE_FOLDER;
#[cfg(not(windows))]
pub(crate) use private::make_private;
pub use protection::Protection;
use walk::SystemWalk;
#[cfg(windows)]
use windows::{Handle, Keeping};

/// Longest security descriptor that is read or written, in bytes: what an extended attribute can
/// hold. Windows stores some hundred bytes at most.
pub const MAX_DESCRIPTOR_LEN: usize = 1 << 16;

/// The security descriptors of a volume.
#[derive(Debug)]
pub struct Descriptors {
    root: Folder,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// Through the system.
    System(SystemDescriptors),
    /// On a disk that is not mounted.
    Image(ImageDescriptors),
}

/// The security descriptors of a volume that the system has mounted.
#[derive(Debug)]
struct SystemDescriptors {
    root: Folder,
    device: u64,
    keeping: Keeping,
    /// The places of what Windows starts from, by inode.
    own_places: OnceLock<OwnPlaces>,
}

impl Descriptors {
    /// Those of the files and folders below `root`; `None` where the file system keeps none, or
    /// its driver does not show them.
    ///
    /// # Errors
    /// What the system reported.
    pub fn below(root: &Folder) -> io::Result<Option<Self>> {
        let source = match root.image() {
            Some(image) => ImageDescriptors::of(image).map(Source::Image),
            None => SystemDescriptors::below(root)?.map(Source::System),
        };
        let root = root.try_clone()?;
        Ok(source.map(|source| Self { root, source }))
    }

    /// Where `components` lead to from the root, spelled as on disk, without regard to case; no
    /// link is followed. No components lead to the root.
    ///
    /// # Errors
    /// As [`Folder::find`].
    pub fn find<S: AsRef<str>>(
        &self,
        components: &[S],
    ) -> Result<Option<(NtPath, Kind)>, LookupError> {
        if components.is_empty() {
            return Ok(Some((NtPath::default(), Kind::Folder)));
        }
        let Some(found) = self.root.find(components)? else {
            return Ok(None);
        };
        let path = spelled(found.path()).ok_or_else(|| LookupError::Io {
            path: found.path().to_path_buf(),
            source: io::Error::new(io::ErrorKind::InvalidData, "not a path of NTFS"),
        })?;
        Ok(Some((path, found.kind())))
    }

    /// The object at a path that is spelled as on disk.
    #[must_use]
    pub fn object(&self, path: &NtPath) -> Object {
        match &self.source {
            Source::System(system) => system.object(path),
            Source::Image(image) => image.object(path),
        }
    }

    /// The object at a path, and with it all below it where it is a folder; in batches, a folder
    /// before what it holds.
    #[must_use]
    pub fn walk(&self, path: &NtPath) -> Walk<'_> {
        Walk(match &self.source {
            Source::System(system) => Box::new(SystemWalk::new(system, path)),
            Source::Image(image) => Box::new(image.walk(path)),
        })
    }

    /// Makes these changes, and reads each back; one that fails does not keep the others from being
    /// made. The results are in the order of `changes`.
    #[must_use]
    pub fn change(&self, changes: &[Change]) -> Vec<Result<Changed, ObjectError>> {
        match &self.source {
            Source::System(system) => system.change(changes),
            Source::Image(image) => image.change(changes),
        }
    }

    /// Returns when all changes are durable.
    ///
    /// # Errors
    /// What the system reported.
    pub fn flush(&self) -> io::Result<()> {
        match &self.source {
            Source::System(system) => system.keeping.flush(&system.root),
            Source::Image(image) => image.flush(),
        }
    }
}

/// The objects below a folder, in batches.
pub struct Walk<'a>(Box<dyn Iterator<Item = Vec<Object>> + 'a>);

impl Iterator for Walk<'_> {
    type Item = Vec<Object>;

    fn next(&mut self) -> Option<Vec<Object>> {
        self.0.next()
    }
}

impl SystemDescriptors {
    fn below(root: &Folder) -> io::Result<Option<Self>> {
        let Some(keeping) = Keeping::of(root)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            root: root.try_clone()?,
            device: root.own_metadata()?.identity.device,
            keeping,
            own_places: OnceLock::new(),
        }))
    }

    fn object(&self, path: &NtPath) -> Object {
        let read = self.open(path, &mut object::Parents::default());
        let read = read.and_then(|opened| Ok((opened.kind, opened.handle.read()?)));
        match read {
            Ok((kind, bytes)) => Object::sound(path.clone(), kind, bytes),
            Err(error) => Object::failed(path.clone(), error),
        }
    }

    fn change(&self, changes: &[Change]) -> Vec<Result<Changed, ObjectError>> {
        let first = changes.first();
        let parents = first.map(|change| object::Parents::of(self, &change.path));
        let parents = parents.unwrap_or_default();
        parallel::map(
            changes,
            || parents.clone(),
            |parents, change| change.make(self, parents),
        )
    }
}

/// A path of the system's below the root as the volume spells it.
fn spelled(path: &Path) -> Option<NtPath> {
    path.iter()
        .try_fold(NtPath::default(), |path, name| path.join(name))
}
