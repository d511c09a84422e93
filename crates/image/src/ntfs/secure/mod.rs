//! Security descriptors: `$Secure` (record 9) holds each once, files name it by its id
//! (Linux-NTFS, $Secure).
//!
//! | module | what lives there |
//! |---|---|
//! | `format` | entries of `$SDS` and of the indexes as they lie on disk |
//! | `sds` | `$SDS`, the descriptors, each in two copies |
//! | `key`, `node`, `index` | `$SII` and `$SDH`, by which they are found |
//! | `store` | all three on their volume |
//! | `append` | adding descriptors |
//! | `plan`, `growth`, `edit` | what is written for that, in which order, and where there is room |
//! | `files` | which descriptor a file has |

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::format::attribute_type;
use super::member::Member;
use super::metadata::Metadata;
use super::place::FileId;
use super::records::Records;
use super::stream::Stream;
use super::volume::Volume;

mod append;
mod edit;
mod error;
mod files;
mod format;
mod growth;
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

/// Bytes of descriptors that are kept in memory.
const MAX_CACHED: usize = 16 << 20;

/// The number by which files name a descriptor of their volume.
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

/// What has been read.
#[derive(Debug, Default)]
struct State {
    store: Option<Arc<Store>>,
    descriptors: HashMap<SecurityId, Arc<[u8]>>,
    /// Bytes in `descriptors`.
    cached: usize,
}

impl Secure {
    /// The descriptors of a volume; nothing is read yet. All that writes on one volume must share
    /// this.
    #[must_use]
    pub fn new(volume: &Volume) -> Self {
        Self {
            volume: volume.clone(),
            state: Mutex::default(),
        }
    }

    /// The descriptor of this id.
    ///
    /// # Errors
    /// [`SecurityError::UnknownId`]; an index that is damaged, or both copies of the descriptor.
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

    /// The ids of `descriptors` in their order. What the volume lacks is added, and is durable when
    /// this returns; a crash before leaves ids that no file has, or tears a block of an index or the
    /// record of `$Secure`. The volume must be
    /// [fit for writing](Volume::fit_for_writing).
    ///
    /// # Errors
    /// [`SecurityError::NoRoom`] and all others but those of the device are found before anything
    /// is written.
    pub fn add(&self, descriptors: &[&[u8]]) -> Result<Vec<SecurityId>, SecurityError> {
        let mut state = self.state();
        let _writing = self.volume.inner.writing();
        state.store = None;
        append::add(&self.volume.inner.mft, descriptors)
    }

    /// Where the descriptors of `files` are, in their order; $MFT is read in few large pieces.
    pub fn of_files(&self, files: &[FileId]) -> Vec<Result<FileSecurity, SecurityError>> {
        files::get(&self.volume.inner.mft, files)
    }

    /// Every id that a file of the volume has. Files whose records can't be read are left out.
    #[must_use]
    pub fn ids_in_use(&self) -> BTreeSet<SecurityId> {
        files::ids(&self.volume.inner.mft)
    }

    /// The descriptor of one file, in `$Secure` or of its own; `None` if it has none.
    ///
    /// # Errors
    /// No such file; what [`Self::descriptor`] reports.
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

    /// Gives files other ids, which the volume must have, instead of what they have now, be that an
    /// id or a descriptor of their own. They are durable after [`Volume::sync`]; the ids themselves
    /// must be durable before, as those are which [`Self::add`] gave. Of each 8192 changes every
    /// file is checked before the first is written; what is refused for one does not keep the
    /// others from being set. A crash leaves each file that had an id with that or the new one; the
    /// record of one that had a descriptor of its own may be torn by it. The volume must be [fit
    /// for writing](Volume::fit_for_writing).
    ///
    /// # Errors
    /// [`SecurityError::UnknownId`] for an id that is to be set, before anything is written; a
    /// device that fails while it is written to.
    pub fn set(&self, changes: &[Change]) -> Result<Vec<Result<(), SecurityError>>, SecurityError> {
        let mut last = None;
        for change in changes {
            if last != Some(change.to) {
                self.descriptor(change.to)?;
                last = Some(change.to);
            }
        }
        let _writing = self.volume.inner.writing();
        files::set(&self.volume.inner.mft, changes)
    }

    /// The same for those of `members` for which `decide` gives an id. It gets the index in `members`,
    /// what the file is, and where its descriptor is now. The ids must be those of this volume. A file
    /// that lies elsewhere by its own record is refused.
    ///
    /// # Errors
    /// A device that fails while it is written to.
    pub fn set_where(
        &self,
        members: &[Member<'_>],
        decide: impl FnMut(usize, &Metadata, FileSecurity) -> Option<SecurityId>,
    ) -> Result<Vec<Result<(), SecurityError>>, SecurityError> {
        let _writing = self.volume.inner.writing();
        files::set_where(&self.volume.inner.mft, members, decide)
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
