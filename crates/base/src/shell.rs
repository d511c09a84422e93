//! Words of a command line that the user may copy.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::escape::is_hidden;

/// Quotes the word for the shell of this machine, if any character in it could have a special
/// meaning. On Windows the quoting is for PowerShell; the Command Prompt understands it too, unless
/// the word contains `%`, `$`, a backtick or typographic quotes.
#[must_use]
pub fn word(text: &str) -> Cow<'_, str> {
    if !text.is_empty() && text.chars().all(is_plain) && !text.starts_with('-') {
        return text.into();
    }
    if cfg!(windows) {
        windows(text).into()
    } else {
        posix(text).into()
    }
}

/// True for a character that has no special meaning in any shell.
fn is_plain(character: char) -> bool {
    let separator = if cfg!(windows) { '\\' } else { '/' };
    (character.is_alphanumeric() || "/:._-+".contains(character) || character == separator)
        && !is_hidden(character)
}

/// In single quotes; if the word contains characters that can't be shown, in the quotes that have
/// escapes (POSIX.1-2024, 2.2.4).
fn posix(text: &str) -> String {
    if !text.chars().any(is_hidden) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut word = String::from("$'");
    for character in text.chars() {
        match character {
            '\'' | '\\' => {
                word.push('\\');
                word.push(character);
            }
            _ if is_hidden(character) => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    // Always three digits, so that a following digit is text. Writing to a string
                    // can't fail.
                    let _ = write!(word, "\\{byte:03o}");
                }
            }
            _ => word.push(character),
        }
    }
    word.push('\'');
    word
}

/// In double quotes, which both shells have, or in single quotes of PowerShell; inside these, only
/// single quotes of any shape are special.
fn windows(text: &str) -> String {
    const SINGLE: &str = "'\u{2018}\u{2019}\u{201a}\u{201b}";
    const DOUBLE: &str = "\"\u{201c}\u{201d}\u{201e}";
    let needs_single = |c: char| "$`%".contains(c) || DOUBLE.contains(c) || is_hidden(c);
    // A backslash before the closing quote would escape that quote. Without it the path names the
    // same folder, and `volume_root` completes a volume name.
    let text = text.trim_end_matches('\\');
    if !text.chars().any(needs_single) {
        return format!("\"{text}\"");
    }
    let mut word = String::from("'");
    for character in text.chars() {
        if SINGLE.contains(character) {
            word.push(character);
        }
        word.push(character);
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_words_that_need_it_are_quoted() {
        assert_eq!(word("/mnt/f"), "/mnt/f");
        assert_eq!(word("F:"), "F:");
        assert_eq!(word("/mnt/my disk"), "'/mnt/my disk'");
        assert_eq!(word("it's; rm -rf ~"), r"'it'\''s; rm -rf ~'");
        assert_eq!(word(""), "''");
        assert_eq!(word("--yes"), "'--yes'");
        assert_eq!(word(r"a\b"), r"'a\b'");
    }

    #[cfg(unix)]
    #[test]
    fn the_shell_gives_back_every_word() {
        for text in [
            "a b",
            "it's",
            "a\nhint: run this",
            "\u{1b}[2J",
            "\u{202e}\u{85}1",
            "$(id)",
            "`id`",
            "a\\",
            "-rf",
            "*",
            "~",
            "a'\n'b",
            "\u{e0041}",
            // An invisible letter.
            "a\u{3164}b",
            "!x",
            "a;b",
            "#c",
            "{a,b}",
            "%PATH%",
        ] {
            let quoted = word(text);
            assert!(!quoted.chars().any(is_hidden), "{quoted}");
            let script = format!("printf %s {quoted}");
            let output = std::process::Command::new("bash")
                .args(["-c", &script])
                .output();
            let output = output.expect("bash");
            assert_eq!(String::from_utf8_lossy(&output.stdout), text, "{quoted}");
        }
    }

    #[test]
    fn on_windows_words_are_quoted_for_both_shells() {
        assert_eq!(windows(r"C:\my disk"), r#""C:\my disk""#);
        assert_eq!(windows(r"C:\my disk\"), r#""C:\my disk""#);
        assert_eq!(windows("a$b'c"), "'a$b''c'");
        assert_eq!(
            windows("a\u{201d}b\u{2019}"),
            "'a\u{201d}b\u{2019}\u{2019}'"
        );
        assert_eq!(windows("%PATH%"), "'%PATH%'");
    }
}
