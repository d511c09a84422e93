//! What can be wrong with a security descriptor's bytes.

use std::borrow::Cow;

/// A structure that does not hold what MS-DTYP demands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at offset {offset:#x}: expected {expected}, found {actual}")]
pub struct Corruption {
    /// The structure or field, in the specification's terms.
    pub what: &'static str,
    /// Where it lies, in bytes from the start of what was parsed.
    pub offset: usize,
    /// What the specification demands there.
    pub expected: Cow<'static, str>,
    /// What is there.
    pub actual: String,
}

impl Corruption {
    /// Describes a wrong structure at `offset`.
    pub(crate) fn new(
        what: &'static str,
        offset: usize,
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

    /// Describes a structure that reaches past the end of what holds it.
    pub(crate) fn too_short(what: &'static str, offset: usize, need: usize, have: usize) -> Self {
        Self::new(
            what,
            offset,
            format!("{need} bytes"),
            format!("{have} bytes up to the end of what holds it"),
        )
    }
}

/// A structure that is too large for the format's length field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} needs {need} bytes, the format holds at most {most}")]
pub struct TooLarge {
    /// The structure.
    pub what: &'static str,
    /// Its length in bytes.
    pub need: usize,
    /// The greatest length in bytes that its length field can say.
    pub most: usize,
}
