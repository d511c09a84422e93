//! Names of keys and values, as stored in hives and as created by the program.
//!
//! A stored name is either compressed, with one byte per UTF-16 code unit below 0x100, or UTF-16LE
//! (regf spec, Key node, Key value). The encoding does not matter: order, hash and equality depend
//! on the code units.
//!
//! As text, a name is written in the escaped form of [`diskmend_base::escape`], which can express
//! every name: `a<U+0000>b`, `k<U+DC00>`. All text that this crate accepts as a name, and every
//! name in a path, is in that form.

mod buf;
mod units;

use std::cmp::Ordering;
use std::fmt;

use diskmend_base::escape::EscapedUnits;
use diskmend_base::upcase::{
    CaseTable, changed_since_nt5, fold, matters_since_nt5, upcase, upcase_latin1,
};

pub use buf::{NameBuf, same_name};
pub use units::Units;

/// The longest key name, in UTF-16 code units.
pub(crate) const MAX_KEY_NAME: usize = 255;
/// The longest value name, in UTF-16 code units.
pub(crate) const MAX_VALUE_NAME: usize = 16_383;

/// The multiplier of the `lh` hash (regf spec, Hash leaf).
const HASH_FACTOR: u32 = 37;

/// A name that the format does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// A stored UTF-16LE name ends in half a code unit.
    #[error("name of {bytes} bytes in UTF-16: expected an even number")]
    OddLength {
        /// Stored length in bytes.
        bytes: usize,
    },
    /// A key name is empty.
    #[error("empty key name: expected 1 to {MAX_KEY_NAME} UTF-16 units")]
    Empty,
    /// A name is too long.
    #[error("name of {units} UTF-16 units: expected at most {limit}")]
    TooLong {
        /// Length in UTF-16 code units.
        units: usize,
        /// The maximum length, in UTF-16 code units.
        limit: usize,
    },
    /// A key name contains the path separator.
    #[error("key name with a backslash at unit {index}")]
    Backslash {
        /// Place in UTF-16 code units.
        index: usize,
    },
    /// A name given as text contains an unescaped U+0000, which no caller of the Windows API could
    /// open. Write `<U+0000>` if you mean it.
    #[error("name with U+0000 at unit {index}")]
    Nul {
        /// Place in UTF-16 code units.
        index: usize,
    },
}

/// A name as stored in a hive.
#[derive(Clone, Copy)]
pub struct Name<'a>(Stored<'a>);

#[derive(Clone, Copy)]
enum Stored<'a> {
    Compressed(&'a [u8]),
    Utf16(&'a [[u8; 2]]),
}

impl<'a> Name<'a> {
    /// Views the stored bytes of a name; `compressed` is the flag of its cell (`KEY_COMP_NAME`,
    /// `VALUE_COMP_NAME`).
    ///
    /// Accepts any name that a hive can contain, including U+0000.
    ///
    /// # Errors
    /// [`NameError::OddLength`] if a UTF-16LE name ends in half a code unit.
    pub fn stored(bytes: &'a [u8], compressed: bool) -> Result<Self, NameError> {
        if compressed {
            return Ok(Self(Stored::Compressed(bytes)));
        }
        match bytes.as_chunks() {
            (units, []) => Ok(Self(Stored::Utf16(units))),
            _ => Err(NameError::OddLength { bytes: bytes.len() }),
        }
    }

    /// The bytes as stored.
    #[must_use]
    pub(crate) fn bytes(self) -> &'a [u8] {
        match self.0 {
            Stored::Compressed(bytes) => bytes,
            Stored::Utf16(units) => units.as_flattened(),
        }
    }

    /// True if each byte is a whole code unit.
    #[must_use]
    pub(crate) fn is_compressed(self) -> bool {
        matches!(self.0, Stored::Compressed(_))
    }

    /// Length in UTF-16 code units.
    #[must_use]
    pub fn len(self) -> usize {
        match self.0 {
            Stored::Compressed(bytes) => bytes.len(),
            Stored::Utf16(units) => units.len(),
        }
    }

    /// True if the name is empty, like the name of the default value.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The length in bytes in UTF-16, the unit of a key's longest subkey name and value name.
    #[must_use]
    pub fn utf16_len(self) -> usize {
        self.len().saturating_mul(2)
    }

    /// The UTF-16 code units.
    #[must_use]
    pub fn units(self) -> Units<'a> {
        match self.0 {
            Stored::Compressed(bytes) => Units::compressed(bytes),
            Stored::Utf16(units) => Units::utf16(units),
        }
    }

    /// The order of subkeys: ascending by upper-cased UTF-16 code units; if one name begins with
    /// the other, the shorter is first.
    #[must_use]
    pub fn cmp_ignore_case(self, other: Name<'_>) -> Ordering {
        match (self.0, other.0) {
            (Stored::Compressed(ours), Stored::Compressed(theirs)) => cmp_compressed(ours, theirs),
            _ => self.units().map(upcase).cmp(other.units().map(upcase)),
        }
    }

    /// The order of subkeys by one of the tables. [`Name::cmp_ignore_case`] uses that of Windows
    /// NT 5.
    #[must_use]
    pub(crate) fn cmp_by(self, other: Name<'_>, table: CaseTable) -> Ordering {
        match (self.0, other.0) {
            (Stored::Compressed(ours), Stored::Compressed(theirs)) => cmp_compressed(ours, theirs),
            _ => {
                let ours = self.units().map(|unit| table.upcase(unit));
                ours.cmp(other.units().map(|unit| table.upcase(unit)))
            }
        }
    }

    /// True if the name is before the other in a list of subkeys, by the table of any Windows.
    #[must_use]
    pub fn sorts_before(self, other: Name<'_>) -> bool {
        let tables = [CaseTable::Nt5, CaseTable::Later];
        let before = |table: CaseTable| self.cmp_by(other, table).is_lt();
        tables.into_iter().any(before)
    }

    /// Its units in upper case. They are equal for names that any version of Windows takes for
    /// equal.
    #[must_use]
    pub fn folded(self) -> Vec<u16> {
        self.units().map(fold).collect()
    }

    /// True if both names mean one key or value by at least one of the tables.
    #[must_use]
    pub fn is_same(self, other: Name<'_>) -> bool {
        self.len() == other.len() && self.units().map(fold).eq(other.units().map(fold))
    }

    /// True if both names mean one key or value.
    #[must_use]
    pub(crate) fn eq_ignore_case(self, other: Name<'_>) -> bool {
        self.len() == other.len() && self.cmp_ignore_case(other) == Ordering::Equal
    }

    /// The hash of a subkey's name in an `lh` list (regf spec, Hash leaf).
    #[must_use]
    pub(crate) fn hash(self) -> u32 {
        match self.0 {
            Stored::Compressed(bytes) => bytes
                .iter()
                .fold(0, |hash, byte| add_to_hash(hash, upcase_latin1(*byte))),
            Stored::Utf16(units) => units.iter().fold(0, |hash, unit| {
                add_to_hash(hash, upcase(u16::from_le_bytes(*unit)))
            }),
        }
    }

    /// The hash by one of the tables; [`Name::hash`] is that of Windows NT 5.
    #[must_use]
    pub(crate) fn hash_by(self, table: CaseTable) -> u32 {
        match self.0 {
            Stored::Compressed(_) => self.hash(),
            Stored::Utf16(units) => units.iter().fold(0, |hash, unit| {
                add_to_hash(hash, table.upcase(u16::from_le_bytes(*unit)))
            }),
        }
    }

    /// The hint for a subkey's name in an `lf` list: the name's first four characters, padded with
    /// zeros (regf spec, Fast leaf). If any of them is above U+00FF, the whole hint is zero:
    /// Windows compares a hint that is not zero with the name, and rejects a list if they differ.
    #[must_use]
    pub(crate) fn lf_hint(self) -> [u8; 4] {
        let mut hint = [0; 4];
        for (byte, unit) in hint.iter_mut().zip(self.units()) {
            let Ok(latin1) = u8::try_from(unit) else {
                return [0; 4];
            };
            *byte = latin1;
        }
        hint
    }

    /// True if the name contains letters that Windows 8 and later upper-case in another way than
    /// Windows NT 5, so that order and hash of the name depend on the Windows that wrote them.
    #[must_use]
    pub(crate) fn case_depends_on_windows(self) -> bool {
        match self.0 {
            Stored::Compressed(_) => false,
            Stored::Utf16(units) => units
                .iter()
                .any(|unit| changed_since_nt5(u16::from_le_bytes(*unit))),
        }
    }

    /// True if the name's place in a list may depend on the Windows that wrote the list.
    #[must_use]
    pub(crate) fn order_depends_on_windows(self) -> bool {
        match self.0 {
            Stored::Compressed(_) => false,
            Stored::Utf16(units) => units
                .iter()
                .any(|unit| matters_since_nt5(u16::from_le_bytes(*unit))),
        }
    }

    /// The name in the escaped form, from which [`NameBuf::new`] creates an equal name.
    #[must_use]
    pub fn escaped(self) -> EscapedUnits<Units<'a>> {
        EscapedUnits::new(self.units())
    }

    /// The name as part of a path: in the escaped form, with backslashes escaped too. A sound key
    /// has no backslash in its name.
    #[must_use]
    pub fn in_path(self) -> EscapedUnits<Units<'a>> {
        self.escaped().and('\\')
    }

    /// Copies the name.
    #[must_use]
    pub fn to_buf(self) -> NameBuf {
        NameBuf::from_name(self)
    }

    /// Checks the registry's rules for a key's name: 1 to 255 UTF-16 units and no backslash.
    ///
    /// # Errors
    /// The rule that the name violates.
    pub fn check_key(self) -> Result<(), NameError> {
        if self.is_empty() {
            return Err(NameError::Empty);
        }
        self.check_len(MAX_KEY_NAME)?;
        match self.units().position(|unit| unit == u16::from(b'\\')) {
            Some(index) => Err(NameError::Backslash { index }),
            None => Ok(()),
        }
    }

    /// Checks what the registry demands of a value's name: at most 16,383 UTF-16 units.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub fn check_value(self) -> Result<(), NameError> {
        self.check_len(MAX_VALUE_NAME)
    }

    fn check_len(self, limit: usize) -> Result<(), NameError> {
        match self.len() {
            units if units > limit => Err(NameError::TooLong { units, limit }),
            _ => Ok(()),
        }
    }
}

fn add_to_hash(hash: u32, upper: u16) -> u32 {
    hash.wrapping_mul(HASH_FACTOR)
        .wrapping_add(u32::from(upper))
}

fn cmp_compressed(ours: &[u8], theirs: &[u8]) -> Ordering {
    for (&our, &their) in ours.iter().zip(theirs) {
        if our != their {
            let order = upcase_latin1(our).cmp(&upcase_latin1(their));
            if order != Ordering::Equal {
                return order;
            }
        }
    }
    ours.len().cmp(&theirs.len())
}

impl PartialEq for Name<'_> {
    /// True if the code units are equal, including case, in whichever encoding they are stored.
    fn eq(&self, other: &Self) -> bool {
        self.units().eq(other.units())
    }
}

impl Eq for Name<'_> {}

/// Shows the name as [`Name::escaped`] does.
impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.escaped().fmt(f)
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escaped())
    }
}

#[cfg(test)]
mod tests;
