//! Security descriptors: `$Secure` (record 9) stores each distinct one once, and files refer to it
//! by its id (Linux-NTFS, $Secure).
//!
//! | module | what it contains |
//! |---|---|
//! | `format` | entries of `$SDS` and of the indexes, as they are on disk |
//! | `sds` | `$SDS`, the descriptors, each in two copies |
//! | `key`, `node`, `index` | `$SII` and `$SDH`, by which they are found |
//! | `store` | all three on their volume |
//! | `append` | adding descriptors |
//! | `plan` | what is written for that, in which order, and whether there is room |
//! | `files` | the descriptors of files |

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::format::attribute_type;
use super::metadata::Metadata;
use super::place::FileId;
use super::records::Records;
use super::stream::Stream;
use super::volume::Volume;

mod append;
mod error;
mod files;
mod format;
mod index;
mod key;
mod node;
mod plan;
mod sds;
mod store;
#[cfg(test)]
mod tests;

pub use error::SecurityError;
pub use files::{Change, FileSecurity};
use format::SdsHeader;
use store::Store;

/// The maximum number of bytes of descriptors in memory.
const MAX_CACHED: usize = 16 << 20;

/// The number by which files refer to a descriptor of their volume.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SecurityId(pub u32);

impl fmt::Display for SecurityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// The security descriptors of a volume. Descriptors are bytes, self-relative.
#[derive(Debug)]
pub struct Secure {
    volume: Volume,
    state: Mutex<State>,
}

/// The data that have been read.
#[derive(Debug, Default)]
struct State {
    store: Option<Arc<Store>>,
    descriptors: HashMap<SecurityId, Arc<[u8]>>,
    /// Bytes in `descriptors`.
    cached: usize,
}

impl Secure {
    /// The descriptors of a volume; nothing is read yet. All code that writes to one volume must
    /// share this value.
    #[must_use]
    pub fn new(volume: &Volume) -> Self {
        Self {
            volume: volume.clone(),
            state: Mutex::default(),
        }
    }

    /// The descriptor with this id.
    ///
    /// # Errors
    /// [`SecurityError::UnknownId`]; an index is damaged, or both copies of the descriptor are.
    pub fn descriptor(&self, id: SecurityId) -> Result<Arc<[u8]>, SecurityError> {
        let mut state = self.state();
        if let Some(found) = state.descriptors.get(&id) {
            return Ok(found.clone());
        }
        let store = self.store(&mut state)?;
        let place = store.place(id.0)?.ok_or(SecurityError::UnknownId(id))?;
        let found: Arc<[u8]> = sds::read(&store.sds, &place)?.into();
        state.cached = state.cached.saturating_add(found.len());
        if state.cached > MAX_CACHED {
            state.descriptors.clear();
            state.cached = found.len();
        }
        state.descriptors.insert(id, found.clone());
        Ok(found)
    }

    /// The id of an equal descriptor, if the volume has one.
    ///
    /// # Errors
    /// An index that is damaged; a device that fails.
    pub fn id_of(&self, descriptor: &[u8]) -> Result<Option<SecurityId>, SecurityError> {
        let store = self.store(&mut self.state())?;
        Ok(store.find(descriptor)?.map(SecurityId))
    }

    /// The ids of `descriptors`, in order. Missing descriptors are added, and are durable when this
    /// returns. A crash before leaves ids that no file uses, or tears a block of an index or the
    /// record of `$Secure`. The volume must be [fit for writing](Volume::fit_for_writing).
    ///
    /// # Errors
    /// [`SecurityError::NoRoom`] and all others except those of the device are found before
    /// anything is written.
    pub fn add(&self, descriptors: &[&[u8]]) -> Result<Vec<SecurityId>, SecurityError> {
        let mut state = self.state();
        let _writing = self.volume.inner.writing();
        state.store = None;
        append::add(&self.volume.inner.mft, descriptors)
    }

    /// The places of the descriptors of `files`, in order; $MFT is read in few large pieces.
    pub fn of_files(&self, files: &[FileId]) -> Vec<Result<FileSecurity, SecurityError>> {
        files::get(&self.volume.inner.mft, files)
    }

    /// Every id that a file of the volume uses. Files with records that can't be read are left out.
    #[must_use]
    pub fn ids_in_use(&self) -> BTreeSet<SecurityId> {
        files::ids(&self.volume.inner.mft)
    }

    /// The descriptor of one file, in `$Secure` or its own; `None` if it has none.
    ///
    /// # Errors
    /// No such file; the errors of [`Self::descriptor`].
    pub fn of_file(&self, file: FileId) -> Result<Option<Arc<[u8]>>, SecurityError> {
        let records = Records::read(&self.volume.inner.mft, file)?;
        match files::get_one(&self.volume.inner.mft, records.base())? {
            FileSecurity::Shared(id) => self.descriptor(id).map(Some),
            FileSecurity::None => Ok(None),
            FileSecurity::Own => {
                let disk = self.volume.inner.mft.disk();
                let stream = Stream::of(disk, &records, attribute_type::SECURITY_DESCRIPTOR, "")?;
                let stream = stream.ok_or_else(|| records.lacks("$SECURITY_DESCRIPTOR"))?;
                let bytes = stream.read_all(disk, SdsHeader::MAX_DESCRIPTOR.into())?;
                Ok(Some(bytes.into()))
            }
        }
    }

    /// Sets the ids of the files for which `decide` agrees. It gets the index in `changes`, the
    /// file's metadata, and the place of its descriptor. The results are `true` for the files that
    /// now have their id, which replaces what they had: an id or their own descriptor. A file that
    /// is elsewhere according to its own record is refused.
    ///
    /// The changes are durable after [`Volume::sync`]. The ids themselves must be durable before;
    /// those from [`Self::add`] are. In each batch of 8192 changes, every file is checked before
    /// the first is written; if a file is refused, the others are still set. After a crash, each
    /// file that had an id has the old or the new id; the record of a file that had its own
    /// descriptor may be torn. The volume must be [fit for writing](Volume::fit_for_writing).
    ///
    /// # Errors
    /// [`SecurityError::UnknownId`] for an id that is to be set, before anything is written; a
    /// device that fails during a write.
    pub fn set(
        &self,
        changes: &[Change<'_>],
        decide: impl FnMut(usize, &Metadata, FileSecurity) -> bool,
    ) -> Result<Vec<Result<bool, SecurityError>>, SecurityError> {
        let mut last = None;
        for change in changes {
            if last != Some(change.to) {
                self.descriptor(change.to)?;
                last = Some(change.to);
            }
        }
        let _writing = self.volume.inner.writing();
        files::set(&self.volume.inner.mft, changes, decide)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, state: &mut State) -> Result<Arc<Store>, SecurityError> {
        if let Some(store) = &state.store {
            return Ok(store.clone());
        }
        let store = Arc::new(Store::open(&self.volume.inner.mft)?);
        state.store = Some(store.clone());
        Ok(store)
    }
}
