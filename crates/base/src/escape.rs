//! Escapes text from a disk, so that it is safe to show and nothing is lost.
//!
//! A character that controls a terminal, ends a line, is invisible or changes the direction of the
//! text is written as `<U+XXXX>`, with the four to six hexadecimal digits of its code point. A
//! UTF-16 code unit that is half of a surrogate pair is written in this way too. A `<` that would
//! look like the start of an escape is written as `<U+003C>`. All other characters are unchanged.
//! Each sequence of code units has exactly one escaped form, and [`unescape`] reverses it.
//!
//! The escaped form contains no backslash, so it can't be confused with a separator in a path, and
//! file names on Windows contain neither `<` nor `>`.
//!
//! Use [`Escaped`] and [`EscapedUnits`] for text from the disk. Use [`Visible`] for text that
//! already contains escapes, or for the program's own text; all output to a terminal goes through
//! it.

use std::fmt::{self, Write as _};

const OPEN: &str = "<U+";
const CLOSE: char = '>';
/// The minimum and maximum number of hexadecimal digits.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=6;
/// The length of the longest escape, in characters.
const LONGEST: usize = 3 + 6 + 1;

/// True if a character is always escaped: it controls a terminal (Cc), is invisible or changes the
/// direction of the text (Cf, and the characters that Unicode calls default-ignorable), or ends a
/// line (Zl, Zp).
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
                | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
                | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Text from a disk; it is displayed escaped.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.chars();
        loop {
            let at = rest.as_str();
            let Some(character) = rest.next() else {
                return Ok(());
            };
            if is_hidden(character) || escape_at(at).is_some() {
                write_form(f, character.into())?;
            } else {
                f.write_char(character)?;
            }
        }
    }
}

/// Text that may already contain escapes: hidden characters are escaped, and existing escapes stay.
#[derive(Clone, Copy, Debug)]
pub struct Visible<'a>(pub &'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if is_hidden(character) {
                write_form(f, character.into())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// UTF-16 code units from a disk; they are displayed escaped.
#[derive(Clone, Debug)]
pub struct EscapedUnits<I> {
    units: I,
    also: Option<char>,
    hidden: bool,
}

impl<I: Iterator<Item = u16> + Clone> EscapedUnits<I> {
    /// Escapes these units.
    pub fn new(units: I) -> Self {
        Self {
            units,
            also: None,
            hidden: true,
        }
    }

    /// Also escapes `character`, because it separates such texts from each other.
    #[must_use]
    pub fn and(self, character: char) -> Self {
        let also = Some(character);
        Self { also, ..self }
    }

    /// Keeps hidden characters unescaped, for text that is not shown but parsed.
    #[must_use]
    pub fn raw(self) -> Self {
        Self {
            hidden: false,
            ..self
        }
    }
}

impl<I: Iterator<Item = u16> + Clone> fmt::Display for EscapedUnits<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = char::decode_utf16(self.units.clone());
        loop {
            let at = rest.clone();
            let Some(next) = rest.next() else {
                return Ok(());
            };
            match next {
                Err(unpaired) => write_form(f, unpaired.unpaired_surrogate().into())?,
                Ok(c) if (self.hidden && is_hidden(c)) || self.also == Some(c) => {
                    write_form(f, c.into())?;
                }
                Ok('<') => {
                    let head: String = at.map_while(Result::ok).take(LONGEST).collect();
                    match escape_at(&head) {
                        Some(_) => write_form(f, '<'.into())?,
                        None => f.write_char('<')?,
                    }
                }
                Ok(c) => f.write_char(c)?,
            }
        }
    }
}

/// The code units of the escaped form `text`.
///
/// Any text is accepted: characters that the escaped form would not contain are kept, and the
/// digits may be in either case.
#[must_use]
pub fn unescape(text: &str) -> Vec<u16> {
    let mut units = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(OPEN) {
        units.extend(before.encode_utf16());
        let (_, at) = rest.split_at(before.len());
        rest = match escape_at(at) {
            Some((code, after)) => {
                push(&mut units, code);
                after
            }
            None => {
                units.extend(OPEN.encode_utf16());
                behind
            }
        };
    }
    units.extend(rest.encode_utf16());
    units
}

/// The code point of an escape at the start of `text`, and the text after the escape.
fn escape_at(text: &str) -> Option<(u32, &str)> {
    let digits = text.strip_prefix(OPEN)?;
    let count = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
    if !DIGITS.contains(&count) {
        return None;
    }
    let (digits, rest) = digits.split_at_checked(count)?;
    let code = u32::from_str_radix(digits, 16).ok()?;
    let rest = rest.strip_prefix(CLOSE)?;
    (code <= u32::from(char::MAX)).then_some((code, rest))
}

fn push(units: &mut Vec<u16>, code: u32) {
    match (u16::try_from(code), char::from_u32(code)) {
        // Also half of a surrogate pair.
        (Ok(unit), _) => units.push(unit),
        (Err(_), Some(character)) => {
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
        }
        // `escape_at` has already excluded larger code points.
        (Err(_), None) => {}
    }
}

fn write_form(f: &mut fmt::Formatter<'_>, code: u32) -> fmt::Result {
    write!(f, "{OPEN}{code:04X}{CLOSE}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn of_units(units: &[u16]) -> String {
        EscapedUnits::new(units.iter().copied()).to_string()
    }

    #[test]
    fn nothing_that_commands_a_terminal_or_hides_passes() {
        let hostile = "a\u{1b}]0;title\u{7}\u{9b}31m\r\n\u{202e}b\u{e0041}\u{85}\u{2028}\u{ad}\0";
        let shown = Escaped(hostile).to_string();
        assert_eq!(
            shown,
            "a<U+001B>]0;title<U+0007><U+009B>31m<U+000D><U+000A><U+202E>b<U+E0041><U+0085><U+2028>\
             <U+00AD><U+0000>"
        );
        assert_eq!(unescape(&shown), units(hostile));
        assert_eq!(of_units(&units(hostile)), shown);
        assert_eq!(Visible(hostile).to_string(), shown);
        assert_eq!(Visible(&shown).to_string(), shown);
        let plain = r"Größe 表 ✓ C:\a <b> <U+12> <U+1234 U+1234>";
        assert_eq!(Escaped(plain).to_string(), plain);
        assert_eq!(of_units(&units(plain)), plain);
    }

    #[test]
    fn a_name_that_looks_like_an_escape_differs_from_the_character() {
        for literal in ["<U+000A>", "<U+10FFFF>", "<U+d800>", "<<U+0041>>"] {
            let shown = Escaped(literal).to_string();
            assert_ne!(shown, literal);
            assert_eq!(of_units(&units(literal)), shown);
            assert_eq!(unescape(&shown), units(literal));
        }
        for none in [
            "<U+110000>",
            "<U+0000041>",
            "<U+041>",
            "<U+00g1>",
            "<U+",
            "<u+0041>",
        ] {
            assert_eq!(Escaped(none).to_string(), none);
            assert_eq!(unescape(none), units(none));
        }
    }

    #[test]
    fn every_code_unit_and_every_hidden_character_comes_back() {
        let all: Vec<u16> = (0..=u16::MAX).chain([0xd83d, 0xde00, 0xde00]).collect();
        let shown = of_units(&all);
        assert!(!shown.chars().any(is_hidden));
        assert_eq!(unescape(&shown), all);
        let hidden: String = ('\0'..=char::MAX).filter(|c| is_hidden(*c)).collect();
        let shown = Escaped(&hidden).to_string();
        assert!(!shown.chars().any(is_hidden));
        assert_eq!(unescape(&shown), units(&hidden));
    }

    #[test]
    fn text_for_a_parser_keeps_its_line_ends() {
        let found = [
            0x3c, 0xd800, 0x0a, 0x3c, 0x55, 0x2b, 0x30, 0x30, 0x30, 0x41, 0x3e,
        ];
        let text = EscapedUnits::new(found.into_iter()).raw().to_string();
        assert_eq!(text, "<<U+D800>\n<U+003C>U+000A>");
        assert_eq!(unescape(&text), found);
    }

    #[test]
    fn a_separator_can_be_escaped_too() {
        let name = EscapedUnits::new(units(r"a\b").into_iter()).and('\\');
        assert_eq!(name.to_string(), "a<U+005C>b");
        assert_eq!(unescape("a<U+005C>b"), units(r"a\b"));
    }

    proptest! {
        #[test]
        fn any_units_come_back(found in proptest::collection::vec(
            prop_oneof![any::<u16>(), "[<U+0-9A-F>]".prop_map(|s| s.encode_utf16().next().unwrap_or(0))],
            0..40,
        )) {
            let shown = of_units(&found);
            prop_assert!(!shown.chars().any(is_hidden));
            prop_assert_eq!(unescape(&shown), found);
            prop_assert_eq!(Visible(&shown).to_string(), shown);
        }

        #[test]
        fn text_and_its_units_have_the_same_form(text in "[<U+0-9A-Fa-f>\\PC\\n]{0,30}") {
            let shown = Escaped(&text).to_string();
            prop_assert_eq!(of_units(&units(&text)), shown.as_str());
            prop_assert_eq!(unescape(&shown), units(&text));
        }
    }
}
