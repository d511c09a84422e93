//! What a structure on a disk holds in place of what its format demands.

use std::borrow::Cow;

/// A structure that does not hold what its format demands.
///
/// `Offset` is the format's type for places, and decides how the offset is written.
///
/// ```
/// use diskmend_base::Corruption;
///
/// let corruption = Corruption::<u64>::new("$UpCase", 4096_u32, "131072 bytes", "12");
/// let message = "$UpCase at offset 4096: expected 131072 bytes, found 12";
/// assert_eq!(corruption.to_string(), message);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at offset {offset}: expected {expected}, found {found}")]
pub struct Corruption<Offset> {
    /// The structure or field, in the format's terms.
    pub what: &'static str,
    /// Where it lies, in bytes from the start of what was read.
    pub offset: Offset,
    /// What the format demands there.
    pub expected: Cow<'static, str>,
    /// What is there.
    pub found: String,
}

impl<Offset> Corruption<Offset> {
    /// Describes a wrong structure at `offset`.
    pub fn new(
        what: &'static str,
        offset: impl Into<Offset>,
        expected: impl Into<Cow<'static, str>>,
        found: impl Into<String>,
    ) -> Self {
        Self {
            what,
            offset: offset.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}
