//! The folders and files that the engine touches, behind traits, so that tests can fail any
//! operation and drop what was not flushed.

mod disk;
#[cfg(test)]
pub(crate) mod faulty;

use std::any::Any;
use std::fs::TryLockError;
use std::io;

use diskmend_disk::{Access, GuardError, Identity, Kind, LookupError, Protection};
use diskmend_hive::{Buffer, Storage};

use crate::descriptors::Secured;

pub(crate) use disk::{DiskDir, unicode};

/// A folder. Names are those of direct children; no link is ever followed.
pub(crate) trait Dir {
    /// What a name stands for; `None` where there is no such name.
    fn kind(&self, name: &str) -> io::Result<Option<Kind>>;

    /// The names that are valid Unicode, in the order of their bytes.
    fn names(&self) -> io::Result<Vec<String>>;

    /// The length of a regular file in bytes.
    fn len_of(&self, name: &str) -> io::Result<u64>;

    /// Opens a regular file.
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn OpenFile>>;

    /// Whether a file of that name can be created and get so many bytes, as far as that can be told
    /// without writing.
    fn can_create(&self, _name: &str, _len: u64) -> io::Result<()> {
        Ok(())
    }

    /// Creates a file; an error where the name is taken.
    fn create(&self, name: &str) -> io::Result<Box<dyn OpenFile>>;

    /// Removes a file's name.
    fn remove_file(&self, name: &str) -> io::Result<()>;

    /// Renames a file or folder. A file replaces a file that has the new name.
    fn replace(&self, from: &str, to: &str) -> io::Result<()>;

    /// Opens a folder.
    fn open_dir(&self, name: &str) -> io::Result<Box<dyn Dir>>;

    /// Opens a folder in which everything that is created through it is for the system and
    /// administrators only, where the file system keeps Windows's permissions.
    fn open_private_dir(&self, name: &str) -> io::Result<Box<dyn Dir>> {
        self.open_dir(name)
    }

    /// What keeps others from writing the folder.
    fn protection(&self) -> io::Result<Protection> {
        Ok(Protection::Nothing)
    }

    /// Takes an empty folder from whoever else may write it, and says whether that is done.
    fn take_over_empty_dir(&self, _name: &str) -> io::Result<bool> {
        Ok(false)
    }

    /// Creates a folder; an error where the name is taken.
    fn create_dir(&self, name: &str) -> io::Result<()>;

    /// Removes an empty folder.
    fn remove_dir(&self, name: &str) -> io::Result<()>;

    /// Returns when changes of names are durable.
    fn sync(&self) -> io::Result<()>;

    /// Takes the lock of the target whose state folder this is, held until dropped.
    fn lock_target(&self) -> Result<Box<dyn Any>, GuardError>;

    /// The security descriptors of what lies in the folder; `None` where there are none.
    fn secured(&self) -> io::Result<Option<Box<dyn Secured>>>;

    /// Looks a path up without regard to case.
    fn find(&self, components: &[&str]) -> Result<Option<Place>, LookupError>;
}

/// An open regular file.
pub(crate) trait OpenFile: Storage + Send {
    /// Takes the exclusive advisory lock without waiting.
    fn try_lock(&self) -> Result<(), TryLockError>;

    /// Whether the file can be made `len` bytes long and written in these extents, each an offset
    /// and a length in bytes.
    fn check_room(&self, _len: u64, _extents: &[(u64, u64)]) -> io::Result<()> {
        Ok(())
    }

    /// Whether the bytes that the file has can be changed where they lie.
    fn check_in_place(&self) -> io::Result<()> {
        Ok(())
    }

    /// How many names (hard links) the file has; its name for DOS is none of them.
    fn names(&self) -> io::Result<u64> {
        Ok(1)
    }

    /// Which file it is, as long as it is open, if that can be told.
    fn identity(&self) -> io::Result<Option<Identity>> {
        Ok(None)
    }

    /// The whole file in memory.
    fn map(&self, reserve: usize, max_len: u64) -> io::Result<Box<dyn Buffer>>;
}

/// Where a lookup ended: a name in a folder.
pub(crate) struct Place {
    /// The folder.
    pub(crate) dir: Box<dyn Dir>,
    /// The name as spelled on disk.
    pub(crate) name: String,
    /// The path from where the lookup started, with `/`.
    pub(crate) path: String,
    /// What it is.
    pub(crate) kind: Kind,
}
