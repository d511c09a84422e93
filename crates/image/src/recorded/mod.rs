//! A medium that records, before it changes anything, what it is about to change.
//!
//! Writes stay in memory until [`sync`](crate::device::Device::sync): then old and new bytes go to
//! the record, the record is made durable, and only then are the sectors written. So whatever
//! moment the power fails, the record tells how to give every sector its old bytes back.

mod changes;
mod format;
mod medium;
mod preview;
mod ranges;
mod record;
mod restore;
mod seal;
mod sectors;
#[cfg(test)]
mod tests;

use std::io;

use diskmend_base::Storage;

pub use medium::RecordedMedium;
pub use preview::Preview;
pub use restore::{ChangedSince, Progress, Restored};
pub use seal::KEY_LEN;

/// The file that holds a record, and what seals its frames.
pub struct RecordFile {
    file: Box<dyn Storage + Send>,
    key: Option<[u8; KEY_LEN]>,
}

impl RecordFile {
    /// A record whose frames are sealed with a key, if there is one: then a frame that does not fit
    /// its seal, or the frames before it, is damage. Without a key seals are passed over, and none is
    /// written.
    #[must_use]
    pub fn new(file: Box<dyn Storage + Send>, key: Option<[u8; KEY_LEN]>) -> Self {
        Self { file, key }
    }

    /// If its frames are sealed.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        self.key.is_some()
    }
}

/// Why a record can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It is not what was written.
    #[error("offset {offset}: {what}: expected {expected}, found {found}")]
    Damaged {
        /// Offset in the record.
        offset: u64,
        /// The problem.
        what: &'static str,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Record or medium could not be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Whether a medium is as a record's last write left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Every changed byte is as the record says.
    AsRecorded,
    /// Something else has changed the byte at this offset since, or it was never written.
    ChangedSince {
        /// Offset in the medium.
        offset: u64,
    },
}

impl State {
    /// Where the first byte that is not as recorded is at this offset.
    const fn of(odd: Option<u64>) -> Self {
        match odd {
            None => Self::AsRecorded,
            Some(offset) => Self::ChangedSince { offset },
        }
    }
}
