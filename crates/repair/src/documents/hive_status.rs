//! How a hive was found.

use diskmend_hive::check::{Problem, Report, Severity};
use serde::Serialize;

use crate::facts::ControlSets;
use crate::run::on_volume;

/// A hive as it lies on the target.
#[derive(Clone, Debug, Serialize)]
pub struct HiveStatus {
    /// Its name, such as `SYSTEM`.
    pub hive: String,
    /// The root of its volume, where that is not the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub path: String,
    /// Length of the file in bytes.
    pub length: u64,
    /// Version of its format, such as `1.5`.
    pub version: String,
    /// Why it counts as not closed cleanly; absent for a clean hive.
    pub dirty: Option<String>,
    /// What its transaction logs hold that the file lacks; absent for a clean hive.
    pub recovery: Option<RecoverySummary>,
    /// What the check of its structure found; absent where none was asked for.
    pub check: Option<CheckSummary>,
    /// Its control sets; absent for other hives than `SYSTEM`.
    pub control_sets: Option<ControlSets>,
}

impl HiveStatus {
    /// Its path for a person: whole where its volume is not the target.
    #[must_use]
    pub fn shown_path(&self) -> String {
        on_volume(self.volume.as_deref(), &self.path)
    }
}

/// What replaying the transaction logs amounts to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecoverySummary {
    /// One sentence for each log that was used or passed over.
    pub logs: Vec<String>,
    /// Pages of 4096 bytes that differ from the file afterwards.
    pub pages: usize,
}

/// What a check of a hive's structure found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckSummary {
    /// Problems with which Windows would not load the hive, or an edit could lose data.
    pub errors: usize,
    /// Problems that Windows lives with.
    pub warnings: usize,
    /// The problems; at most a thousand.
    pub problems: Vec<ProblemEntry>,
    /// Problems beyond those.
    pub omitted: usize,
}

/// One problem of a hive's structure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProblemEntry {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The stable code of its kind, such as `cell-leaked`.
    pub code: &'static str,
    /// Its kind in words.
    pub kind: String,
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// The key it concerns, where known.
    pub key: Option<String>,
    /// What the format demands.
    pub expected: String,
    /// What is there.
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
