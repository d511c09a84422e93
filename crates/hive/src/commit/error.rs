//! The reasons why a commit can't be planned, or failed.

use crate::commit::files::HiveFileKind;
use crate::error::Corruption;

/// The reason why a commit can't be planned, or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The hive has no base block or no bins.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// There are no more sequence numbers; no hive reaches this in normal use.
    #[error("no sequence number follows {sequence}")]
    NoSequence {
        /// The current number of the hive.
        sequence: u32,
    },
    /// A file that the plan writes is missing.
    #[error("the {file} file is missing")]
    FileMissing {
        /// The file.
        file: HiveFileKind,
        /// True if the primary file is unchanged.
        primary_untouched: bool,
    },
    /// The operating system reported an error.
    #[error("{action} the {file} file")]
    Io {
        /// The file.
        file: HiveFileKind,
        /// The action that failed.
        action: &'static str,
        /// True if the primary file is unchanged. Otherwise the hive is at worst dirty, and its
        /// logs recover it.
        primary_untouched: bool,
        /// The error.
        source: std::io::Error,
    },
    /// The operating system reported an error on the folder.
    #[error("making the new log durable in its folder")]
    Folder {
        /// True if the primary file is unchanged.
        primary_untouched: bool,
        /// The error.
        source: std::io::Error,
    },
}

impl CommitError {
    /// True if the primary file is as it was before the commit. Otherwise it is at worst dirty, and
    /// its logs recover it to the old or the new state.
    #[cfg(test)]
    pub(crate) fn primary_untouched(&self) -> bool {
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
