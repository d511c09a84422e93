//! The result of a check, and the collection of problems, which is bounded.

use std::borrow::Cow;
use std::fmt;

use super::kind::{ProblemKind, Severity};
use crate::offset::{CellOffset, FileOffset};

/// The maximum number of problems that a report describes; further ones are counted.
pub(crate) const MAX_PROBLEMS: usize = 1000;

/// The maximum length of the expected and actual texts; of a longer text only the start is shown.
const MAX_TEXT_LEN: usize = 1024;

/// One problem of a hive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The place in the file.
    pub offset: FileOffset,
    /// The problem.
    pub kind: ProblemKind,
    /// The path of the key with the problem, `\` for the root; characters that are unsafe to print
    /// are escaped. `None` if no key is known.
    pub path: Option<String>,
    /// What the format requires.
    pub expected: Cow<'static, str>,
    /// What was found.
    pub actual: Cow<'static, str>,
}

impl Problem {
    /// The severity.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.kind.severity()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}", self.severity(), self.kind, self.offset)?;
        if let Some(path) = &self.path {
            write!(f, " in {path}")?;
        }
        write!(f, ": expected {}, found {}", self.expected, self.actual)
    }
}

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The problems, in the order of the file; at most 1000. If there are more, errors
    /// are preferred.
    pub problems: Vec<Problem>,
    /// The number of problems found beyond those in `problems`.
    pub omitted: usize,
    /// The number of errors, described or not.
    pub errors: usize,
    /// The number of warnings, described or not.
    pub warnings: usize,
    /// The content of the hive.
    pub content: Content,
}

impl Report {
    /// Whether Windows can be expected to load the hive, and edits to be safe.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.errors == 0
    }
}

/// The content of a hive, as far as the check could reach it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Hive bins.
    pub bins: usize,
    /// Cells, allocated and free.
    pub cells: usize,
    /// Keys reached from the root, the root among them.
    pub keys: usize,
    /// Values of these keys.
    pub values: usize,
    /// Security cells on the ring.
    pub security_cells: usize,
    /// Bytes in free cells.
    pub free_bytes: usize,
}

/// A problem before its key's path is known.
pub(super) struct Found {
    pub(super) kind: ProblemKind,
    pub(super) offset: FileOffset,
    pub(super) key: Option<CellOffset>,
    pub(super) expected: Cow<'static, str>,
    pub(super) actual: Cow<'static, str>,
}

/// Shortens a text: a name in it may be as long as a cell.
fn shortened(mut text: Cow<'static, str>) -> Cow<'static, str> {
    if text.len() > MAX_TEXT_LEN {
        let mut short: String = text.chars().take(MAX_TEXT_LEN).collect();
        short.push_str("...");
        text = Cow::Owned(short);
    }
    text
}

/// Collects problems of each severity, as many as a report can contain.
#[derive(Default)]
pub(super) struct Collector {
    errors: Vec<Found>,
    warnings: Vec<Found>,
    error_count: usize,
    warning_count: usize,
}

impl Collector {
    /// Adds a problem; `texts` returns the expected and the actual text, and is not called if there
    /// are enough problems.
    #[cold]
    pub(super) fn add<E, A>(
        &mut self,
        kind: ProblemKind,
        offset: FileOffset,
        key: Option<CellOffset>,
        texts: impl FnOnce() -> (E, A),
    ) where
        E: Into<Cow<'static, str>>,
        A: Into<Cow<'static, str>>,
    {
        let (list, count) = match kind.severity() {
            Severity::Error => (&mut self.errors, &mut self.error_count),
            Severity::Warning => (&mut self.warnings, &mut self.warning_count),
        };
        *count += 1;
        if list.len() < MAX_PROBLEMS {
            let (expected, actual) = texts();
            list.push(Found {
                kind,
                offset,
                key,
                expected: shortened(expected.into()),
                actual: shortened(actual.into()),
            });
        }
    }

    /// Adds the problems of another collector.
    pub(super) fn merge(&mut self, other: Self) {
        for (ours, theirs) in [
            (&mut self.errors, other.errors),
            (&mut self.warnings, other.warnings),
        ] {
            let room = MAX_PROBLEMS.saturating_sub(ours.len());
            ours.extend(theirs.into_iter().take(room));
        }
        self.error_count += other.error_count;
        self.warning_count += other.warning_count;
    }

    /// True if problems were left out; which ones depends on the order in which they were found.
    pub(super) fn overflowed(&self) -> bool {
        self.error_count > MAX_PROBLEMS || self.warning_count > MAX_PROBLEMS
    }

    /// True if there is an error of this kind among those that are described.
    pub(super) fn contains(&self, kind: ProblemKind) -> bool {
        self.errors.iter().any(|found| found.kind == kind)
    }

    /// The report; `path` gives the path of a key.
    pub(super) fn report(
        self,
        content: Content,
        path: impl Fn(CellOffset) -> Option<String>,
    ) -> Report {
        let mut problems: Vec<Problem> = self
            .errors
            .into_iter()
            .chain(self.warnings)
            .take(MAX_PROBLEMS)
            .map(|found| Problem {
                offset: found.offset,
                kind: found.kind,
                path: found.key.and_then(&path),
                expected: found.expected,
                actual: found.actual,
            })
            .collect();
        problems.sort();
        Report {
            omitted: (self.error_count + self.warning_count).saturating_sub(problems.len()),
            problems,
            errors: self.error_count,
            warnings: self.warning_count,
            content,
        }
    }
}
