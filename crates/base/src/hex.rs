//! Bytes as pairs of hexadecimal digits.

use std::fmt;

/// Displays bytes as two digits each, in lower case, or in upper case with `{:X}`.
#[derive(Clone, Copy)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::UpperHex for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// The digits of `bytes` in lower case.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    Hex(bytes).to_string()
}

/// Parses pairs of digits in either case; `None` for any other text.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    match text.as_bytes().as_chunks() {
        (pairs, []) => pairs.iter().map(|pair| byte(*pair)).collect(),
        _ => None,
    }
}

/// Parses like [`decode`], but ignores white space and commas between the bytes.
#[must_use]
pub fn decode_separated(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if first.is_ascii_whitespace() || *first == b',' {
            rest = tail;
            continue;
        }
        let (pair, tail) = rest.split_first_chunk()?;
        bytes.push(byte(*pair)?);
        rest = tail;
    }
    Some(bytes)
}

fn byte([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |digit| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_and_half_bytes_are_refused() {
        assert_eq!(encode(&[0, 0xab]), "00ab");
        assert_eq!(format!("{:X}", Hex(&[0, 0xab])), "00AB");
        assert_eq!(decode("00aBFf"), Some(vec![0, 0xab, 0xff]));
        assert_eq!(decode_separated("00 AB,ff\n"), Some(vec![0, 0xab, 0xff]));
        for text in ["0", "000", "zz", "+1", "é", "0\u{ff10}"] {
            assert_eq!(decode(text), None, "{text}");
            assert_eq!(decode_separated(text), None, "{text}");
        }
        assert_eq!(decode("00 ab"), None);
        assert_eq!(decode_separated("0 0"), None);
    }
}
