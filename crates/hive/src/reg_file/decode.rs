//! Decodes the bytes of a registry text file.

use std::borrow::Cow;
use std::str;

use diskmend_base::escape::EscapedUnits;
use diskmend_base::utf16;

use super::ParseError;

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";
const UTF16LE_MARK: &[u8] = b"\xFF\xFE";
const UTF16BE_MARK: &[u8] = b"\xFE\xFF";

/// The first line of a version 4 file, which is in the code page of the system that wrote it.
pub(super) const HEADER_4: &str = "REGEDIT4";

/// Windows-1252 from 0x80 to 0x9F; elsewhere it is Latin-1. The five bytes without a character
/// are control characters, as Windows converts them.
const WINDOWS_1252: [char; 32] = [
    '\u{20AC}', '\u{81}', '\u{201A}', '\u{192}', '\u{201E}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2C6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8D}', '\u{17D}', '\u{8F}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201C}', '\u{201D}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2DC}', '\u{2122}', '\u{161}', '\u{203A}', '\u{153}', '\u{9D}', '\u{17E}', '\u{178}',
];

/// The text of the file without byte order mark. What a `String` can't contain is in the form of
/// [`diskmend_base::escape`]: half surrogate pairs are written as `<U+D800>`, and text that already
/// looks like an escape is escaped.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ParseError> {
    let text = match decode_bytes(bytes)? {
        Text::Utf16(units) => return Ok(reversible(units.into_iter()).into()),
        Text::Decoded(text) => text,
    };
    if text.contains("<U+") {
        return Ok(reversible(text.encode_utf16()).into());
    }
    Ok(text)
}

fn reversible(units: impl Iterator<Item = u16> + Clone) -> String {
    EscapedUnits::new(units).raw().to_string()
}

/// The content of the bytes.
enum Text<'a> {
    Utf16(Vec<u16>),
    Decoded(Cow<'a, str>),
}

fn decode_bytes(bytes: &[u8]) -> Result<Text<'_>, ParseError> {
    if let Some(text) = bytes.strip_prefix(UTF16LE_MARK) {
        return code_units(text).map(Text::Utf16);
    }
    if bytes.starts_with(UTF16BE_MARK) {
        return Err(ParseError::Text {
            line: 1,
            expected: "UTF-16 little-endian, UTF-8 or Windows-1252",
        });
    }
    // UTF-16 that lost its byte order mark in a conversion: no text starts with U+0000.
    if matches!(bytes, [first, 0, ..] if *first != 0) {
        return code_units(bytes).map(Text::Utf16);
    }
    if let Some(text) = bytes.strip_prefix(UTF8_MARK) {
        return utf8(text).map(Cow::Borrowed).map(Text::Decoded);
    }
    if bytes.trim_ascii_start().starts_with(HEADER_4.as_bytes()) {
        return Ok(Text::Decoded(match str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => Cow::Borrowed(text),
            _ => Cow::Owned(bytes.iter().copied().map(windows_1252).collect()),
        }));
    }
    utf8(bytes).map(Cow::Borrowed).map(Text::Decoded)
}

/// The character of a byte in Windows-1252.
pub(super) fn windows_1252(byte: u8) -> char {
    byte.checked_sub(0x80)
        .and_then(|index| WINDOWS_1252.get(usize::from(index)).copied())
        .unwrap_or(char::from(byte))
}

fn utf8(bytes: &[u8]) -> Result<&str, ParseError> {
    str::from_utf8(bytes).map_err(|error| {
        let (valid, _) = bytes.split_at(error.valid_up_to());
        ParseError::Text {
            line: line_after(valid.iter().map(|byte| *byte == b'\n')),
            expected: "UTF-8",
        }
    })
}

/// The code units; Windows does not check whether they are valid text.
fn code_units(bytes: &[u8]) -> Result<Vec<u16>, ParseError> {
    utf16::units(bytes).ok_or_else(|| ParseError::Text {
        line: line_after(utf16::whole_units(bytes).map(|unit| unit == u16::from(b'\n'))),
        expected: "UTF-16LE, whole code units",
    })
}

fn line_after(line_ends: impl Iterator<Item = bool>) -> usize {
    line_ends.filter(|ends| *ends).count().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_1252_differs_from_latin1_in_the_middle_only() {
        assert_eq!(windows_1252(0x7F), '\u{7F}');
        assert_eq!(windows_1252(0x80), '\u{20AC}');
        assert_eq!(windows_1252(0x99), '\u{2122}');
        assert_eq!(windows_1252(0x9F), '\u{178}');
        assert_eq!(windows_1252(0xA0), '\u{A0}');
        assert_eq!(windows_1252(0xFF), '\u{FF}');
    }

    #[test]
    fn byte_order_marks_decide_the_encoding() {
        assert_eq!(decode(b"\xFF\xFE[\0\xE9\0").unwrap(), "[\u{E9}");
        assert_eq!(decode(b"[\0\xE9\0").unwrap(), "[\u{E9}");
        assert_eq!(decode(b"\xEF\xBB\xBF[\xC3\xA9").unwrap(), "[\u{E9}");
        assert_eq!(decode(b"[\xC3\xA9").unwrap(), "[\u{E9}");
        assert_eq!(
            decode(b"REGEDIT4\n\xE9\x80").unwrap(),
            "REGEDIT4\n\u{E9}\u{20AC}"
        );
    }

    #[test]
    fn half_pairs_are_kept_and_differ_from_text_that_looks_like_their_escape() {
        assert_eq!(decode(b"\xFF\xFEa\0\0\xD8b\0").unwrap(), "a<U+D800>b");
        assert_eq!(decode(b"a<U+D800>b").unwrap(), "a<U+003C>U+D800>b");
    }

    #[test]
    fn errors_name_the_line() {
        let line = |bytes: &[u8]| match decode(bytes).unwrap_err() {
            ParseError::Text { line, .. } => line,
            other => panic!("{other}"),
        };
        assert_eq!(line(b"a\nb\n\xE9"), 3);
        assert_eq!(line(b"\xFF\xFEa\0\n\0b"), 2);
        assert_eq!(line(b"\xFF\xFEa"), 1);
        assert_eq!(line(b"\xFE\xFF\0a"), 1);
    }
}
