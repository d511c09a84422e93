//! What a commit must know of the primary file as it is on disk.

use diskmend_base::bytes;

use crate::format::BaseBlock;
use crate::recover::LogKind;

/// The primary file beneath an image: where edits start from, and how to get there.
#[derive(Default)]
pub(crate) struct OnDisk {
    /// The length of the file in bytes.
    pub(crate) file_len: usize,
    /// The base block of the state that edits start from; `None` only for too short a file.
    pub(crate) base: Option<Box<BaseBlock>>,
    /// What separates the file from that state; `None` for a hive that was clean.
    pub(crate) settlement: Option<Settlement>,
}

/// What turns a dirty file into the clean state that was recovered from its logs.
///
/// The pages are copies: the edits that follow change the image, yet the recovered state must
/// reach the disk by itself first, while the logs it came from are still there to redo it.
#[derive(Default)]
pub(crate) struct Settlement {
    /// Runs of recovered pages, in ascending order.
    pub(crate) runs: Vec<Run>,
    /// The logs that the pages came from.
    pub(crate) replayed: Vec<LogKind>,
    /// A valid, still dirty base block, where that on disk is torn.
    pub(crate) restored: Option<Box<BaseBlock>>,
}

/// Neighbouring pages of the hive bins.
pub(crate) struct Run {
    /// Index of the first page.
    pub(crate) first: usize,
    /// The bytes of all pages.
    pub(crate) bytes: Vec<u8>,
}

impl OnDisk {
    /// Describes a file whose bytes are the settled state.
    pub(crate) fn of(file: &[u8]) -> Self {
        Self {
            file_len: file.len(),
            base: bytes::view::<BaseBlock>(file, 0).cloned().map(Box::new),
            settlement: None,
        }
    }

    /// Describes a file of `file_len` bytes that `settlement` turns into `settled`.
    pub(crate) fn unsettled(settled: &[u8], file_len: usize, settlement: Settlement) -> Self {
        Self {
            file_len,
            settlement: Some(settlement),
            ..Self::of(settled)
        }
    }
}
