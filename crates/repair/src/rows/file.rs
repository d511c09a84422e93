//! The `[[file]]` rows: files that are moved out of Windows's way.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault_words::FaultWords;
use super::{About, Claim, FolderPath, JudgeFiles, Kind, Shown, Wrong, sentence, wrong};
use crate::finding::{FileChangeKind, RowState, SeenFile};
use crate::written::{NamePattern, TimeWindow};

/// Files that Windows must not find.
#[derive(Clone, Debug)]
pub struct FileRow {
    path: FolderPath,
    name: NamePattern,
    modified: Option<TimeWindow>,
    change: FileChangeKind,
    /// True if such a file is evidence of a fault.
    fault: bool,
    why: String,
}

/// The fields in a recipe.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileFile {
    path: Spanned<String>,
    #[serde(rename = "match")]
    name: Spanned<String>,
    modified: Option<Spanned<String>>,
    action: Spanned<String>,
    fault: Option<Spanned<FaultWords>>,
    why: Spanned<String>,
}

/// The row in the JSON of `diskmend recipes`.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    path: String,
    #[serde(rename = "match")]
    name: String,
    /// When the files were last changed; absent if that doesn't matter.
    modified: Option<String>,
    action: FileChangeKind,
    can_be_fault: bool,
    why: &'a str,
}

impl Kind for FileRow {
    type Written = FileFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: FileFile) -> Result<Self, Wrong> {
        let path = FolderPath::parse(written.path.get_ref()).map_err(wrong(&written.path))?;
        let name = NamePattern::parse(written.name.get_ref()).map_err(wrong(&written.name))?;
        let modified = match &written.modified {
            None => None,
            Some(text) => Some(TimeWindow::parse(text.get_ref()).map_err(wrong(text))?),
        };
        let change = match written.action.get_ref().as_str() {
            "remove" => FileChangeKind::Remove,
            "rename" => FileChangeKind::Rename,
            other => {
                return Err(wrong(&written.action)(format!(
                    "no action \"{other}\": expected \"remove\" or \"rename\""
                )));
            }
        };
        let fault = FaultWords::only(written.fault, "exists")?;
        sentence(written.why.get_ref()).map_err(wrong(&written.why))?;
        Ok(Self {
            path,
            name,
            modified,
            change,
            fault,
            why: written.why.into_inner(),
        })
    }

    fn about(&self) -> About<'_> {
        About::Files(self)
    }

    fn claim(&self) -> Option<Claim<'_>> {
        Some(Claim::Files {
            folder: &self.path,
            name: &self.name,
            change: self.change,
        })
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            path: self.path.to_string(),
            name: self.name.to_string(),
            modified: self.modified.map(|window| window.to_string()),
            action: self.change,
            can_be_fault: self.fault,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        let what = match self.change {
            FileChangeKind::Remove => "is removed, and kept in the run",
            FileChangeKind::Rename => "gets another name",
        };
        let mut lines = vec![format!("{} {what}", self.name)];
        lines.extend(
            self.modified
                .map(|window| format!("only if it was last changed within {window}")),
        );
        if self.fault {
            lines.push("a fault if it exists".to_owned());
        }
        Shown {
            place: format!("Files in {}", self.path),
            lines,
        }
    }
}

impl JudgeFiles for FileRow {
    fn folder(&self) -> &FolderPath {
        &self.path
    }

    fn name(&self) -> &NamePattern {
        &self.name
    }

    fn change(&self) -> FileChangeKind {
        self.change
    }

    fn judge(&self, seen: &SeenFile) -> Option<RowState> {
        match (&self.modified, seen.modified) {
            (Some(window), Some(time)) if !window.contains(time) => return None,
            // Without the time it is unknown if the row is about this file.
            (Some(_), None) => return Some(RowState::Reported),
            _ => {}
        }
        Some(if self.fault {
            RowState::Fault
        } else {
            RowState::Differs
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::test_support::refused;

    const GOOD: &str = "schema = 1\nname = \"own\"\ntitle = \"Title\"\nsummary = \"Summary\"\n\
        sources = [\"https://example.org\"]\n\n[[file]]\npath = 'Windows\\System32\\drivers'\n\
        match = \"bad*.sys\"\nmodified = \"2024-07-19T04:09:00Z..2024-07-19T05:26:59Z\"\n\
        action = \"remove\"\nfault = \"exists\"\nwhy = \"because\"\n";

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (from, to, place, say) in [
            ("Windows\\S", "..\\S", "8:8", "not a path"),
            ("\"bad*.sys\"", "\"*\"", "9:9", "too many files"),
            ("\"bad*.sys\"", "'a\\b'", "9:9", "not accepted"),
            ("T04:09:00Z..", "T04:09:00Z-", "10:12", "no window"),
            ("\"remove\"", "\"delete\"", "11:10", "no action \"delete\""),
            ("\"exists\"", "\"missing\"", "12:9", "\"exists\""),
            ("why = \"because\"", "", "7:1", "why"),
        ] {
            refused(GOOD, (from, to), place, say);
        }
    }

    fn row(fault: bool, modified: Option<&str>) -> FileRow {
        FileRow {
            path: FolderPath::parse("Windows").expect("valid"),
            name: NamePattern::parse("a*").expect("valid"),
            modified: modified.map(|text| TimeWindow::parse(text).expect("valid")),
            change: FileChangeKind::Remove,
            fault,
            why: String::new(),
        }
    }

    #[test]
    fn a_file_outside_of_the_window_is_none_of_the_rows() {
        let seen = |time: Option<&str>| SeenFile {
            len: 1,
            modified: time.map(|time| time.parse().expect("valid")),
            content: None,
            problem: None,
        };
        let window = Some("2024-07-19T04:09:00Z..2024-07-19T05:26:59Z");
        let (inside, outside) = ("2024-07-19T05:00:00Z", "2024-07-19T05:27:00Z");
        let of = |row: FileRow, time| row.judge(&seen(time));
        assert_eq!(of(row(true, window), Some(inside)), Some(RowState::Fault));
        assert_eq!(of(row(true, window), Some(outside)), None);
        assert_eq!(of(row(true, window), None), Some(RowState::Reported));
        assert_eq!(of(row(false, None), None), Some(RowState::Differs));
    }
}
