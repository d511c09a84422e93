//! A position in the text.

use diskmend_base::escape::Visible;

use super::ParseError;

/// The maximum number of characters that an error quotes.
const MAX_FOUND: usize = 40;
/// Characters that end a line, together or alone.
const LINE_ENDS: [char; 2] = ['\r', '\n'];

/// The rest of the text, and the number of its first line.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            line: 1,
        }
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn is_at_line_end(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with(LINE_ENDS)
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next()?;
        self.rest = characters.as_str();
        // CR LF is one line end, at its LF.
        if next == '\n' || (next == '\r' && !self.rest.starts_with('\n')) {
            self.line = self.line.saturating_add(1);
        }
        Some(next)
    }

    /// Takes `wanted` if it comes next.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    /// Takes exactly `word` if it comes next.
    pub(super) fn take_exact(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes `word`, ASCII in any case, if it comes next.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        match self.rest.split_at_checked(word.len()) {
            Some((found, rest)) if found.eq_ignore_ascii_case(word) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes the number of 1 to `most` hexadecimal digits that comes next.
    pub(super) fn take_hex(&mut self, most: usize) -> Option<u32> {
        let count = self.rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        if count > most {
            return None;
        }
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let number = u32::from_str_radix(digits, 16).ok()?;
        self.rest = rest;
        Some(number)
    }

    /// Takes the rest of the line, without its end.
    pub(super) fn take_line(&mut self) -> &'a str {
        let end = self.rest.find(LINE_ENDS).unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        line
    }

    /// Skips blanks within the line.
    pub(super) fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_blank);
    }

    /// Skips the end of a line, if the line ends here: LF, CR LF, or CR alone.
    pub(super) fn take_line_end(&mut self) -> bool {
        let cr = self.take('\r');
        self.take('\n') || cr
    }

    /// Skips blanks and a comment up to the end of the line, and continues on the next line.
    pub(super) fn end_line(&mut self) -> Result<(), ParseError> {
        self.skip_blanks();
        if self.peek() == Some(';') {
            self.take_line();
        }
        if !self.is_at_line_end() {
            return Err(self.error("the end of the line"));
        }
        self.take_line_end();
        Ok(())
    }

    /// Skips blank lines and lines that begin with one of `comments`.
    pub(super) fn skip_empty_lines(&mut self, comments: &[char]) {
        loop {
            self.skip_blanks();
            if self.peek().is_some_and(|c| comments.contains(&c)) {
                self.take_line();
            } else if !self.take_line_end() {
                return;
            }
        }
    }

    /// An error that says that something else was expected here.
    pub(super) fn error(&self, expected: &'static str) -> ParseError {
        ParseError::Syntax {
            line: self.line,
            expected,
            found: quote(self.rest),
        }
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

/// The first characters of the line, safe for a terminal.
fn quote(text: &str) -> String {
    if text.is_empty() {
        return "the end of the file".into();
    }
    let line = text.split(LINE_ENDS).next().map(str::trim_end);
    let Some(line) = line.filter(|line| !line.is_empty()) else {
        return "the end of the line".into();
    };
    let start: String = line.chars().take(MAX_FOUND).collect();
    let dots = if start.len() < line.len() { "..." } else { "" };
    format!("'{}{dots}'", Visible(&start))
}
