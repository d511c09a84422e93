//! Single bits of a number in the registry.

use std::fmt;

use serde::Serialize;

use super::ValueData;

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
    use diskmend_hive::ValueType;

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
