//! An open regular file: of the system, of NTFS or FAT on a disk that isn't mounted, or in a test's
//! memory.

use std::fmt;
use std::fs::TryLockError;
use std::io;
use std::time::SystemTime;

use diskmend_base::Storage;

use crate::metadata::{Identity, Metadata};

/// An open regular file of the target. Offsets and lengths are in bytes from the file's start.
///
/// Writing in place keeps everything else of the file: its security descriptor, streams, hard links
/// and place on disk.
pub trait File: Storage + fmt::Debug + Send {
    /// The metadata of the open file, even if another file has its name by now.
    ///
    /// # Errors
    /// The system's error.
    fn metadata(&self) -> io::Result<Metadata>;

    /// When the file's content was last changed; `None` if that isn't known on this kind of disk.
    ///
    /// # Errors
    /// The system's error.
    fn modified(&self) -> io::Result<Option<SystemTime>> {
        self.as_system()
            .map(|file| file.metadata()?.modified())
            .transpose()
    }

    /// The file's identity, which is valid while the file is open.
    ///
    /// # Errors
    /// The system's error.
    fn identity(&self) -> io::Result<Identity> {
        Ok(self.metadata()?.identity)
    }

    /// The number of the file's names (hard links). Its short name for DOS doesn't count.
    ///
    /// # Errors
    /// The system's error.
    fn names(&self) -> io::Result<u64> {
        Ok(self.metadata()?.links)
    }

    /// Checks if the file can become `len` bytes long and can be written in these extents; each is
    /// an offset and a length in bytes. On a mounted volume only writing itself shows that.
    ///
    /// # Errors
    /// The reason why it can't.
    fn check_room(&self, _len: u64, _extents: &[(u64, u64)]) -> io::Result<()> {
        Ok(())
    }

    /// Checks if the file's bytes can be changed in place. On a mounted volume only writing itself
    /// shows that.
    ///
    /// # Errors
    /// The reason why they can't.
    fn check_in_place(&self) -> io::Result<()> {
        Ok(())
    }

    /// Notes that the content was replaced now: sets the times and attributes that Windows would
    /// set. Mounted volumes do that by themselves.
    ///
    /// # Errors
    /// The reason why they can't be set.
    fn touch(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// The number of bytes that are stored for a file of at least 512 bytes, if the file system can
    /// leave some out and reports the number.
    ///
    /// # Errors
    /// The system's error.
    fn stored_len(&self) -> io::Result<Option<u64>> {
        Ok(None)
    }

    /// Takes the exclusive advisory lock without waiting. Closing the file releases it.
    ///
    /// On Windows the lock is mandatory: no other handle can read or write the file meanwhile. A
    /// file on a disk that isn't mounted needs no lock, because the whole disk is locked.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if someone else holds the lock, in this process or another one.
    fn try_lock(&self) -> Result<(), TryLockError>;

    /// The system's own file, if it is a file of this machine, for a memory map.
    fn as_system(&self) -> Option<&std::fs::File> {
        None
    }
}
