//! Bytes as hexadecimal digits.

use std::fmt::Write as _;

/// Two lower-case digits for each byte.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes of pairs of digits; spaces and commas between the bytes are passed over. `None` for
/// anything else.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if first.is_ascii_whitespace() || *first == b',' {
            rest = tail;
            continue;
        }
        let [second, tail @ ..] = tail else {
            return None;
        };
        bytes.push(digit(*first)? << 4 | digit(*second)?);
        rest = tail;
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_and_half_bytes_are_refused() {
        assert_eq!(encode(&[0, 0xab]), "00ab");
        assert_eq!(decode("00 AB,ff"), Some(vec![0, 0xab, 0xff]));
        assert_eq!(decode("0"), None);
        assert_eq!(decode("0 0"), None);
        assert_eq!(decode("zz"), None);
    }
}
