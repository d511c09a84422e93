//! The result of recovering and of checking a hive.

use diskmend_hive::Recovery;
use diskmend_hive::check::{Problem, Report, Severity};
use serde::Serialize;

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
