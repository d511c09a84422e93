//! Lossless text form of names for listings.

use std::fmt::{self, Write as _};

use super::Name;

/// Digits after `\u`.
const DIGITS: usize = 4;
const BACKSLASH: u16 = b'\\' as u16;

/// Shows a name so that no two names look alike; see [`Name::escaped`].
#[derive(Clone, Copy)]
pub struct Escaped<'a>(Name<'a>);

impl<'a> Escaped<'a> {
    pub(super) fn new(name: Name<'a>) -> Self {
        Self(name)
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut units = self.0.units();
        loop {
            let at = units.clone();
            let Some(first) = units.next() else {
                return Ok(());
            };
            if first == BACKSLASH && starts_escape(at) {
                escape(f, first)?;
                continue;
            }
            let second = units.clone().next();
            match char::decode_utf16([first].into_iter().chain(second)).next() {
                Some(Ok(character)) if is_hidden(character) => escape(f, first)?,
                Some(Ok(character)) => {
                    f.write_char(character)?;
                    if character.len_utf16() == 2 {
                        units.next();
                    }
                }
                Some(Err(_)) | None => escape(f, first)?,
            }
        }
    }
}

fn escape(f: &mut fmt::Formatter<'_>, unit: u16) -> fmt::Result {
    write!(f, "\\u{unit:04X}")
}

/// Whether a backslash at the start of `units` would be read as an escape.
fn starts_escape(mut units: impl Iterator<Item = u16>) -> bool {
    units.next() == Some(BACKSLASH)
        && units.next() == Some(u16::from(b'u'))
        && units
            .by_ref()
            .take(DIGITS)
            .filter(|unit| is_hex_digit(*unit))
            .count()
            == DIGITS
}

fn is_hex_digit(unit: u16) -> bool {
    u8::try_from(unit).is_ok_and(|byte| byte.is_ascii_hexdigit())
}

/// Characters that change how a terminal shows what is around them; all are in the BMP.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
        )
}

/// Reads text in the form of [`Name::escaped`]: `\u` with four hexadecimal digits is one code
/// unit, all else is itself.
pub(super) fn unescape(text: &str) -> Vec<u16> {
    let mut units = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\u") {
        units.extend(before.encode_utf16());
        match after.split_at_checked(DIGITS).and_then(|(digits, rest)| {
            let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            is_hex.then(|| u16::from_str_radix(digits, 16).ok().zip(Some(rest)))?
        }) {
            Some((unit, tail)) => {
                units.push(unit);
                rest = tail;
            }
            None => {
                units.extend("\\u".encode_utf16());
                rest = after;
            }
        }
    }
    units.extend(rest.encode_utf16());
    units
}
