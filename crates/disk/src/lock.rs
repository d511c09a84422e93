//! The lock that keeps a second diskmend from working on the same target.

use std::fs::TryLockError;
use std::io;

use crate::dir::{Access, Dir};
use crate::error::{GuardError, is_in_use};
use crate::file::File;

/// The name of the lock file in the state folder. The empty file stays there between runs.
pub const LOCK_FILE_NAME: &str = "diskmend.lock";

/// The number of attempts to lock a file that others keep creating and removing.
const ATTEMPTS: usize = 8;

/// The right to change a target, held until dropped. The system releases it when the process ends
/// in any way, so nothing has to be cleaned up after a crash.
#[derive(Debug)]
pub struct TargetLock {
    _file: Box<dyn File>,
}

impl TargetLock {
    /// Takes the lock of the target with this state folder, without waiting. Because this opens the
    /// lock file for writing, it also proves that the volume can be written.
    ///
    /// # Errors
    /// [`GuardError::Busy`] if another run holds it, [`GuardError::ReadOnly`] if the volume can't
    /// be written, [`GuardError::Io`] if something else has that name or for any other error of the
    /// system.
    pub fn acquire(state: &dyn Dir) -> Result<Self, GuardError> {
        for _ in 0..ATTEMPTS {
            let file = match open(state) {
                Ok(Some(file)) => file,
                Ok(None) => continue,
                // Another run has the file open for writing. On Windows that keeps all others from
                // opening it.
                Err(error) if is_in_use(&error) => return Err(GuardError::Busy),
                Err(error) => return Err(GuardError::io("open the lock file")(error)),
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(GuardError::Busy),
                Err(TryLockError::Error(source)) => {
                    return Err(GuardError::io("lock the lock file")(source));
                }
            }
            // A lock on a file that no longer has its name keeps nobody out.
            if still_named(state, file.as_ref()).map_err(GuardError::io("look at the lock file"))? {
                return Ok(Self { _file: file });
            }
        }
        Err(GuardError::Busy)
    }
}

/// The lock file, created if it is missing. `None` if another run interfered.
fn open(state: &dyn Dir) -> io::Result<Option<Box<dyn File>>> {
    match state.open(LOCK_FILE_NAME, Access::ReadWrite) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened.map(Some),
    }
    match state.create(LOCK_FILE_NAME) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        created => created.map(Some),
    }
}

fn still_named(state: &dyn Dir, file: &dyn File) -> io::Result<bool> {
    match state.metadata(LOCK_FILE_NAME) {
        Ok(metadata) => Ok(metadata.identity == file.identity()?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
