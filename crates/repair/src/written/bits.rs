//! Single bits of a number in the registry.

use std::fmt;

use diskmend_hive::ValueType;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::numbers::number;
use super::{Written, Wrong, wrong};
use crate::value_data::ValueData;

/// Bits that a number should have, and bits that it shouldn't. The others don't matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bits {
    /// The bits that are set.
    pub set: u64,
    /// The bits that are clear.
    pub clear: u64,
}

/// Bits of which one at least must be set, or clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnyBits {
    /// One of these is set.
    pub set: u64,
    /// Or one of these is clear.
    pub clear: u64,
}

/// The bits of a row: `{ set = 0x1, clear = 0x2 }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BitsFile {
    set: Option<Spanned<Written>>,
    clear: Option<Spanned<Written>>,
}

/// The bits of a fault or of evidence: `{ any_set = 0x1, any_clear = 0x2 }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnyBitsFile {
    any_set: Option<Spanned<Written>>,
    any_clear: Option<Spanned<Written>>,
}

impl Bits {
    /// The number with these bits as they should be.
    #[must_use]
    pub const fn of(self, number: u64) -> u64 {
        (number | self.set) & !self.clear
    }

    /// The data with these bits as they should be; `None` if they aren't a number with such bits.
    #[must_use]
    pub fn in_data(self, data: &ValueData) -> Option<ValueData> {
        data.with_number(self.of(data.number()?))
    }

    /// True if no bit should be set for one and clear for the other.
    pub(crate) const fn agree(self, other: Self) -> bool {
        self.set & other.clear == 0 && self.clear & other.set == 0
    }
}

impl AnyBits {
    /// True if one of the bits is as it says.
    #[must_use]
    pub fn hold(self, data: &ValueData) -> bool {
        // A number that is too short for a bit has neither this bit set nor this bit clear.
        let width = match data.bytes.len() {
            len @ 0..8 => (1_u64 << (len * 8)) - 1,
            _ => u64::MAX,
        };
        data.number()
            .is_some_and(|number| number & self.set != 0 || !number & self.clear & width != 0)
    }
}

impl BitsFile {
    /// Checks the bits of a value of this type.
    ///
    /// # Errors
    /// What is wrong, with its place in the file.
    pub(crate) fn read(this: &Spanned<Self>, value_type: Option<ValueType>) -> Result<Bits, Wrong> {
        let most = most(value_type).map_err(wrong(this))?;
        let written = this.get_ref();
        let bits = Bits {
            set: bits(written.set.as_ref(), most)?,
            clear: bits(written.clear.as_ref(), most)?,
        };
        if bits.set | bits.clear == 0 {
            return Err(wrong(this)("name bits to set or to clear".to_owned()));
        }
        if bits.set & bits.clear != 0 {
            return Err(wrong(this)(format!(
                "the bits {:#x} are both set and cleared",
                bits.set & bits.clear
            )));
        }
        Ok(bits)
    }
}

impl AnyBitsFile {
    /// Checks the bits of a value of this type.
    ///
    /// # Errors
    /// What is wrong, with its place in the file.
    pub(crate) fn read(
        this: &Spanned<Self>,
        value_type: Option<ValueType>,
    ) -> Result<AnyBits, Wrong> {
        let most = most(value_type).map_err(wrong(this))?;
        let written = this.get_ref();
        let bits = AnyBits {
            set: bits(written.any_set.as_ref(), most)?,
            clear: bits(written.any_clear.as_ref(), most)?,
        };
        if bits.set | bits.clear == 0 {
            return Err(wrong(this)(
                "name bits of which one is set (any_set) or clear (any_clear)".to_owned(),
            ));
        }
        Ok(bits)
    }
}

/// The bits of a number that is written as `0x40`, `64` or `"0x40"`.
fn bits(written: Option<&Spanned<Written>>, most: u64) -> Result<u64, Wrong> {
    let Some(written) = written else { return Ok(0) };
    let bits = match written.get_ref() {
        Written::Number(number) => u64::try_from(*number).ok(),
        Written::Text(text) => number(text),
        Written::Bool(_) | Written::List(_) => None,
    };
    match bits {
        Some(bits) if bits <= most => Ok(bits),
        Some(bits) => Err(wrong(written)(format!(
            "{bits:#x} has bits beyond those of the type, {most:#x}"
        ))),
        None => Err(wrong(written)("bits are a number such as 0x40".to_owned())),
    }
}

/// All bits that a value of this type can have.
fn most(value_type: Option<ValueType>) -> Result<u64, String> {
    match value_type {
        Some(ValueType::DWORD | ValueType::DWORD_BIG_ENDIAN) => Ok(u32::MAX.into()),
        Some(ValueType::QWORD | ValueType::BINARY | ValueType::NONE) => Ok(u64::MAX),
        _ => Err(
            "only a value of type REG_DWORD, REG_DWORD_BIG_ENDIAN, REG_QWORD, REG_BINARY or \
             REG_NONE has bits"
                .to_owned(),
        ),
    }
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.set, self.clear) {
            (set, 0) => write!(f, "bits {set:#x} set"),
            (0, clear) => write!(f, "bits {clear:#x} clear"),
            (set, clear) => write!(f, "bits {set:#x} set, {clear:#x} clear"),
        }
    }
}

impl fmt::Display for AnyBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.set, self.clear) {
            (set, 0) => write!(f, "one of the bits {set:#x} is set"),
            (0, clear) => write!(f, "one of the bits {clear:#x} is clear"),
            (set, clear) => write!(
                f,
                "one of the bits {set:#x} is set or one of {clear:#x} is clear"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(value_type: ValueType, bytes: &[u8]) -> ValueData {
        let bytes = bytes.to_vec();
        ValueData { value_type, bytes }
    }

    #[test]
    fn only_the_named_bits_change() {
        let bits = Bits {
            set: 0x1,
            clear: 0x8c0,
        };
        for (value_type, old, new) in [
            (
                ValueType::DWORD,
                &[0xc2, 0x04, 0, 0x80][..],
                &[0x03, 0x04, 0, 0x80][..],
            ),
            (
                ValueType::DWORD_BIG_ENDIAN,
                &[0x80, 0, 0x04, 0xc2],
                &[0x80, 0, 0x04, 0x03],
            ),
            (
                ValueType::QWORD,
                &[0, 0x08, 0, 0, 0, 0, 0, 0xff],
                &[1, 0, 0, 0, 0, 0, 0, 0xff],
            ),
            (ValueType::NONE, &[0xc0, 0x04, 0, 0], &[0x01, 0x04, 0, 0]),
            (
                ValueType::BINARY,
                &[0xff; 8],
                &[0x3f, 0xf7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            ),
        ] {
            let found = bits.in_data(&data(value_type, old));
            assert_eq!(found, Some(data(value_type, new)), "{value_type}");
        }
        for (value_type, old) in [
            (ValueType::DWORD, &[1, 2, 3][..]),
            (ValueType::QWORD, &[1, 2, 3, 4]),
            (ValueType::SZ, &[1, 2, 3, 4]),
            (ValueType::NONE, &[]),
            (ValueType::BINARY, &[1, 2]),
        ] {
            assert_eq!(bits.in_data(&data(value_type, old)), None, "{value_type}");
        }
        // Four bytes have no such bit.
        let high = Bits {
            set: 1 << 40,
            clear: 0,
        };
        assert_eq!(high.in_data(&data(ValueType::NONE, &[0; 4])), None);
        assert!(high.in_data(&data(ValueType::NONE, &[0; 8])).is_some());
    }

    #[test]
    fn one_bit_is_enough() {
        let dword = |number: u32| ValueData::dword(number);
        let set = AnyBits {
            set: 0x0c,
            clear: 0,
        };
        assert!(set.hold(&dword(0x04)) && set.hold(&dword(0xff)) && !set.hold(&dword(0xf3)));
        let clear = AnyBits {
            set: 0,
            clear: 0x0c,
        };
        assert!(clear.hold(&dword(0x04)) && clear.hold(&dword(0)) && !clear.hold(&dword(0x0c)));
        assert!(!clear.hold(&ValueData::text(ValueType::SZ, "")));
        let beyond = AnyBits {
            set: 0,
            clear: 1 << 40,
        };
        assert!(!beyond.hold(&data(ValueType::NONE, &[0; 4])));
    }

    #[test]
    fn bits_of_two_rows_agree_or_not() {
        let bits = |set, clear| Bits { set, clear };
        assert!(bits(1, 2).agree(bits(4, 2)));
        assert!(!bits(1, 2).agree(bits(2, 0)) && !bits(2, 0).agree(bits(1, 2)));
    }
}
