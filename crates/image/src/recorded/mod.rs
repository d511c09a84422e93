//! A medium that records every change before it makes it.
//!
//! Writes stay in memory until [`sync`](crate::device::Device::sync). Then the old and new bytes go
//! to the record, the record is made durable, and only after that the sectors are written. So
//! whenever the power fails, the record holds the old bytes of every sector that may have changed.

mod changes;
mod format;
mod medium;
mod preview;
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

/// The file that holds a record, and the key that seals its frames.
pub struct RecordFile {
    file: Box<dyn Storage + Send>,
    key: Option<[u8; KEY_LEN]>,
}

impl RecordFile {
    /// Opens a record. If there is a key, it seals the frames, and a frame that doesn't fit its
    /// seal or the frames before it is damage. Without a key, seals are neither checked nor
    /// written.
    #[must_use]
    pub fn new(file: Box<dyn Storage + Send>, key: Option<[u8; KEY_LEN]>) -> Self {
        Self { file, key }
    }

    /// True if a key seals its frames.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        self.key.is_some()
    }
}

/// The reason why a record can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The record doesn't hold what was written.
    #[error("offset {offset}: {what}: expected {expected}, found {found}")]
    Damaged {
        /// Offset in the record.
        offset: u64,
        /// The problem.
        what: &'static str,
        /// What the record should hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// The system reported an error of the record or the medium.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The result of comparing a medium with its record.
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
    /// The state, from the offset of the first byte that isn't as recorded.
    const fn of(odd: Option<u64>) -> Self {
        match odd {
            None => Self::AsRecorded,
            Some(offset) => Self::ChangedSince { offset },
        }
    }
}
