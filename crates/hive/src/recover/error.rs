//! Why a log does not apply, and why a hive can't be recovered.

use crate::error::Corruption;
use crate::hive::OpenError;
use crate::offset::FileOffset;
use crate::recover::log_kind::LogKind;
use crate::time::Filetime;

/// Why one log was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogFault {
    /// There is no such file.
    #[error("missing")]
    Missing,
    /// The file has no bytes.
    #[error("empty")]
    Empty,
    /// Its base block, its dirty vector or its first entry is wrong. Offsets are those in the log.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// Its entries are older than what the primary file already holds.
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
    /// Its first entry does not follow the last one that was applied from the other log.
    #[error(
        "starts at sequence number {actual}, the other log's last entry is followed by {expected}"
    )]
    NotNext {
        /// The number after the last entry that was applied.
        expected: u32,
        /// Primary sequence number of the log.
        actual: u32,
    },
    /// Another log alone was to be used.
    #[error("{used} takes precedence")]
    Superseded {
        /// That log.
        used: LogKind,
    },
}

/// Why no log of a hive applies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedLogs {
    /// Why `.LOG` does not.
    pub log: LogFault,
    /// Why `.LOG1` does not.
    pub log1: LogFault,
    /// Why `.LOG2` does not.
    pub log2: LogFault,
}

impl std::fmt::Display for RefusedLogs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { log, log1, log2 } = self;
        write!(f, ".LOG: {log}; .LOG1: {log1}; .LOG2: {log2}")
    }
}

/// Why a dirty hive can't be recovered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// No log applies.
    #[error("no log applies; {0}")]
    NoLog(Box<RefusedLogs>),
    /// The file ends before the hive bins do and the logs do not hold the rest.
    #[error("the file ends before the hive bins do and no log holds the page at offset {offset}")]
    MissingPage {
        /// Where the first missing page would be in the primary file.
        offset: FileOffset,
    },
    /// The logs were replayed, but what they made is not a hive.
    #[error("recovered hive")]
    Invalid(#[source] OpenError),
    /// There is no memory for the hive.
    #[error("memory for the recovered hive")]
    Memory(#[source] std::io::Error),
}

/// Why a log could not be read at all.
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
    /// No hive has so long a log.
    #[error("the {log} file is {len} bytes long, at most {max} are read")]
    TooLong {
        /// The log.
        log: LogKind,
        /// Its length in bytes.
        len: u64,
        /// The maximum number of bytes that are read.
        max: u64,
    },
}
