//! Words of a command line that a person may copy.

use std::borrow::Cow;

/// The word, in quotes where a shell would take it for more than one or for a command.
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || "/\\:._-+@%{}?".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into();
    }
    match cfg!(windows) {
        true => format!("\"{text}\"").into(),
        false => format!("'{}'", text.replace('\'', r"'\''")).into(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_need_it_are_quoted() {
        assert_eq!(word("/mnt/f"), "/mnt/f");
        assert_eq!(word("F:"), "F:");
        assert_eq!(word("/mnt/my disk"), "'/mnt/my disk'");
        assert_eq!(word("it's; rm -rf ~"), r"'it'\''s; rm -rf ~'");
        assert_eq!(word(""), "''");
    }
}
