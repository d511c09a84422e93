//! What can be wrong with a hive, with the place, what was expected and what was found.

use std::borrow::Cow;

use crate::offset::{CellOffset, FileOffset};

/// A structure of the hive that does not hold what the format demands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at offset {offset}: expected {expected}, found {actual}")]
pub struct Corruption {
    /// The structure or field, in the format's terms.
    pub what: &'static str,
    /// Where it lies in the file.
    pub offset: FileOffset,
    /// What the format demands there.
    pub expected: Cow<'static, str>,
    /// What is there.
    pub actual: String,
}

impl Corruption {
    /// Describes a wrong structure at `offset`.
    pub fn new(
        what: &'static str,
        offset: FileOffset,
        expected: impl Into<Cow<'static, str>>,
        actual: impl Into<String>,
    ) -> Self {
        Self {
            what,
            offset,
            expected: expected.into(),
            actual: actual.into(),
        }
    }

    /// Describes a wrong structure in the cell at `cell`.
    pub fn in_cell(
        what: &'static str,
        cell: CellOffset,
        expected: impl Into<Cow<'static, str>>,
        actual: impl Into<String>,
    ) -> Self {
        Self::new(what, cell.in_file(), expected, actual)
    }
}
