//! An error that says how a structure on a disk violates its format.

use std::borrow::Cow;

/// A structure that violates its format.
///
/// `Offset` is the format's type for positions, and determines how the offset is printed.
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
    /// The name of the structure or field in the format.
    pub what: &'static str,
    /// The offset of the structure, in bytes from the start of the data that were read.
    pub offset: Offset,
    /// The content that the format requires.
    pub expected: Cow<'static, str>,
    /// The content that was found.
    pub found: String,
}

impl<Offset> Corruption<Offset> {
    /// Describes a corrupt structure at `offset`.
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
