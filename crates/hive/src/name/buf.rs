//! Names created by the program.

use std::fmt;

use diskmend_base::escape::unescape;

use super::{Name, NameError};

/// An owned name in the encoding in which Windows stores it: compressed if every code unit is below
/// 0x100.
///
/// An empty name is not compressed, as in the cell of a default value.
#[derive(Clone)]
pub struct NameBuf {
    bytes: Vec<u8>,
    compressed: bool,
}

impl NameBuf {
    /// The name that [`Name::escaped`] shows as `text`; any text is accepted.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::from_units(&unescape(text))
    }

    /// A name with any content, including unpaired surrogates and U+0000.
    ///
    /// [`Name::check_key`] and [`Name::check_value`] check whether a hive may contain it.
    #[must_use]
    pub fn from_units(units: &[u16]) -> Self {
        Self::collect(units.iter().copied())
    }

    /// A name for a new key: 1 to 255 units, no backslash, no unescaped U+0000.
    ///
    /// # Errors
    /// The rule that the name violates.
    pub(crate) fn key_name(text: &str) -> Result<Self, NameError> {
        let name = Self::new(text);
        name.as_name().check_key()?;
        check_nul(text)?;
        Ok(name)
    }

    /// A name for a new value: at most 16383 units, no unescaped U+0000; empty for the default
    /// value.
    ///
    /// # Errors
    /// The rule that the name violates.
    pub fn value_name(text: &str) -> Result<Self, NameError> {
        let name = Self::new(text);
        name.as_name().check_value()?;
        check_nul(text)?;
        Ok(name)
    }

    /// The name as a hive stores it.
    #[must_use]
    pub fn as_name(&self) -> Name<'_> {
        if self.compressed {
            Name(super::Stored::Compressed(&self.bytes))
        } else {
            // Bytes that are not compressed are always pushed in pairs.
            Name(super::Stored::Utf16(self.bytes.as_chunks().0))
        }
    }

    pub(super) fn from_name(name: Name<'_>) -> Self {
        Self::collect(name.units())
    }

    fn collect(units: impl Iterator<Item = u16> + Clone) -> Self {
        let compressed: Result<Vec<u8>, _> = units.clone().map(u8::try_from).collect();
        match compressed {
            Ok(bytes) if !bytes.is_empty() => Self {
                bytes,
                compressed: true,
            },
            _ => Self {
                bytes: units.flat_map(u16::to_le_bytes).collect(),
                compressed: false,
            },
        }
    }
}

/// True if two names or paths, in the form of [`diskmend_base::escape`], are equal except for case.
#[must_use]
pub fn same_name(one: &str, other: &str) -> bool {
    one == other
        || NameBuf::new(one)
            .as_name()
            .eq_ignore_case(NameBuf::new(other).as_name())
}

/// Refuses an unescaped U+0000, which no Windows API accepts in a name.
fn check_nul(text: &str) -> Result<(), NameError> {
    match text.encode_utf16().position(|unit| unit == 0) {
        Some(index) => Err(NameError::Nul { index }),
        None => Ok(()),
    }
}

impl PartialEq for NameBuf {
    /// True if the code units are equal, including case.
    fn eq(&self, other: &Self) -> bool {
        self.as_name() == other.as_name()
    }
}

impl Eq for NameBuf {}

impl fmt::Display for NameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_name().fmt(f)
    }
}

impl fmt::Debug for NameBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_name(), f)
    }
}
