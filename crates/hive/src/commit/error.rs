//! Why a commit can't be planned, or failed.

use crate::commit::files::HiveFileKind;
use crate::error::Corruption;

/// Why a commit can't be planned, or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The hive has no base block or no bins.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// The numbers that order writes are used up; no hive gets there in honest use.
    #[error("no sequence number follows {sequence}")]
    NoSequence {
        /// The hive's number.
        sequence: u32,
    },
    /// A file that the plan writes is not there any more.
    #[error("the {file} file is missing")]
    FileMissing {
        /// The file.
        file: HiveFileKind,
        /// True if the primary file is still as it was.
        primary_untouched: bool,
    },
    /// The operating system reported an error.
    #[error("{action} the {file} file")]
    Io {
        /// The file.
        file: HiveFileKind,
        /// What was being done.
        action: &'static str,
        /// True if the primary file is still as it was. Otherwise the hive is dirty at worst, and
        /// its logs recover it.
        primary_untouched: bool,
        /// The error.
        source: std::io::Error,
    },
    /// The operating system reported an error on the folder.
    #[error("making the new log durable in its folder")]
    Folder {
        /// True if the primary file is still as it was.
        primary_untouched: bool,
        /// The error.
        source: std::io::Error,
    },
}

impl CommitError {
    /// True if the primary file is still as it was before the commit. Otherwise it is dirty at
    /// worst, and its logs recover it to the old or the new state.
    #[must_use]
    pub fn primary_untouched(&self) -> bool {
        match self {
            Self::Corrupt(_) | Self::NoSequence { .. } => true,
            Self::FileMissing {
                primary_untouched, ..
            }
            | Self::Io {
                primary_untouched, ..
            }
            | Self::Folder {
                primary_untouched, ..
            } => *primary_untouched,
        }
    }
}
