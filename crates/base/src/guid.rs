//! GUIDs, in the layout of structures on disk and in the notation of Windows.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// A GUID. Its bytes are in the order of the structure in memory and on disk: one group of 32 bits
/// and two groups of 16 bits, all little-endian, then eight bytes ([MS-DTYP] 2.3.4.2; UEFI 2.10,
/// appendix A).
///
/// It is displayed as `{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}` in lower case ([MS-DTYP] 2.3.4.3),
/// and ordered by its bytes on disk.
///
/// ```
/// use diskmend_base::Guid;
///
/// let bootmgr: Guid = "{9DEA862C-5CDD-4E70-ACC1-F32B344D4795}".parse()?;
/// assert_eq!(bootmgr, Guid::from_u128(0x9dea862c_5cdd_4e70_acc1_f32b344d4795));
/// assert_eq!(bootmgr.0[..4], [0x2c, 0x86, 0xea, 0x9d]);
/// assert_eq!(bootmgr.to_string(), "{9dea862c-5cdd-4e70-acc1-f32b344d4795}");
/// # Ok::<(), diskmend_base::GuidError>(())
/// ```
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    FromBytes,
    IntoBytes,
    KnownLayout,
    Immutable,
    Unaligned,
)]
#[repr(transparent)]
pub struct Guid(pub [u8; 16]);

/// A text that is not a GUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a GUID: expected {{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}}")]
pub struct GuidError {
    /// The text as given, at most its first 64 characters.
    pub text: String,
}

impl Guid {
    /// The GUID of all zeros, which identifies nothing.
    pub const NIL: Self = Self([0; 16]);

    /// The GUID with these fields.
    #[must_use]
    pub const fn new(data1: u32, data2: u16, data3: u16, data4: [u8; 8]) -> Self {
        Self(Uuid::from_fields(data1, data2, data3, &data4).to_bytes_le())
    }

    /// The GUID with the digits of this number.
    #[must_use]
    pub const fn from_u128(digits: u128) -> Self {
        Self(Uuid::from_u128(digits).to_bytes_le())
    }

    /// A new random GUID (RFC 9562, version 4).
    #[cfg(feature = "random")]
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4().to_bytes_le())
    }

    /// The GUID, unless all its bytes are zero.
    #[must_use]
    pub fn non_nil(self) -> Option<Self> {
        (self != Self::NIL).then_some(self)
    }

    /// Parses a GUID without braces, with digits in either case.
    #[must_use]
    pub fn parse_bare(text: &str) -> Option<Self> {
        // Of all notations that the parser accepts, only the one with hyphens has this length.
        const LEN: usize = 36;
        let uuid = Uuid::try_parse(text).ok().filter(|_| text.len() == LEN)?;
        Some(Self(uuid.to_bytes_le()))
    }

    /// The GUID without braces, as SDDL and partition tools write it.
    #[must_use]
    pub fn bare(self) -> impl fmt::Display {
        Uuid::from_bytes_le(self.0).hyphenated()
    }
}

impl FromStr for Guid {
    type Err = GuidError;

    /// Parses a GUID with braces, with digits in either case.
    fn from_str(text: &str) -> Result<Self, GuidError> {
        let bare = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        bare.and_then(Self::parse_bare).ok_or_else(|| GuidError {
            text: text.chars().take(64).collect(),
        })
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes_le(self.0).braced().fmt(f)
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
        let data4 = [0xac, 0xc1, 0xf3, 0x2b, 0x34, 0x4d, 0x47, 0x95];
        let first = [0x2c, 0x86, 0xea, 0x9d, 0xdd, 0x5c, 0x70, 0x4e];
        assert_eq!(guid.0, *[first, data4].concat());
        assert_eq!(guid.to_string(), text.to_lowercase());
        let bare = &text[1..text.len() - 1];
        assert_eq!(guid.bare().to_string(), bare.to_lowercase());
        assert_eq!(Guid::parse_bare(bare), Some(guid));
        assert_eq!(guid, Guid::new(0x9dea_862c, 0x5cdd, 0x4e70, data4));
    }

    #[test]
    fn any_other_text_is_not_a_guid() {
        for bare in [
            "",
            "9dea862c-5cdd-4e70-acc1-f32b344d479",
            "9dea862c-5cdd-4e70-acc1-f32b344d47955",
            "9dea862c05cdd-4e70-acc1-f32b344d4795",
            "9dea862c5cdd-4e70-acc1-f32b344d4795-",
            "9dea862c5cdd4e70acc1f32b344d4795",
            "+dea862c-5cdd-4e70-acc1-f32b344d4795",
            "9dea862g-5cdd-4e70-acc1-f32b344d4795",
            "9dea862c-5cdd-4e70-acc1-f32b344d47é",
            "urn:uuid:9dea862c-5cdd-4e70-acc1-f32b344d4795",
            "{9dea862c-5cdd-4e70-acc1-f32b344d4795}",
        ] {
            assert_eq!(Guid::parse_bare(bare), None, "{bare}");
            let braced = format!("{{{bare}}}");
            assert!(braced.parse::<Guid>().is_err(), "{braced}");
        }
        let bare = "9dea862c-5cdd-4e70-acc1-f32b344d4795";
        assert!(bare.parse::<Guid>().is_err());
        assert!(format!("{{{bare}").parse::<Guid>().is_err());
    }

    #[test]
    fn the_nil_guid_identifies_nothing() {
        assert_eq!(Guid::NIL.non_nil(), None);
        assert_eq!(Guid([1; 16]).non_nil(), Some(Guid([1; 16])));
    }
}
