//! GUIDs in object ACEs (MS-DTYP 2.3.4).

use std::fmt;
use std::str::FromStr;

/// A GUID in the byte order it has on disk: the first three groups little-endian.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guid(pub [u8; 16]);

/// Text that is not a GUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a GUID of 8-4-4-4-12 hexadecimal digits: {text:?}")]
pub struct GuidTextError {
    /// The text.
    pub text: String,
}

/// The position on disk of each pair of digits.
const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, at) in ORDER.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{:02x}", self.0.get(*at).copied().unwrap_or_default())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Guid {
    type Err = GuidTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| GuidTextError {
            text: text.chars().take(100).collect(),
        })
    }
}

fn parse(text: &str) -> Option<Guid> {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    if lengths != [8, 4, 4, 4, 12] || !text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        return None;
    }
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b'-').collect();
    let (pairs, _) = digits.as_chunks::<2>();
    let mut bytes = [0; 16];
    for (pair, at) in pairs.iter().zip(ORDER) {
        let pair = std::str::from_utf8(pair).ok()?;
        *bytes.get_mut(at)? = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(Guid(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_agree() {
        let text = "ab721a53-1e2f-11d0-9819-00aa0040529b";
        let guid: Guid = text.parse().unwrap();
        assert_eq!(
            guid.0[..8],
            [0x53, 0x1a, 0x72, 0xab, 0x2f, 0x1e, 0xd0, 0x11]
        );
        assert_eq!(guid.to_string(), text);
        for text in [
            "",
            "ab721a53-1e2f-11d0-9819-00aa0040529",
            "{ab721a53-1e2f-11d0-9819-00aa0040529b}",
            "+b721a53-1e2f-11d0-9819-00aa0040529b",
            "ab721a531e2f-11d0-9819-00aa0040529b-",
        ] {
            assert!(text.parse::<Guid>().is_err(), "{text}");
        }
    }
}
