//! A hive as it was found.

use diskmend_hive::Recovery;
use diskmend_hive::check::{Problem, Report, Severity};
use serde::Serialize;

use crate::error::Refusal;
use crate::facts::ControlSets;
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveId;

/// A hive on the target.
#[derive(Clone, Debug)]
pub(crate) struct Examined {
    pub(crate) hive: HiveId,
    /// The root of its volume, if that is not the target.
    pub(crate) volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub(crate) path: String,
    /// Length of the file in bytes.
    pub(crate) length: u64,
    /// The minor version of its format.
    pub(crate) minor_version: u32,
    /// The reason why it counts as not closed cleanly; absent for a clean hive.
    pub(crate) dirty: Option<String>,
    /// The changes that its transaction logs hold and the file lacks; absent for a clean hive.
    pub(crate) recovery: Option<RecoverySummary>,
    /// The result of checking its structure; absent if no check was requested.
    pub(crate) check: Option<CheckSummary>,
    /// Its control sets; absent for other hives than `SYSTEM`.
    pub(crate) control_sets: Option<ControlSets>,
}

impl Examined {
    /// The reason why the hive may not be edited, if there is one.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let check = self.check.as_ref()?;
        (check.errors > 0).then(|| Refusal::HiveErrors {
            path: self.path.clone(),
            check: Box::new(check.clone()),
        })
    }
}

impl From<&HiveOnDisk> for Examined {
    /// The hive without a check.
    fn from(opened: &HiveOnDisk) -> Self {
        Self {
            hive: opened.hive_place.hive.clone(),
            volume: opened.hive_place.volume.clone(),
            path: opened.path().to_owned(),
            length: opened.fingerprint.content.length,
            minor_version: opened.hive.minor_version(),
            dirty: opened.dirty.map(|state| state.to_string()),
            recovery: opened.recovery.as_ref().map(RecoverySummary::from),
            check: None,
            control_sets: None,
        }
    }
}

impl From<&Recovery> for RecoverySummary {
    fn from(recovery: &Recovery) -> Self {
        let applied = recovery.applied.iter().map(|log| {
            format!(
                "{}, {} format, replayed: {} entries, sequence numbers {} to {}",
                log.log, log.format, log.entries, log.first_sequence, log.last_sequence
            )
        });
        let skipped = recovery
            .skipped
            .iter()
            .map(|log| format!("{} passed over: {}", log.log, log.fault));
        Self {
            logs: applied.chain(skipped).collect(),
            pages: recovery.pages,
        }
    }
}

/// The result of replaying the transaction logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecoverySummary {
    /// One sentence for each log that was used or ignored.
    pub logs: Vec<String>,
    /// The number of pages of 4096 bytes that differ from the file afterwards.
    pub pages: usize,
}

/// The result of checking a hive's structure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckSummary {
    /// The number of problems that keep Windows from loading the hive or could make an edit lose
    /// data.
    pub errors: usize,
    /// The number of problems that Windows tolerates.
    pub warnings: usize,
    /// The problems; at most a thousand.
    pub problems: Vec<ProblemEntry>,
    /// The number of further problems.
    pub omitted: usize,
}

/// One problem of a hive's structure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProblemEntry {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The stable code of its kind, such as `cell-leaked`.
    pub code: &'static str,
    /// A description of its kind.
    pub kind: String,
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// The key that it is about, if that is known.
    pub key: Option<String>,
    /// What the format demands.
    pub expected: String,
    /// What the hive holds there.
    pub actual: String,
}

impl From<&Report> for CheckSummary {
    fn from(report: &Report) -> Self {
        Self {
            errors: report.errors,
            warnings: report.warnings,
            problems: report.problems.iter().map(ProblemEntry::from).collect(),
            omitted: report.omitted,
        }
    }
}

impl From<&Problem> for ProblemEntry {
    fn from(problem: &Problem) -> Self {
        Self {
            severity: match problem.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code: problem.kind.code(),
            kind: problem.kind.to_string(),
            offset: problem.offset.0,
            key: problem.path.clone(),
            expected: problem.expected.clone().into_owned(),
            actual: problem.actual.clone().into_owned(),
        }
    }
}

impl std::fmt::Display for ProblemEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} at {:#x}", self.severity, self.kind, self.offset)?;
        if let Some(key) = &self.key {
            write!(f, " in {key}")?;
        }
        write!(f, ": expected {}, found {}", self.expected, self.actual)
    }
}
