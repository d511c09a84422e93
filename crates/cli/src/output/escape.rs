//! Text off the disk, made safe to show.

use std::fmt::{self, Write as _};

/// Shows text with every character escaped that could command a terminal or change how the text
/// around it reads: control characters, line ends, and the marks of writing direction.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if is_hidden(character) {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    write!(f, "\\u{unit:04X}")?;
                }
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// Characters that a terminal acts upon, or that hide or reorder what is around them.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// As [`Escaped`], but keeps line ends: for messages that the program itself laid out.
pub(crate) struct EscapedLines<'a>(pub(crate) &'a str);

impl fmt::Display for EscapedLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.0.split('\n').enumerate() {
            if index > 0 {
                f.write_char('\n')?;
            }
            Escaped(line).fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_commands_a_terminal_passes() {
        let hostile = "a\u{1b}]0;title\u{7}\u{9b}31m\r\n\u{202e}b\u{e0041}";
        let shown = Escaped(hostile).to_string();
        assert_eq!(
            shown,
            r"a\u001B]0;title\u0007\u009B31m\u000D\u000A\u202Eb\uDB40\uDC41"
        );
        assert!(!shown.chars().any(is_hidden));
        assert_eq!(Escaped("Größe 表 ✓").to_string(), "Größe 表 ✓");
    }
}
