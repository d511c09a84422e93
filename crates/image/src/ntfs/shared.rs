//! The data that the clones of a volume and its open files share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use super::error::VolumeError;
use super::journal::Journal;
use super::mft::Mft;
use super::open::Shared;
use super::place::FileId;
use super::upcase::UpCase;

/// The data that the clones of a volume and its open files share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) mft: Mft,
    pub(crate) root: FileId,
    upcase: OnceLock<UpCase>,
    /// What the journal will change, or why that isn't known.
    pub(crate) journal: OnceLock<Result<Option<Arc<Journal>>, String>>,
    /// Locked while a record or the bitmap is changed.
    writing: Mutex<()>,
    files: Mutex<HashMap<u64, Weak<Shared>>>,
}

impl Inner {
    pub(crate) fn new(mft: Mft, root: FileId) -> Self {
        Self {
            mft,
            root,
            upcase: OnceLock::new(),
            journal: OnceLock::new(),
            writing: Mutex::new(()),
            files: Mutex::new(HashMap::new()),
        }
    }

    /// Locked while a record or the bitmap is changed.
    pub(crate) fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn files(&self) -> MutexGuard<'_, HashMap<u64, Weak<Shared>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table by which the volume ignores case.
    pub(crate) fn upcase(&self) -> Result<&UpCase, VolumeError> {
        if let Some(upcase) = self.upcase.get() {
            return Ok(upcase);
        }
        let upcase = UpCase::read(&self.mft)?;
        Ok(self.upcase.get_or_init(|| upcase))
    }
}
