//! What a commit must know about the primary file on disk.

use crate::format::BaseBlock;
use crate::recover::LogKind;

/// The primary file on disk: the state from which edits start, and how to reach it.
pub(crate) struct OnDisk {
    /// The length of the file in bytes.
    pub(crate) file_len: usize,
    /// The base block of the state from which edits start.
    pub(crate) base: Box<BaseBlock>,
    /// What separates the file from that state; `None` for a hive that was clean.
    pub(crate) settlement: Option<Settlement>,
}

/// The writes that turn a dirty file into the clean state that was recovered from its logs.
///
/// The pages are copies: later edits change the image, but the recovered state must first reach the
/// disk by itself, while the logs from which it came still exist to recover it again.
#[derive(Default)]
pub(crate) struct Settlement {
    /// Runs of recovered pages, in ascending order.
    pub(crate) runs: Vec<Run>,
    /// The logs that the pages came from.
    pub(crate) replayed: Vec<LogKind>,
    /// A valid, still dirty base block, if the one on disk is torn.
    pub(crate) restored: Option<Box<BaseBlock>>,
}

/// Adjacent pages of the hive bins.
pub(crate) struct Run {
    /// Index of the first page.
    pub(crate) first: usize,
    /// The bytes of all pages.
    pub(crate) bytes: Vec<u8>,
}

impl OnDisk {
    /// Describes a file of `file_len` bytes with this base block, which is the settled state.
    pub(crate) fn settled(base: &BaseBlock, file_len: usize) -> Self {
        Self {
            file_len,
            base: Box::new(base.clone()),
            settlement: None,
        }
    }

    /// Describes a file of `file_len` bytes that `settlement` turns into one with this base block.
    pub(crate) fn unsettled(base: &BaseBlock, file_len: usize, settlement: Settlement) -> Self {
        Self {
            settlement: Some(settlement),
            ..Self::settled(base, file_len)
        }
    }
}
