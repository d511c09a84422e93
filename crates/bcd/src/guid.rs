//! Object identifiers.

use std::fmt;
use std::str::FromStr;

/// A GUID; the bytes are those of the structure in memory, whose first three fields are
/// little-endian (MS-DTYP 2.3.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub [u8; 16]);

/// Text that is no GUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no GUID: expected {{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}}")]
pub struct GuidError {
    /// The text as given, at most its first 64 characters.
    pub text: String,
}

/// Where the hyphens stand in the 36 characters between the braces.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
/// Places in memory of the bytes in the order of the text (MS-DTYP 2.3.4.3).
const TEXT_ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

impl Guid {
    /// The GUID of all zeros, which in a device element means that no object is named.
    pub const NIL: Self = Self([0; 16]);

    /// Makes a GUID of the fields of its text form.
    #[must_use]
    pub const fn new(a: u32, b: u16, c: u16, d: [u8; 8]) -> Self {
        let [a0, a1, a2, a3] = a.to_le_bytes();
        let [b0, b1] = b.to_le_bytes();
        let [c0, c1] = c.to_le_bytes();
        let [d0, d1, d2, d3, d4, d5, d6, d7] = d;
        Self([
            a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, d2, d3, d4, d5, d6, d7,
        ])
    }

    /// Whether all bytes are zero.
    #[must_use]
    pub fn is_nil(self) -> bool {
        self == Self::NIL
    }
}

impl FromStr for Guid {
    type Err = GuidError;

    /// Reads 32 hexadecimal digits of either case, with hyphens and braces as Windows writes
    /// them.
    fn from_str(text: &str) -> Result<Self, GuidError> {
        parse(text).ok_or_else(|| GuidError {
            text: text.chars().take(64).collect(),
        })
    }
}

fn parse(text: &str) -> Option<Guid> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    if inner.len() != 36 {
        return None;
    }
    let mut digits = [0u8; 32];
    let mut places = digits.iter_mut();
    for (at, byte) in inner.bytes().enumerate() {
        if HYPHENS.contains(&at) {
            if byte != b'-' {
                return None;
            }
        } else {
            *places.next()? = u8::try_from(char::from(byte).to_digit(16)?).ok()?;
        }
    }
    let mut bytes = [0; 16];
    for (pair, place) in digits.as_chunks::<2>().0.iter().zip(TEXT_ORDER) {
        let [high, low] = *pair;
        *bytes.get_mut(place)? = high << 4 | low;
    }
    Some(Guid(bytes))
}

/// `{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}` in lower case, as Windows writes it.
impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, place) in TEXT_ORDER.into_iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{:02x}", self.0.get(place).copied().unwrap_or_default())?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_either_case_is_the_same_guid_and_is_written_in_lower_case() {
        let text = "{9DEA862C-5cdd-4E70-acc1-F32b344d4795}";
        let guid: Guid = text.parse().unwrap();
        assert_eq!(
            guid.0,
            [
                0x2c, 0x86, 0xea, 0x9d, 0xdd, 0x5c, 0x70, 0x4e, 0xac, 0xc1, 0xf3, 0x2b, 0x34, 0x4d,
                0x47, 0x95
            ]
        );
        assert_eq!(guid.to_string(), text.to_lowercase());
        assert_eq!(
            guid,
            Guid::new(
                0x9dea_862c,
                0x5cdd,
                0x4e70,
                [0xac, 0xc1, 0xf3, 0x2b, 0x34, 0x4d, 0x47, 0x95]
            )
        );
    }

    #[test]
    fn anything_else_is_no_guid() {
        for text in [
            "",
            "{}",
            "9dea862c-5cdd-4e70-acc1-f32b344d4795",
            "{9dea862c-5cdd-4e70-acc1-f32b344d479}",
            "{9dea862c-5cdd-4e70-acc1-f32b344d47955}",
            "{9dea862c05cdd-4e70-acc1-f32b344d4795}",
            "{9dea862g-5cdd-4e70-acc1-f32b344d4795}",
            "{9dea862c-5cdd-4e70-acc1-f32b344d47é}",
        ] {
            assert!(text.parse::<Guid>().is_err(), "{text}");
        }
    }
}
