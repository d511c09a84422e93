//! Data of a value, as written after the equals sign.

use diskmend_base::escape::unescape;
use diskmend_base::utf16;

use super::ParseError;
use super::cursor::Cursor;
use super::decode::windows_1252;
use crate::ValueType;

/// The encoding of strings in hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Version 4: in the code page of the system that wrote them; Windows-1252 is assumed.
    Ansi,
    /// Version 5: as in a hive.
    Unicode,
}

/// Parses type and data.
pub(super) fn parse_data(
    cursor: &mut Cursor<'_>,
    dialect: Dialect,
) -> Result<(u32, Vec<u8>), ParseError> {
    if cursor.peek() == Some('"') {
        let text = parse_string(cursor, BackslashEscapes::Both)?;
        return Ok((ValueType::SZ.0, terminated(&text)));
    }
    if cursor.take_word("dword:") {
        return Ok((ValueType::DWORD.0, parse_dword(cursor)?));
    }
    if cursor.take_word("hex") {
        let value_type = parse_type(cursor)?.unwrap_or(ValueType::BINARY);
        let bytes = parse_bytes(cursor)?;
        let is_ansi_text = dialect == Dialect::Ansi
            && matches!(value_type, ValueType::EXPAND_SZ | ValueType::MULTI_SZ);
        let data = if is_ansi_text {
            ansi_to_utf16(&bytes)
        } else {
            bytes
        };
        return Ok((value_type.0, data));
    }
    if cursor.take_word("str") {
        let value_type = parse_type(cursor)?.unwrap_or(ValueType::SZ);
        cursor.skip_blanks();
        if value_type == ValueType::MULTI_SZ || cursor.peek() != Some('"') {
            return Err(cursor.error("one string in quotes, of a type other than REG_MULTI_SZ"));
        }
        let text = parse_string(cursor, BackslashEscapes::QuoteOnly)?;
        return Ok((value_type.0, terminated(&text)));
    }
    Err(cursor.error("a string in quotes, 'dword:', 'hex:', 'hex(type):' or '-'"))
}

/// The characters that a backslash in a string may escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BackslashEscapes {
    /// Another backslash or a quote.
    Both,
    /// Only a quote: hivexregedit escapes quotes but not backslashes when it writes `str(N):`, so a
    /// single backslash can't be distinguished from a doubled one.
    QuoteOnly,
}

/// Parses a string in quotes. It may contain line breaks, as Windows writes them.
pub(super) fn parse_string(
    cursor: &mut Cursor<'_>,
    escapes: BackslashEscapes,
) -> Result<String, ParseError> {
    let start = cursor.clone();
    cursor.take('"');
    let mut string = String::new();
    loop {
        match cursor.next() {
            Some('"') => return Ok(string),
            Some('\\') => match (cursor.peek(), escapes) {
                (Some('"'), _) => {
                    cursor.next();
                    string.push('"');
                }
                (Some('\\'), BackslashEscapes::Both) => {
                    cursor.next();
                    string.push('\\');
                }
                // Wine escapes line breaks; Windows writes them unescaped.
                (Some('n'), BackslashEscapes::Both) => {
                    cursor.next();
                    string.push('\n');
                }
                (Some('r'), BackslashEscapes::Both) => {
                    cursor.next();
                    string.push('\r');
                }
                (_, BackslashEscapes::Both) => {
                    return Err(
                        cursor.error("'\\', '\"', 'n' or 'r' after a backslash in a string")
                    );
                }
                (_, BackslashEscapes::QuoteOnly) => {
                    return Err(cursor.error("no backslash in a 'str:' string, use 'hex:'"));
                }
            },
            Some(character) => string.push(character),
            None => return Err(start.error("a string that ends in '\"'")),
        }
    }
}

/// UTF-16LE with one terminator, of text in the form of [`diskmend_base::escape`].
fn terminated(text: &str) -> Vec<u8> {
    utf16::bytes(unescape(text).into_iter().chain([0]))
}

fn ansi_to_utf16(bytes: &[u8]) -> Vec<u8> {
    let text: String = bytes.iter().copied().map(windows_1252).collect();
    utf16::encode(&text)
}

fn parse_dword(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, ParseError> {
    cursor.skip_blanks();
    match cursor.take_hex(8) {
        Some(number) => Ok(number.to_le_bytes().to_vec()),
        None => Err(cursor.error("1 to 8 hexadecimal digits")),
    }
}

/// Reads `(type):`, with the type in hexadecimal digits, or `:` alone.
fn parse_type(cursor: &mut Cursor<'_>) -> Result<Option<ValueType>, ParseError> {
    let start = cursor.clone();
    if cursor.take(':') {
        return Ok(None);
    }
    let opened = cursor.take('(');
    match cursor.take_hex(8) {
        Some(number) if opened && cursor.take(')') && cursor.take(':') => {
            Ok(Some(ValueType(number)))
        }
        _ => Err(start.error("':' or '(type):' with the type in hexadecimal digits")),
    }
}

/// Parses bytes in hexadecimal digits, separated by commas, over several lines if a backslash at
/// the end of a line continues it.
fn parse_bytes(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, ParseError> {
    let mut bytes = Vec::new();
    loop {
        let is_continued = skip_continuation(cursor)?;
        if !is_continued && (cursor.is_at_line_end() || cursor.peek() == Some(';')) {
            return Ok(bytes);
        }
        let byte = cursor.take_hex(2).and_then(|byte| u8::try_from(byte).ok());
        bytes.push(byte.ok_or_else(|| cursor.error("a byte of one or two hexadecimal digits"))?);
        cursor.skip_blanks();
        // A line continues only after a comma: Windows accepts no comma at the start of the next
        // line.
        if !cursor.take(',') {
            return Ok(bytes);
        }
    }
}

/// Skips blanks and, after a backslash, continues on the next line that is neither blank nor a
/// comment. Returns true if there was a backslash.
fn skip_continuation(cursor: &mut Cursor<'_>) -> Result<bool, ParseError> {
    cursor.skip_blanks();
    if !cursor.take('\\') {
        return Ok(false);
    }
    cursor.end_line()?;
    cursor.skip_empty_lines(&[';']);
    Ok(true)
}
