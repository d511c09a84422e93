//! Errors in a security descriptor's bytes.

use std::fmt;

/// A structure that isn't as MS-DTYP demands.
pub type Corruption = diskmend_base::Corruption<ByteOffset>;

/// An offset in bytes from the start of the parsed bytes, written in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteOffset(pub usize);

impl From<usize> for ByteOffset {
    fn from(offset: usize) -> Self {
        Self(offset)
    }
}

impl fmt::Display for ByteOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// A structure that is too large for the format's length field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} needs {need} bytes, the format holds at most {most}")]
pub struct TooLarge {
    /// The structure's name.
    pub what: &'static str,
    /// The structure's length in bytes.
    pub need: usize,
    /// The greatest length in bytes that the length field can say.
    pub most: usize,
}
