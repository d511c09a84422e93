//! Names made by the program.

use std::fmt;

use diskmend_base::escape::unescape;

use super::{Name, NameError};

/// An owned name in the form in which Windows stores it: compressed where every code unit is
/// below 0x100.
///
/// An empty name is not compressed, as in the cell of a default value.
#[derive(Clone)]
pub struct NameBuf {
    bytes: Vec<u8>,
    compressed: bool,
}

impl NameBuf {
    /// The name that [`Name::escaped`] shows as `text`; any text will do.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::from_units(&unescape(text))
    }

    /// A name of any content, unpaired surrogates and U+0000 included.
    ///
    /// [`Name::check_key`] and [`Name::check_value`] tell whether a hive may hold it.
    #[must_use]
    pub fn from_units(units: &[u16]) -> Self {
        Self::collect(units.iter().copied())
    }

    /// A name for a new key: 1 to 255 units, no backslash, no plain U+0000.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub fn key_name(text: &str) -> Result<Self, NameError> {
        let name = Self::new(text);
        name.as_name().check_key()?;
        check_nul(text)?;
        Ok(name)
    }

    /// A name for a new value: at most 16383 units, no plain U+0000; empty for the default value.
    ///
    /// # Errors
    /// What is wrong with the name.
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
            // Bytes that are not compressed were pushed in pairs.
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

/// True if two names, or two paths, that are given in the form of [`diskmend_base::escape`] are the
/// same except for case.
#[must_use]
pub fn same_name(one: &str, other: &str) -> bool {
    one == other
        || NameBuf::new(one)
            .as_name()
            .eq_ignore_case(NameBuf::new(other).as_name())
}

/// Refuses what no Windows API takes for part of a name, unless it is said in so many words.
fn check_nul(text: &str) -> Result<(), NameError> {
    match text.encode_utf16().position(|unit| unit == 0) {
        Some(index) => Err(NameError::Nul { index }),
        None => Ok(()),
    }
}

impl PartialEq for NameBuf {
    /// True if the code units are equal, case and all.
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
