//! The end of a log in text: its characters and its errors.

use super::MOST_CHARS;

/// The text of a log: UTF-16 if it begins with a byte-order mark, UTF-8 otherwise. What is neither is
/// replaced.
pub(super) fn text(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, rest @ ..] => {
            let units: Vec<u16> = diskmend_base::utf16::whole_units(rest).collect();
            String::from_utf16_lossy(&units)
        }
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The lines of a log of Windows Setup or servicing that tell an error: date and time, a level,
/// a source and a text. The level is never translated.
pub(super) fn errors(text: &str) -> Box<dyn Iterator<Item = &str> + '_> {
    let lines = text.lines().filter(|line| {
        let mut fields = line.splitn(2, ',');
        let level = fields.nth(1).unwrap_or_default().trim_start();
        let rest = level.strip_prefix("Error");
        rest.is_some_and(|rest| rest.starts_with([' ', '\t']))
    });
    Box::new(lines)
}

/// A line without the space around it and without what is too long.
pub(super) fn cut(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ").chars().take(MOST_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_from_other_lines() {
        let log = "2024-01-01 10:00:00, Info                  CBS    Error handling is on\n\
                   2024-01-01 10:00:01, Error                 CBS    Failed [HRESULT = 0x800719e4]\r\n\
                   no line of this kind\n\
                   2024-01-01 10:00:02, Errors\n";
        let found: Vec<String> = errors(log).map(cut).collect();
        let wanted = "2024-01-01 10:00:01, Error CBS Failed [HRESULT = 0x800719e4]";
        assert_eq!(found, [wanted]);
        assert_eq!(cut(&"a".repeat(5000)).len(), MOST_CHARS);
    }

    #[test]
    fn both_encodings_are_read_and_nothing_else_is_lost() {
        assert_eq!(text(b"\xff\xfea\0b\0"), "ab");
        assert_eq!(text(b"ab\xff"), "ab\u{fffd}");
        assert_eq!(text(b"\xff\xfea"), "");
        assert_eq!(text(b""), "");
    }
}
