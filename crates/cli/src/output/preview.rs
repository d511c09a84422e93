//! The preview of an undo, line by line.

use std::io::{self, Write};

use diskmend_base::escape::Visible;
use diskmend_base::hex;
use diskmend_repair::WouldChange;
use diskmend_repair::documents::FileAction;

use super::report;

/// The maximum number of bytes of a piece that are shown.
const SHOWN: usize = 32;

/// Writes one change.
pub(crate) fn line(out: &mut dyn Write, change: &WouldChange<'_>) -> io::Result<()> {
    match change {
        WouldChange::File {
            path,
            action: FileAction::Removed,
            length: (Some(now), _),
        } => writeln!(out, "file {}: removed; it has {now} bytes", Visible(path)),
        WouldChange::File {
            path,
            action: FileAction::Removed,
            ..
        } => writeln!(out, "file {}: removed; it is not there", Visible(path)),
        WouldChange::File {
            path,
            length: (now, then),
            ..
        } => {
            let now = now.map_or("not there".to_owned(), |now| format!("{now} bytes"));
            writeln!(out, "file {}: {now}, then {then} bytes", Visible(path))
        }
        WouldChange::Bytes {
            path,
            offset,
            now,
            then,
        } => {
            let place = format!("{path} at offset {offset:#x}, {} bytes", then.len());
            pair(out, &place, &hex(now), &hex(then))
        }
        WouldChange::Disk { offset, now, then } => {
            let place = format!("disk at offset {offset:#x}, {} bytes", then.len());
            pair(out, &place, &hex(now), &hex(then))
        }
        WouldChange::Key {
            path,
            key,
            now,
            then,
        } => {
            let words = |words: &Option<String>| match words.as_deref() {
                None => "(none)".to_owned(),
                Some("") => "(there)".to_owned(),
                Some(words) => words.to_owned(),
            };
            pair(out, &format!("{path}\\{key}"), &words(now), &words(then))
        }
        WouldChange::Value {
            path,
            key,
            name,
            now,
            then,
        } => {
            let place = format!("{path}\\{key}\\{}", report::value_name(name));
            let (now, then) = (report::data(now.as_ref()), report::data(then.as_ref()));
            pair(out, &place, &now, &then)
        }
        WouldChange::Descriptor { path, now, then } => {
            pair(out, &format!("permissions of {path}"), now, then)
        }
        WouldChange::Moved {
            path,
            name,
            problem,
        } => {
            let then = match problem {
                None => "moved back".to_owned(),
                Some(problem) => format!("not moved back: {problem}"),
            };
            pair(out, &format!("file {path}"), name, &then)
        }
        WouldChange::Unknown { path, reason } => {
            writeln!(out, "{}: unknown: {}", Visible(path), Visible(reason))
        }
        _ => writeln!(out, "a change that this program can't describe"),
    }
}

fn pair(out: &mut dyn Write, place: &str, now: &str, then: &str) -> io::Result<()> {
    writeln!(out, "{}", Visible(place))?;
    writeln!(out, "    now  {}", Visible(now))?;
    writeln!(out, "    then {}", Visible(then))
}

fn hex(bytes: &[u8]) -> String {
    let shown = bytes.get(..SHOWN).unwrap_or(bytes);
    let mut text = hex::encode(shown);
    if bytes.len() > SHOWN {
        text.push_str("...");
    }
    if bytes.is_empty() {
        text.push_str("(past the end)");
    }
    text
}

#[cfg(test)]
mod tests {
    use diskmend_base::escape::is_hidden;

    use super::*;

    /// Text that ends a line, imitates a hint, sends a terminal command, and changes the text
    /// direction.
    const PLANTED: &str = "P\nhint: run this\r\u{1b}[2J\u{202e}";

    /// The preview shows text from a journal that anybody can have written.
    #[test]
    fn no_text_of_a_forged_run_begins_a_line() {
        let text = || Some(PLANTED.to_owned());
        let file = |action, length| WouldChange::File {
            path: PLANTED,
            action,
            length,
        };
        let bytes: &[u8] = &[1, 2];
        for (change, lines) in [
            (file(FileAction::Removed, (Some(1), 0)), 1),
            (file(FileAction::Removed, (None, 0)), 1),
            (file(FileAction::Restored, (None, 5)), 1),
            (
                WouldChange::Bytes {
                    path: PLANTED,
                    offset: 4096,
                    now: bytes,
                    then: bytes,
                },
                3,
            ),
            (
                WouldChange::Key {
                    path: PLANTED,
                    key: PLANTED,
                    now: text(),
                    then: text(),
                },
                3,
            ),
            (
                WouldChange::Value {
                    path: PLANTED,
                    key: PLANTED,
                    name: PLANTED,
                    now: None,
                    then: None,
                },
                3,
            ),
            (
                WouldChange::Descriptor {
                    path: PLANTED.to_owned(),
                    now: PLANTED.to_owned(),
                    then: PLANTED.to_owned(),
                },
                3,
            ),
            (
                WouldChange::Unknown {
                    path: PLANTED,
                    reason: PLANTED.to_owned(),
                },
                1,
            ),
        ] {
            let mut out = Vec::new();
            line(&mut out, &change).expect("memory");
            let out = String::from_utf8(out).expect("UTF-8");
            assert_eq!(out.lines().count(), lines, "{out:?}");
            let hidden = |c: char| is_hidden(c) && c != '\n';
            assert!(
                !out.contains(hidden) && out.contains("P<U+000A>"),
                "{out:?}"
            );
        }
    }
}
