//! A commit as data: what is written to which file, and when it must be durable.

use std::borrow::Cow;
use std::fmt;

use crate::commit::files::HiveFileKind;
use crate::recover::{LogFormat, LogKind};
use crate::time::Filetime;

/// One step of a commit. Steps are executed in order; between two syncs of a file its writes may
/// reach the disk in any order, or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'a> {
    /// Makes an empty file.
    Create {
        /// The file.
        file: HiveFileKind,
    },
    /// Sets a file's length.
    SetLen {
        /// The file.
        file: HiveFileKind,
        /// The length in bytes.
        len: u64,
    },
    /// Writes bytes, growing the file if needed.
    Write {
        /// The file.
        file: HiveFileKind,
        /// Offset in bytes from the start of the file.
        offset: u64,
        /// The bytes.
        data: Cow<'a, [u8]>,
    },
    /// Waits until everything that was written to a file is durable.
    Sync {
        /// The file.
        file: HiveFileKind,
    },
    /// Waits until created files are durable in their folder.
    SyncFolder,
}

/// The reason why a commit writes a log in a certain format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatReason {
    /// The caller asked for it.
    Forced,
    /// A log of the hive has this format.
    ExistingLog(LogKind),
    /// Only `.LOG` exists, as up to Windows Server 2003.
    SingleLog,
    /// No log decides; hives of this minor version are read by systems that know only the old
    /// format, or belong to newer ones.
    MinorVersion(u32),
}

impl fmt::Display for FormatReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forced => f.write_str("asked for"),
            Self::ExistingLog(log) => write!(f, "{log} has this format"),
            Self::SingleLog => f.write_str("the hive has a single log"),
            Self::MinorVersion(minor) => {
                write!(f, "no log tells, the hive's minor version is {minor}")
            }
        }
    }
}

/// The log that a commit writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogChoice {
    /// The file.
    pub log: LogKind,
    /// True if the commit creates it.
    pub created: bool,
    /// The format.
    pub format: LogFormat,
    /// The reason for the format.
    pub reason: FormatReason,
}

/// All steps that write a hive's state in memory to disk. The plan borrows the hive, so the hive
/// can't change before the plan is executed.
#[derive(Debug, Clone)]
pub struct CommitPlan<'a> {
    pub(crate) steps: Vec<Step<'a>>,
    pub(crate) lens: Vec<(HiveFileKind, u64)>,
    pub(crate) sequence: u32,
    pub(crate) last_written: Filetime,
    pub(crate) log: Option<LogChoice>,
    pub(crate) recovers: bool,
}

/// The changes of a commit to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileChange {
    /// True if the file is created.
    pub created: bool,
    /// Its length in bytes before.
    pub len_before: u64,
    /// Its length in bytes afterwards.
    pub len_after: u64,
    /// The ranges that are overwritten or cut off, as offset and length in bytes: in ascending
    /// order, neither adjacent nor overlapping. Bytes after `len_before` are new.
    pub extents: Vec<(u64, u64)>,
}

impl<'a> CommitPlan<'a> {
    /// The steps in order.
    #[must_use]
    pub fn steps(&self) -> &[Step<'a>] {
        &self.steps
    }

    /// The number of bytes that will be written to all files.
    #[must_use]
    pub fn bytes_to_write(&self) -> u64 {
        let written = self.steps.iter().map(|step| match step {
            Step::Write { data, .. } => data.len() as u64,
            _ => 0,
        });
        written.sum()
    }

    /// The value of both sequence numbers of the primary file afterwards.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// The timestamp that the base block and the first hive bin get.
    #[must_use]
    pub fn last_written(&self) -> Filetime {
        self.last_written
    }

    /// The log that protects the edit; `None` if the plan writes no edit.
    #[must_use]
    pub fn log(&self) -> Option<LogChoice> {
        self.log
    }

    /// True if the plan first writes the state that was recovered from the logs, or that the caller
    /// declared clean.
    #[must_use]
    pub fn recovers(&self) -> bool {
        self.recovers
    }

    /// The change to a file; `None` if there is none.
    #[must_use]
    pub fn change(&self, kind: HiveFileKind) -> Option<FileChange> {
        let before = self.lens.iter().find(|(file, _)| *file == kind);
        // A file that does not exist has no bytes.
        let len_before = before.map_or(0, |(_, len)| *len);
        let mut len_after = len_before;
        let mut extents = Vec::new();
        let mut created = false;
        let mut changed = false;
        for step in &self.steps {
            match step {
                Step::Create { file } if *file == kind => {
                    (created, changed) = (true, true);
                }
                Step::SetLen { file, len } if *file == kind => {
                    changed = true;
                    if *len < len_after {
                        extents.push((*len, len_after));
                    }
                    len_after = *len;
                }
                Step::Write { file, offset, data } if *file == kind => {
                    changed = true;
                    let end = offset.saturating_add(data.len() as u64);
                    extents.push((*offset, end));
                    len_after = len_after.max(end);
                }
                _ => {}
            }
        }
        changed.then(|| FileChange {
            created,
            len_before,
            len_after,
            extents: merged(extents),
        })
    }
}

/// Turns ranges into ascending offsets and lengths without overlap.
fn merged(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (start, end) in ranges {
        match merged.last_mut() {
            Some((_, last)) if start <= *last => *last = end.max(*last),
            _ => merged.push((start, end)),
        }
    }
    for (start, end) in &mut merged {
        *end -= *start;
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_merged_where_they_touch() {
        let ranges = vec![(10, 20), (0, 5), (20, 25), (12, 14), (30, 31)];
        assert_eq!(merged(ranges), [(0, 5), (10, 15), (30, 1)]);
    }
}
