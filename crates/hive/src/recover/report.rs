//! The result of a recovery.

use crate::error::Corruption;
use crate::recover::choose::{Applicable, Content};
use crate::recover::{LogFault, LogFormat, LogKind};

/// The result of a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// The logs that were replayed, in this order; at least one.
    pub applied: Vec<Applied>,
    /// The logs that were not replayed, and the reasons.
    pub skipped: Vec<SkippedLog>,
    /// The number of pages of the hive bins that the logs supplied, each counted once.
    pub pages: usize,
    /// Both sequence numbers of the recovered hive.
    pub sequence: u32,
    /// The length of the recovered hive bins in bytes.
    pub bins_len: usize,
    /// True if the base block came from a log because the primary file's was torn.
    pub base_block_restored: bool,
}

/// A log that was replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The log.
    pub log: LogKind,
    /// Its format.
    pub format: LogFormat,
    /// Sequence number of its first entry.
    pub first_sequence: u32,
    /// Sequence number of its last entry.
    pub last_sequence: u32,
    /// The number of entries; a log in the old format counts as one.
    pub entries: usize,
    /// The reason why the chain of entries ended. The end of the log and entries of an earlier
    /// round are normal; `None` for the old format. Offsets are relative to the log.
    pub end: Option<Corruption>,
}

/// A log that was not replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedLog {
    /// The log.
    pub log: LogKind,
    /// The reason why it does not apply.
    pub fault: LogFault,
}

impl Applied {
    pub(crate) fn of(log: &Applicable<'_>) -> Self {
        let (entries, end) = match &log.content {
            Content::Sectors(_) => (1, None),
            Content::Entries(chain) => (chain.entries.len(), Some(chain.end.clone())),
        };
        Self {
            log: log.kind,
            format: log.format(),
            first_sequence: log.base.primary_sequence.get(),
            last_sequence: log.last_sequence(),
            entries,
            end,
        }
    }
}
