//! An open regular file, whatever lies below it.

use std::fmt;
use std::fs::TryLockError;
use std::io;

use diskmend_base::Storage;

use crate::metadata::{Identity, Metadata};

/// An open regular file of the target. Offsets and lengths are in bytes from the file's start.
///
/// Writing in place keeps everything else of the file: its security descriptor, streams, hard
/// links and place on disk.
pub trait File: Storage + fmt::Debug + Send {
    /// What the open file is, even if its name has since gone to another.
    ///
    /// # Errors
    /// What the system reported.
    fn metadata(&self) -> io::Result<Metadata>;

    /// Which file this is, for as long as it is open.
    ///
    /// # Errors
    /// What the system reported.
    fn identity(&self) -> io::Result<Identity> {
        Ok(self.metadata()?.identity)
    }

    /// How many names (hard links) the file has; its name for DOS is none of them.
    ///
    /// # Errors
    /// What the system reported.
    fn names(&self) -> io::Result<u64> {
        Ok(self.metadata()?.links)
    }

    /// Whether the file can be made so many bytes long and written in these extents, each an offset
    /// and a length in bytes. Of a mounted volume only writing tells.
    ///
    /// # Errors
    /// Why it can't.
    fn check_room(&self, _len: u64, _extents: &[(u64, u64)]) -> io::Result<()> {
        Ok(())
    }

    /// Whether the bytes that the file has can be changed where they lie. Of a mounted volume only
    /// writing tells.
    ///
    /// # Errors
    /// Why they can't.
    fn check_in_place(&self) -> io::Result<()> {
        Ok(())
    }

    /// Bytes that are stored of a file of at least 512 bytes, if some can be left out and its file
    /// system tells.
    ///
    /// # Errors
    /// What the system reported.
    fn stored_len(&self) -> io::Result<Option<u64>> {
        Ok(None)
    }

    /// Takes the exclusive advisory lock without waiting; it is released when the file is closed.
    ///
    /// On Windows the lock is mandatory: until then no other handle can read or write the file. A
    /// file on a disk that is not mounted needs none: the disk as a whole is locked.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] when someone else holds it, through this process or another.
    fn try_lock(&self) -> Result<(), TryLockError>;

    /// The file as the system knows it, if it is a file of this machine: for a memory map.
    fn as_system(&self) -> Option<&std::fs::File> {
        None
    }
}
