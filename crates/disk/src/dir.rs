//! An open folder: of the system, of NTFS or FAT on a disk that isn't mounted, or in a test's
//! memory.

use std::any::Any;
use std::fmt;
use std::io;

use crate::details::Details;
use crate::file::File;
use crate::metadata::{Kind, Metadata};
use crate::security::{Descriptors, Protection};

/// The reason to open a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To read only.
    Read,
    /// To read and to write in place.
    ReadWrite,
}

/// An open folder.
///
/// Every method takes the name of a direct child. A name that could lead elsewhere (with a
/// separator, or `..`) gives [`io::ErrorKind::InvalidInput`], and links are never followed. The
/// folder stays the one that was opened, even if it is renamed or its path is redirected meanwhile.
pub trait Dir: Any + fmt::Debug + Send + Sync {
    /// A second handle to the same folder.
    ///
    /// # Errors
    /// The system's error.
    fn try_clone(&self) -> io::Result<Box<dyn Dir>>;

    /// The metadata of the folder itself.
    ///
    /// # Errors
    /// The system's error.
    fn own_metadata(&self) -> io::Result<Metadata>;

    /// The metadata of a name; for a link, of the link itself.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or the system's error.
    fn metadata(&self, name: &str) -> io::Result<Metadata>;

    /// The kind of object that has a name; `None` if there is no such name.
    ///
    /// # Errors
    /// The system's error.
    fn kind(&self, name: &str) -> io::Result<Option<Kind>> {
        match self.metadata(name) {
            Ok(metadata) => Ok(Some(metadata.kind)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names in the folder, in the order of their bytes. A name that isn't valid Unicode is
    /// left out, because nothing can be done with it here.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`] if the folder has more than `limit` names, or the system's
    /// error.
    fn names(&self, limit: usize) -> io::Result<Vec<String>>;

    /// The names in the folder that the file system finds for a name. It is usually one name: the
    /// same one as it is spelled on disk.
    ///
    /// # Errors
    /// The system's error.
    fn spellings(&self, name: &str) -> io::Result<Vec<String>>;

    /// Opens a regular file. Nothing else is ever opened, so this neither blocks on a FIFO nor
    /// disturbs a device.
    ///
    /// # Errors
    /// [`NotRegular`](crate::NotRegular) inside an [`io::Error`] for anything else, links included;
    /// [`io::ErrorKind::NotFound`]; the system's error.
    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn File>>;

    /// Checks without writing if a file of that name and length can be created here. That is only
    /// possible on a disk that isn't mounted. On its NTFS volumes a file can never be created.
    ///
    /// # Errors
    /// The reason why the file can't be created.
    fn can_create(&self, _name: &str, _len: u64) -> io::Result<()> {
        Ok(())
    }

    /// Creates a file for reading and writing. On Unix only its owner may read it, because copies
    /// of registry hives hold secrets.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the name exists, even as a link; otherwise the system's
    /// error.
    fn create(&self, name: &str) -> io::Result<Box<dyn File>>;

    /// Removes the name of a file. Of a link, the link itself is removed.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or the system's error.
    fn remove_file(&self, name: &str) -> io::Result<()>;

    /// Checks without writing if a file can be removed here, and if an equal one can be made again
    /// from its content and its [`details`](Self::details), or by restoring the sectors of a disk
    /// that isn't mounted.
    ///
    /// # Errors
    /// The reason why it can't: it is no regular file, it has several names, it is stored in a
    /// special way, or something of it can't be read. On an NTFS volume that isn't mounted, it must
    /// not be open.
    fn can_remove(&self, name: &str) -> io::Result<()>;

    /// What the file has besides its content, to be given to an equal file later. On a disk that
    /// isn't mounted it is empty, because there the sectors are restored.
    ///
    /// # Errors
    /// [`NotRegular`](crate::NotRegular) inside an [`io::Error`]; if an equal file can't be made;
    /// the system's error.
    fn details(&self, name: &str) -> io::Result<Details>;

    /// Gives a file that was just created and written these details. Its times are set last.
    ///
    /// # Errors
    /// The system's error; on a disk that isn't mounted, always, unless the details are empty.
    fn set_details(&self, name: &str, details: &Details) -> io::Result<()>;

    /// Checks without writing if a file can be renamed to a name that doesn't exist yet, also not
    /// in another case.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], or the reason why it can't.
    fn can_rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Renames a file to a name that doesn't exist yet, also not in another case.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], or the system's error.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Renames `from` to `to`. A file that already has that name is replaced.
    ///
    /// # Errors
    /// The system's error.
    fn replace(&self, from: &str, to: &str) -> io::Result<()>;

    /// Moves a file to a name in a folder of the same volume, which may be this folder. Nothing is
    /// ever replaced. The file keeps everything that belongs to it: content, security descriptor,
    /// attributes, times and streams. Of a link, the link itself is moved.
    ///
    /// Neither folder is flushed. Flush the new one first: a crash then leaves one of the two names,
    /// or both.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the new name exists; [`io::ErrorKind::CrossesDevices`] if
    /// the folder is on another disk; [`io::ErrorKind::Unsupported`] if nothing can be moved on this
    /// kind of disk; the system's error.
    fn move_to(
        &self,
        _name: &str,
        _folder: &(dyn Dir + 'static),
        _new_name: &str,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Checks without writing if a folder can be renamed to a name that doesn't exist yet, also not
    /// in another case.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the new name exists; [`io::ErrorKind::NotADirectory`] for
    /// anything but a folder; [`io::ErrorKind::Unsupported`] if no folder can be renamed on this kind
    /// of disk; the reason why this one can't.
    fn can_rename_folder(&self, _name: &str, _new_name: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Renames a folder to a name in this folder that doesn't exist yet, also not in another case.
    /// Nothing is ever replaced, and everything in the folder goes with it. A mounted volume does it
    /// in one step, and this folder is not flushed.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the new name exists; [`io::ErrorKind::NotADirectory`] for
    /// anything but a folder; [`io::ErrorKind::Unsupported`] if no folder can be renamed on this kind
    /// of disk; the system's error.
    fn rename_folder(&self, _name: &str, _new_name: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Opens a folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or the system's error for a link or anything else that is not a
    /// folder.
    fn open_dir(&self, name: &str) -> io::Result<Box<dyn Dir>>;

    /// Opens a folder for private objects: all files and folders that are created through it, at
    /// any depth, are for the system and administrators only, if the file system stores Windows
    /// permissions.
    ///
    /// # Errors
    /// The errors of [`open_dir`](Self::open_dir).
    fn open_private_dir(&self, name: &str) -> io::Result<Box<dyn Dir>> {
        self.open_dir(name)
    }

    /// Creates a folder. On Unix only its owner may enter it. If the file system stores Windows
    /// permissions, only the system and administrators may.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], or the system's error.
    fn create_dir(&self, name: &str) -> io::Result<()>;

    /// Removes an empty folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::DirectoryNotEmpty`], or the system's error.
    fn remove_dir(&self, name: &str) -> io::Result<()>;

    /// Takes the right to write to an empty folder away from everybody else. Returns false if the
    /// folder was left unchanged.
    ///
    /// # Errors
    /// The system's error.
    fn take_over_empty_dir(&self, _name: &str) -> io::Result<bool> {
        Ok(false)
    }

    /// The permissions that keep others from writing to the folder.
    ///
    /// # Errors
    /// The system's error; an error, too, if it shows no descriptor of the folder.
    fn protection(&self) -> io::Result<Protection> {
        Ok(Protection::Nothing)
    }

    /// The permissions that keep others from writing to a file in the folder.
    ///
    /// # Errors
    /// The system's error; an error, too, if it shows no descriptor of the file.
    fn protection_of(&self, _name: &str) -> io::Result<Protection> {
        Ok(Protection::Nothing)
    }

    /// Returns when created, renamed or removed names are durable in this folder. Some file systems
    /// offer no such call; there it does nothing. On Windows every change of a name is durable at
    /// once.
    ///
    /// # Errors
    /// The system's error.
    fn sync(&self) -> io::Result<()>;

    /// The security descriptors of the files and folders below this one; `None` if the file system
    /// stores none, or if its driver doesn't show them.
    ///
    /// # Errors
    /// The system's error.
    fn descriptors(&self) -> io::Result<Option<Box<dyn Descriptors>>>;
}
