//! One diskmend at a time on a target.

use std::fs::TryLockError;
use std::io;

use crate::dir::{Access, Dir};
use crate::error::{GuardError, is_in_use};
use crate::file::File;

/// Name of the lock file in the state folder. The file stays there, empty, between runs.
pub const LOCK_FILE_NAME: &str = "diskmend.lock";

/// Tries before giving up on a lock file that others keep creating and removing.
const ATTEMPTS: usize = 8;

/// The right to change a target, held until dropped. The system takes it back when the process
/// ends in any way, so a crash leaves nothing to clean up.
#[derive(Debug)]
pub struct TargetLock {
    _file: Box<dyn File>,
}

impl TargetLock {
    /// Takes the lock of the target whose state folder is `state`, without waiting. This is also
    /// the proof that the volume can be written: it opens its file for writing.
    ///
    /// # Errors
    /// [`GuardError::Busy`] when another run holds it, [`GuardError::ReadOnly`] when the volume
    /// turns out not to be writable, [`GuardError::Io`] when there is something else of that name
    /// or the system refused.
    pub fn acquire(state: &dyn Dir) -> Result<Self, GuardError> {
        for _ in 0..ATTEMPTS {
            let file = match open(state) {
                Ok(Some(file)) => file,
                Ok(None) => continue,
                // Another run has it open for writing, which on Windows keeps all others from that.
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
            // A lock on a file that has lost its name excludes nobody.
            if still_named(state, file.as_ref()).map_err(GuardError::io("look at the lock file"))? {
                return Ok(Self { _file: file });
            }
        }
        Err(GuardError::Busy)
    }
}

/// The lock file, created if missing; `None` when another run got in between.
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
