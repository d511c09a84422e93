//! JSON in the program's format: safe to show on any terminal, without changing the data for a
//! parser.

use std::io::{self, Write};

use diskmend_base::escape::is_hidden;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter};

/// The version of all documents.
pub const SCHEMA: u32 = 1;

/// True if a flag isn't set, and so isn't in a document.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
pub(crate) fn is_false(flag: &bool) -> bool {
    !flag
}

/// Writes a document in many lines. Characters that control a terminal or are invisible are escaped
/// as `\uXXXX` in every string.
///
/// # Errors
/// If the output fails.
pub fn write_pretty<T: Serialize + ?Sized>(out: &mut dyn Write, document: &T) -> io::Result<()> {
    let formatter = Visible(PrettyFormatter::new());
    document.serialize(&mut Serializer::with_formatter(out, formatter))?;
    Ok(())
}

/// Writes a document in one line, escaped as by [`write_pretty`].
///
/// # Errors
/// If the output fails.
pub fn write_line<T: Serialize + ?Sized>(out: &mut dyn Write, document: &T) -> io::Result<()> {
    let formatter = Visible(CompactFormatter);
    document.serialize(&mut Serializer::with_formatter(out, formatter))?;
    Ok(())
}

/// Escapes more characters than JSON requires.
struct Visible<F>(F);

impl<F: Formatter> Formatter for Visible<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_hidden) {
            let (plain, hidden) = rest.split_at(at);
            let mut characters = hidden.chars();
            self.0.write_string_fragment(writer, plain)?;
            if let Some(character) = characters.next() {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            rest = characters.as_str();
        }
        self.0.write_string_fragment(writer, rest)
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_is_written_and_a_parser_reads_the_same() {
        let text: String = ('\0'..=char::MAX).filter(|c| is_hidden(*c)).collect();
        let document = serde_json::json!({"a": text, "\u{202e}": ["x\u{9b}y", "<U+000A>"]});
        let (mut pretty, mut line) = (Vec::new(), Vec::new());
        write_pretty(&mut pretty, &document).expect("memory");
        write_line(&mut line, &document).expect("memory");
        assert!(pretty.contains(&b'\n') && !line.contains(&b'\n'));
        for bytes in [pretty, line] {
            let shown = std::str::from_utf8(&bytes).expect("text");
            assert!(!shown.chars().any(|c| is_hidden(c) && c != '\n'));
            let read: serde_json::Value = serde_json::from_str(shown).expect("JSON");
            assert_eq!(read, document);
        }
    }

    #[test]
    fn only_strings_are_changed() {
        let document = serde_json::json!({"a": [1, null, {"b": "c\u{1f600}é"}], "d": {}, "e": []});
        let mut pretty = Vec::new();
        write_pretty(&mut pretty, &document).expect("memory");
        let plain = serde_json::to_vec_pretty(&document).expect("memory");
        assert_eq!(pretty, plain);
    }
}
