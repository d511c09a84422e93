//! Strings in quotes: every sequence of UTF-16 code units has exactly one form, which is safe to
//! show.

use std::fmt::Write as _;

use diskmend_base::escape::is_hidden;

/// Writes code units in quotes.
pub(super) fn quote(units: impl IntoIterator<Item = u16>) -> String {
    let mut text = String::from("\"");
    for character in char::decode_utf16(units) {
        match character {
            Ok('"') => text.push_str("\\\""),
            Ok('\\') => text.push_str("\\\\"),
            Ok(character) if is_plain(character) => text.push(character),
            Ok(character) => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    escape(&mut text, *unit);
                }
            }
            Err(unpaired) => escape(&mut text, unpaired.unpaired_surrogate()),
        }
    }
    text.push('"');
    text
}

fn escape(text: &mut String, unit: u16) {
    let _ = write!(text, "\\u{unit:04x}");
}

/// True for letters and other visible characters; false for control, direction and joining
/// characters and line ends.
fn is_plain(character: char) -> bool {
    character == ' ' || !(is_hidden(character) || character.is_whitespace())
}

/// Parses code units in quotes at the start of `text`; also returns the text after them. `None` if
/// there is no such string.
pub(super) fn unquote(text: &str) -> Option<(Vec<u16>, &str)> {
    let mut units = Vec::new();
    let mut rest = text.strip_prefix('"')?.chars();
    loop {
        match rest.next()? {
            '"' => return Some((units, rest.as_str())),
            '\\' => match rest.next()? {
                'u' => {
                    let digits = rest.as_str().get(..4)?;
                    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                        return None;
                    }
                    units.push(u16::from_str_radix(digits, 16).ok()?);
                    rest = rest.as_str().get(4..)?.chars();
                }
                character @ ('"' | '\\') => units.push(character as u16),
                _ => return None,
            },
            character => units.extend(character.encode_utf16(&mut [0; 2]).iter()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_code_units_survive_in_printable_text() {
        let units: Vec<u16> = (0..=u16::MAX).chain([0xd83d, 0xde00, 0xde00]).collect();
        let text = quote(units.iter().copied());
        assert!(!text.contains(['\n', '\u{202e}', '\0']));
        let (read, rest) = unquote(&text).unwrap();
        assert!(read == units);
        assert_eq!(rest, "");
    }

    #[test]
    fn text_that_is_not_a_string_literal_is_refused() {
        for text in ["", "x", "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u+123\""] {
            assert_eq!(unquote(text), None, "{text}");
        }
        assert_eq!(unquote("\"a\" b"), Some((vec![0x61], " b")));
    }
}
