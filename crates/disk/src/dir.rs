//! An open folder, whatever lies below it: the system, NTFS or FAT on a disk that is not mounted, or
//! the memory of a test.

use std::fmt;
use std::io;

use crate::error::LookupError;
use crate::file::File;
use crate::lookup::{self, Found};
use crate::metadata::{Kind, Metadata};
use crate::security::{Descriptors, Protection};

/// What an open file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only.
    Read,
    /// Reading and writing in place.
    ReadWrite,
}

/// An open folder.
///
/// Every method takes the name of a direct child: names that could lead elsewhere (separators,
/// `..`) are [`io::ErrorKind::InvalidInput`], and a link is never followed. The folder stays the
/// same one if it is renamed or its path is redirected meanwhile.
pub trait Dir: fmt::Debug + Send + Sync {
    /// A second handle to the same folder.
    ///
    /// # Errors
    /// What the system reported.
    fn try_clone(&self) -> io::Result<Box<dyn Dir>>;

    /// Metadata of the folder itself.
    ///
    /// # Errors
    /// What the system reported.
    fn own_metadata(&self) -> io::Result<Metadata>;

    /// Metadata of a name, not of what a link points to.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the system reported.
    fn metadata(&self, name: &str) -> io::Result<Metadata>;

    /// What a name stands for; `None` if there is no such name.
    ///
    /// # Errors
    /// What the system reported.
    fn kind(&self, name: &str) -> io::Result<Option<Kind>> {
        match self.metadata(name) {
            Ok(metadata) => Ok(Some(metadata.kind)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names in the folder, in the order of their bytes. A name that is not valid Unicode is left
    /// out, since nothing can be done with it here.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`] if the folder has more than `limit` names; what the system
    /// reported.
    fn names(&self, limit: usize) -> io::Result<Vec<String>>;

    /// The names here that the file system finds for a name which it has found: usually that one, as
    /// spelled on disk.
    ///
    /// # Errors
    /// What the system reported.
    fn spellings(&self, name: &str) -> io::Result<Vec<String>>;

    /// Opens a regular file. Nothing else is ever opened, so this does not block on a FIFO or
    /// disturb a device.
    ///
    /// # Errors
    /// [`NotRegular`](crate::NotRegular) inside an [`io::Error`] for anything else, links included;
    /// [`io::ErrorKind::NotFound`]; what the system reported.
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn File>>;

    /// Whether a file of that name can be created here and get so many bytes, as far as that can be
    /// told without writing: on a disk that is not mounted. On NTFS there it never can.
    ///
    /// # Errors
    /// Why it can't.
    fn can_create(&self, _name: &str, _len: u64) -> io::Result<()> {
        Ok(())
    }

    /// Creates a file for reading and writing. On Unix only its owner may read it: copies of
    /// registry hives hold secrets.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] whatever the name stands for, a link included; what the
    /// system reported.
    fn create(&self, name: &str) -> io::Result<Box<dyn File>>;

    /// Removes the name of a file, or a link itself.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the system reported.
    fn remove_file(&self, name: &str) -> io::Result<()>;

    /// Gives what is called `from` the name `to`. A file that has that name already is replaced.
    ///
    /// # Errors
    /// What the system reported.
    fn replace(&self, from: &str, to: &str) -> io::Result<()>;

    /// Opens a folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the system reported for a link or anything else that
    /// is no folder.
    fn open_dir(&self, name: &str) -> io::Result<Box<dyn Dir>>;

    /// Opens a folder in which everything that is created through it, files and folders and what
    /// is created in those, is for the system and administrators only, if the file system keeps
    /// Windows's permissions.
    ///
    /// # Errors
    /// As [`open_dir`](Self::open_dir).
    fn open_private_dir(&self, name: &str) -> io::Result<Box<dyn Dir>> {
        self.open_dir(name)
    }

    /// Creates a folder. On Unix only its owner may enter it, and if the file system keeps Windows's
    /// permissions only the system and administrators.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], or what the system reported.
    fn create_dir(&self, name: &str) -> io::Result<()>;

    /// Removes an empty folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::DirectoryNotEmpty`], or what the system reported.
    fn remove_dir(&self, name: &str) -> io::Result<()>;

    /// Takes an empty folder from whoever else may write it; says whether that is done, or the
    /// folder is left as it is.
    ///
    /// # Errors
    /// What the system reported.
    fn take_over_empty_dir(&self, _name: &str) -> io::Result<bool> {
        Ok(false)
    }

    /// What keeps others from writing the folder.
    ///
    /// # Errors
    /// What the system reported; an error, too, if it shows no descriptor of the folder.
    fn protection(&self) -> io::Result<Protection> {
        Ok(Protection::Nothing)
    }

    /// Returns when names that were created, renamed or removed here are durable. Some file systems
    /// offer no such call: there it does nothing. On Windows they are when they have been changed.
    ///
    /// # Errors
    /// What the system reported.
    fn sync(&self) -> io::Result<()>;

    /// The security descriptors of the files and folders below this one; `None` if the file system
    /// keeps none, or its driver does not show them.
    ///
    /// # Errors
    /// What the system reported.
    fn descriptors(&self) -> io::Result<Option<Box<dyn Descriptors>>>;

    /// Finds the file or folder that `components` lead to; `None` if there is none.
    ///
    /// A name that is spelled as asked for wins, but for Windows, which could open another one;
    /// otherwise case is disregarded as NTFS does. No link is followed, neither on the way nor at
    /// the end.
    ///
    /// # Errors
    /// [`LookupError::Link`] if a link stands on the way or at the end,
    /// [`LookupError::Ambiguous`] if only case tells two names apart,
    /// [`LookupError::NotAFolder`] if something else stands on the way.
    fn find(&self, components: &[&str]) -> Result<Option<Found>, LookupError> {
        lookup::find(self.try_clone(), components)
    }
}
