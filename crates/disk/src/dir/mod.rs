//! What a [`Folder`](crate::Folder) stands on: a way to work on one name beneath an open folder
//! without following a link, through the system or on a disk that is not mounted.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use crate::file::File;
use crate::folder::Access;
use crate::image::ImageDir;
use crate::metadata::Metadata;

#[cfg(unix)]
pub(crate) use unix::{Handle as DirHandle, SystemDir};
#[cfg(windows)]
pub(crate) use windows::{Handle as DirHandle, SystemDir};

/// An open folder.
#[derive(Debug)]
pub(crate) enum Dir {
    /// Of this machine.
    System(SystemDir),
    /// Of a disk that is not mounted.
    Image(ImageDir),
}

impl Dir {
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::System(dir) => Self::System(dir.try_clone()?),
            Self::Image(dir) => Self::Image(dir.clone()),
        })
    }

    pub(crate) fn own_metadata(&self) -> io::Result<Metadata> {
        match self {
            Self::System(dir) => dir.own_metadata(),
            Self::Image(dir) => dir.own_metadata(),
        }
    }

    pub(crate) fn metadata(&self, name: &Path) -> io::Result<Metadata> {
        match self {
            Self::System(dir) => dir.metadata(name),
            Self::Image(dir) => dir.metadata(name.as_os_str()),
        }
    }

    pub(crate) fn open_file(&self, name: &Path, access: Access) -> io::Result<File> {
        match self {
            Self::System(dir) => File::new(dir.open_file(name, access)?),
            Self::Image(dir) => Ok(dir.open_file(name.as_os_str())?.into()),
        }
    }

    pub(crate) fn create_file(&self, name: &Path) -> io::Result<File> {
        match self {
            Self::System(dir) => File::new(dir.create_file(name)?),
            Self::Image(dir) => Ok(dir.create_file(name.as_os_str())?.into()),
        }
    }

    pub(crate) fn open_dir(&self, name: &Path) -> io::Result<Self> {
        Ok(match self {
            Self::System(dir) => Self::System(dir.open_dir(name)?),
            Self::Image(dir) => Self::Image(dir.open_dir(name.as_os_str())?),
        })
    }

    pub(crate) fn create_dir(&self, name: &Path) -> io::Result<()> {
        match self {
            Self::System(dir) => dir.create_dir(name),
            Self::Image(_) => Err(not_on_an_image("no folder is created")),
        }
    }

    pub(crate) fn remove_file(&self, name: &Path) -> io::Result<()> {
        match self {
            Self::System(dir) => dir.remove_file(name),
            Self::Image(dir) => dir.remove_file(name.as_os_str()),
        }
    }

    pub(crate) fn remove_dir(&self, name: &Path) -> io::Result<()> {
        match self {
            Self::System(dir) => dir.remove_dir(name),
            Self::Image(_) => Err(not_on_an_image("no folder is removed")),
        }
    }

    pub(crate) fn rename(&self, from: &Path, to_dir: &Self, to: &Path) -> io::Result<()> {
        match (self, to_dir) {
            (Self::System(dir), Self::System(to_dir)) => dir.rename(from, to_dir, to),
            _ => Err(not_on_an_image("nothing is renamed")),
        }
    }

    pub(crate) fn names(&self) -> io::Result<Box<dyn Iterator<Item = io::Result<OsString>> + '_>> {
        Ok(match self {
            Self::System(dir) => Box::new(dir.names()?),
            Self::Image(dir) => Box::new(dir.names()?.into_iter().map(Ok)),
        })
    }

    pub(crate) fn spellings(&self, name: &OsStr) -> io::Result<Vec<OsString>> {
        match self {
            Self::System(dir) => dir.spellings(name),
            Self::Image(dir) => dir.spellings(name),
        }
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        match self {
            Self::System(dir) => dir.sync(),
            Self::Image(dir) => dir.sync(),
        }
    }
}

/// What diskmend does not do to a disk that is not mounted.
pub(crate) fn not_on_an_image(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("on a disk that is not mounted {what}"),
    )
}
