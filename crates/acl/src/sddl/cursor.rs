//! A position in a text that is read from left to right.

use std::borrow::Cow;

use super::SddlError;

/// The number of characters of the text that an error shows.
const SHOWN: usize = 40;

pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.split_at(self.at).1
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Steps over `word` if it comes next; case is ignored.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let comes = self
            .rest()
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word));
        if comes {
            self.at = self.at.saturating_add(word.len());
        }
        comes
    }

    pub(super) fn expect(&mut self, word: &'static str) -> Result<(), SddlError> {
        if self.take(word) {
            Ok(())
        } else {
            Err(self.error(format!("\"{word}\"")))
        }
    }

    /// Steps over all characters up to the first that isn't one of `of`.
    pub(super) fn take_while(&mut self, of: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.find(|c| !of(c)).unwrap_or(rest.len());
        self.at = self.at.saturating_add(len);
        rest.split_at(len).0
    }

    pub(super) fn skip_spaces(&mut self) {
        self.take_while(|c| c.is_ascii_whitespace());
    }

    /// An error about what comes next.
    pub(super) fn error(&self, expected: impl Into<Cow<'static, str>>) -> SddlError {
        self.error_about(self.rest(), expected)
    }

    /// An error about `found`, the piece of the text that was read last or comes next.
    pub(super) fn error_about(
        &self,
        found: &str,
        expected: impl Into<Cow<'static, str>>,
    ) -> SddlError {
        let actual = if found.is_empty() && self.is_at_end() {
            "the end".to_owned()
        } else {
            format!("\"{}\"", found.chars().take(SHOWN).collect::<String>())
        };
        SddlError {
            offset: self.place_of(found).unwrap_or(self.at),
            expected: expected.into(),
            actual,
            unresolved: None,
        }
    }

    /// The offset of a piece in the text. Spaces around it may have been skipped too.
    fn place_of(&self, piece: &str) -> Option<usize> {
        let at = piece
            .as_ptr()
            .addr()
            .checked_sub(self.text.as_ptr().addr())?;
        self.text.get(at..)?.starts_with(piece).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Domains, SecurityDescriptor};

    #[test]
    fn an_error_names_the_place_of_what_is_wrong() {
        for (sddl, offset, actual) in [
            // Spaces after a field once counted as part of it, so that the field ended inside a
            // character.
            ("D:(A;\u{fc}F\t;;;;WD)", 5, "\"\u{fc}F\""),
            ("D:(A; QQ ;FA;;;WD)", 6, "\"QQ\""),
            // The text after the error looks like the error.
            ("D:(A;;Q;Q;;WD)", 6, "\"Q\""),
            ("D:(A;;FA;;;ZZ)", 11, "\"ZZ)\""),
            ("D:(A;;FA", 8, "the end"),
        ] {
            let error = SecurityDescriptor::from_sddl(sddl, &Domains::default()).unwrap_err();
            assert_eq!(
                (error.offset, error.actual.as_str()),
                (offset, actual),
                "{sddl}"
            );
        }
    }
}
