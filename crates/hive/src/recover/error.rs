//! The reasons why a log does not apply, and why a hive can't be recovered.

use crate::error::Corruption;
use crate::hive::OpenError;
use crate::offset::FileOffset;
use crate::recover::log_kind::LogKind;
use crate::time::Filetime;

/// The reason why one log was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogFault {
    /// There is no such file.
    #[error("missing")]
    Missing,
    /// The file is empty.
    #[error("empty")]
    Empty,
    /// Its base block, its dirty vector or its first entry is wrong. Offsets are relative to the
    /// log.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// Its entries are older than the content of the primary file.
    #[error("starts at sequence number {actual}, the hive expects {expected} or later")]
    Stale {
        /// Secondary sequence number of the primary file.
        expected: u32,
        /// Primary sequence number of the log.
        actual: u32,
    },
    /// It belongs to another write of the hive.
    #[error("last written timestamp is {actual:#x}, the hive's is {expected:#x}", actual = actual.0, expected = expected.0)]
    Timestamp {
        /// The primary file's timestamp.
        expected: Filetime,
        /// The log's timestamp.
        actual: Filetime,
    },
    /// The primary file has lost its timestamp, which shows the log of its last write.
    #[error(
        "the hive has lost its last written timestamp, so that no log can be shown to belong to it"
    )]
    NoTimestamp,
    /// Its first entry does not follow the last entry that was applied from the other log.
    #[error(
        "starts at sequence number {actual}, the other log's last entry is followed by {expected}"
    )]
    NotNext {
        /// The number after the last entry that was applied.
        expected: u32,
        /// Primary sequence number of the log.
        actual: u32,
    },
    /// Only another log may be used.
    #[error("{used} takes precedence")]
    Superseded {
        /// The other log.
        used: LogKind,
    },
}

/// The reasons why no log of a hive applies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedLogs {
    /// The fault of `.LOG`.
    pub log: LogFault,
    /// The fault of `.LOG1`.
    pub log1: LogFault,
    /// The fault of `.LOG2`.
    pub log2: LogFault,
}

impl std::fmt::Display for RefusedLogs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { log, log1, log2 } = self;
        write!(f, ".LOG: {log}; .LOG1: {log1}; .LOG2: {log2}")
    }
}

/// The reason why a dirty hive can't be recovered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// No log applies.
    #[error("no log applies; {0}")]
    NoLog(Box<RefusedLogs>),
    /// The file ends before the hive bins do, and the logs do not contain the rest.
    #[error("the file ends before the hive bins do and no log holds the page at offset {offset}")]
    MissingPage {
        /// The position of the first missing page in the primary file.
        offset: FileOffset,
    },
    /// The logs were replayed, but the result is not a hive.
    #[error("recovered hive")]
    Invalid(#[source] OpenError),
    /// There is not enough memory for the hive.
    #[error("memory for the recovered hive")]
    Memory(#[source] std::io::Error),
}

/// The reason why a log could not be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadLogError {
    /// The operating system reported an error.
    #[error("reading the {log} file")]
    Io {
        /// The log.
        log: LogKind,
        /// The error.
        source: std::io::Error,
    },
    /// The log is longer than its hive could have made it.
    #[error("the {log} file is {len} bytes long, the limit is {max}")]
    TooLong {
        /// The log.
        log: LogKind,
        /// Its length in bytes.
        len: u64,
        /// The maximum length in bytes.
        max: u64,
    },
}
