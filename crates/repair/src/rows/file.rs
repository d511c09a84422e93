//! The `[[file]]` rows: files that are moved out of Windows's way, or replaced.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault_words::FaultWords;
use super::{About, Claim, FolderPath, JudgeFiles, Kind, Shown, Wrong, sentence, wrong};
use crate::finding::{FileChangeKind, RowState, SeenFile};
use crate::written::{NamePattern, TimeWindow};

/// Files that Windows must not find, or a file that must not be damaged.
#[derive(Clone, Debug)]
pub struct FileRow {
    path: FolderPath,
    name: NamePattern,
    modified: Option<TimeWindow>,
    change: FileChangeKind,
    copy: Option<CopyFrom>,
    /// True if the row is about a folder, with everything in it.
    is_folder: bool,
    /// True if such a file is evidence of a fault.
    fault: bool,
    why: String,
}

/// The file whose content takes the place of a damaged one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyFrom {
    /// Its path.
    pub(crate) path: FolderPath,
    pub(crate) check: FileCheck,
    pub(crate) if_missing: IfFileMissing,
}

/// What is done about a file that doesn't exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IfFileMissing {
    /// Nothing.
    #[default]
    Leave,
    /// It is made, which counts as repairing a damaged one.
    Create,
}

impl IfFileMissing {
    fn read(written: Option<&Spanned<String>>, check: FileCheck) -> Result<Self, Wrong> {
        let Some(written) = written else {
            return Ok(Self::Leave);
        };
        match written.get_ref().as_str() {
            "leave" => Ok(Self::Leave),
            // Without the logs that belonged to it, it is not known what a hive should hold.
            "create" if check == FileCheck::Hive => {
                Err(wrong(written)("a missing hive is not made".to_owned()))
            }
            "create" => Ok(Self::Create),
            other => Err(wrong(written)(format!(
                "no \"{other}\": expected \"leave\" or \"create\""
            ))),
        }
    }
}

/// What a file must be. A file that isn't is replaced, and one that replaces it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileCheck {
    /// A registry hive that loads.
    Hive,
    /// A program, library or driver of Windows, as far as its headers tell.
    Pe,
    /// A file with content.
    Nonempty,
}

impl FileCheck {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "hive" => Ok(Self::Hive),
            "pe" => Ok(Self::Pe),
            "nonempty" => Ok(Self::Nonempty),
            other => Err(format!(
                "no check \"{other}\": expected \"hive\", \"pe\" or \"nonempty\""
            )),
        }
    }

    /// What a file should be, for display.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::Hive => "a sound registry hive",
            Self::Pe => "a whole PE file",
            Self::Nonempty => "a file with content",
        }
    }
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
    what: Option<Spanned<String>>,
    from: Option<Spanned<String>>,
    check: Option<Spanned<String>>,
    if_missing: Option<Spanned<String>>,
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
    /// The file whose content is taken; absent if none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// What both files must be; absent if nothing is copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<FileCheck>,
    /// What is done if the file doesn't exist; absent if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    if_missing: Option<IfFileMissing>,
    /// True if it is a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<bool>,
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
            "copy" => FileChangeKind::Copy,
            other => {
                return Err(wrong(&written.action)(format!(
                    "no action \"{other}\": expected \"remove\", \"rename\" or \"copy\""
                )));
            }
        };
        let copy = match (change, written.from, written.check) {
            (FileChangeKind::Copy, Some(from), Some(check)) => {
                if !name.is_name() {
                    return Err(wrong(&written.name)(
                        "one file is replaced: write its name without * and ?".to_owned(),
                    ));
                }
                if let Some(modified) = &written.modified {
                    return Err(wrong(modified)(
                        "a file is replaced because it is damaged, not because of its time"
                            .to_owned(),
                    ));
                }
                let from_path = FolderPath::parse(from.get_ref()).map_err(wrong(&from))?;
                if from_path.is_file_of(&path, &name) {
                    return Err(wrong(&from)("this is the file itself".to_owned()));
                }
                let check = FileCheck::parse(check.get_ref()).map_err(wrong(&check))?;
                Some(CopyFrom {
                    path: from_path,
                    check,
                    if_missing: IfFileMissing::read(written.if_missing.as_ref(), check)?,
                })
            }
            (FileChangeKind::Copy, ..) => {
                return Err(wrong(&written.action)(
                    "\"copy\" needs the fields \"from\" and \"check\"".to_owned(),
                ));
            }
            (_, Some(extra), _) | (_, _, Some(extra)) => {
                return Err(wrong(&extra)("only \"copy\" has this field".to_owned()));
            }
            (_, None, None) => None,
        };
        if let (None, Some(extra)) = (&copy, &written.if_missing) {
            return Err(wrong(extra)("only \"copy\" has this field".to_owned()));
        }
        let is_folder = match &written.what {
            None => false,
            Some(what) => is_folder(what, change, &name, written.modified.is_some())?,
        };
        let word = if copy.is_some() { "damaged" } else { "exists" };
        let fault = FaultWords::only(written.fault, word)?;
        sentence(written.why.get_ref()).map_err(wrong(&written.why))?;
        Ok(Self {
            path,
            name,
            modified,
            change,
            copy,
            is_folder,
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
            from: self.copy.as_ref().map(|copy| &copy.path),
            is_folder: self.is_folder,
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
            from: self.copy.as_ref().map(|copy| copy.path.to_string()),
            check: self.copy.as_ref().map(|copy| copy.check),
            if_missing: self
                .copy
                .as_ref()
                .map(|copy| copy.if_missing)
                .filter(|wanted| *wanted != IfFileMissing::Leave),
            folder: self.is_folder.then_some(true),
            can_be_fault: self.fault,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        let what = match self.change {
            FileChangeKind::Remove => "is removed, and kept in the run",
            FileChangeKind::Rename => "gets another name",
            FileChangeKind::Copy | FileChangeKind::Create => "is replaced, and kept in the run",
        };
        let mut lines = vec![format!("{} {what}", self.name)];
        lines.extend(self.copy.as_ref().map(|copy| {
            format!(
                "only if it is not {0}, by {1}, which must be {0}",
                copy.check.expected(),
                copy.path
            )
        }));
        if self.makes() {
            lines.push("made anew if it doesn't exist".to_owned());
        }
        lines.extend(
            self.modified
                .map(|window| format!("only if it was last changed within {window}")),
        );
        if self.fault {
            let word = if self.copy.is_some() {
                if self.makes() {
                    "is damaged or missing"
                } else {
                    "is damaged"
                }
            } else {
                "exists"
            };
            lines.push(format!("a fault if it {word}"));
        }
        Shown {
            place: if self.is_folder {
                format!("A folder in {}", self.path)
            } else {
                format!("Files in {}", self.path)
            },
            lines,
        }
    }
}

impl FileRow {
    /// True if a missing file is made.
    fn makes(&self) -> bool {
        let copy = self.copy.as_ref();
        copy.is_some_and(|copy| copy.if_missing == IfFileMissing::Create)
    }
}

/// True if the row is about a folder, as its field `what` says.
fn is_folder(
    what: &Spanned<String>,
    change: FileChangeKind,
    name: &NamePattern,
    has_time: bool,
) -> Result<bool, Wrong> {
    let wrong = |message: &str| Err(wrong(what)(message.to_owned()));
    match what.get_ref().as_str() {
        "file" => Ok(false),
        "folder" if change != FileChangeKind::Rename => {
            wrong("a folder can only be renamed: expected action \"rename\"")
        }
        "folder" if !name.is_name() => {
            wrong("one folder is renamed: write its name without * and ?")
        }
        "folder" if has_time => wrong("a folder is renamed whatever its time is"),
        "folder" => Ok(true),
        other => wrong(&format!("no \"{other}\": expected \"file\" or \"folder\"")),
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

    fn copy(&self) -> Option<&CopyFrom> {
        self.copy.as_ref()
    }

    fn is_folder(&self) -> bool {
        self.is_folder
    }

    fn judge(&self, seen: &SeenFile) -> Option<RowState> {
        if self.copy.is_some() && seen.damage.is_none() {
            return Some(RowState::Ok);
        }
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
            ("\"remove\"", "\"copy\"", "11:10", "\"from\""),
            (
                "fault = ",
                "what = \"folder\"\nfault = ",
                "12:8",
                "only be renamed",
            ),
            (
                "fault = ",
                "what = \"tree\"\nfault = ",
                "12:8",
                "\"folder\"",
            ),
            ("why = ", "check = \"pe\"\nwhy = ", "13:9", "only \"copy\""),
            ("why = \"because\"", "", "7:1", "why"),
        ] {
            refused(GOOD, (from, to), place, say);
        }
    }

    const COPY: &str = "schema = 1\nname = \"own\"\ntitle = \"Title\"\nsummary = \"Summary\"\n\
        sources = [\"https://example.org\"]\n\n[[file]]\npath = 'Windows\\System32'\n\
        match = \"winload.exe\"\naction = \"copy\"\nfrom = 'Windows\\Boot\\winload.exe'\n\
        check = \"pe\"\nfault = \"damaged\"\nwhy = \"because\"\n";

    #[test]
    fn a_copy_names_one_file_and_another_one() {
        for (from, to, place, say) in [
            ("\"winload.exe\"", "\"winload.*\"", "9:9", "one file"),
            ("'Windows\\B", "'C:\\B", "11:8", "':' is not accepted"),
            ("Boot\\winload", "system32\\WINLOAD", "11:8", "itself"),
            ("\"pe\"", "\"elf\"", "12:9", "no check \"elf\""),
            ("check = \"pe\"\n", "", "10:10", "\"check\""),
            ("\"damaged\"", "\"exists\"", "13:9", "\"damaged\""),
            (
                "fault =",
                "modified = \"2024-07-19T04:09:00Z..2024-07-19T05:26:59Z\"\nfault =",
                "13:12",
                "not because of its time",
            ),
        ] {
            refused(COPY, (from, to), place, say);
        }
    }

    fn row(fault: bool, modified: Option<&str>) -> FileRow {
        FileRow {
            path: FolderPath::parse("Windows").expect("valid"),
            name: NamePattern::parse("a*").expect("valid"),
            modified: modified.map(|text| TimeWindow::parse(text).expect("valid")),
            change: FileChangeKind::Remove,
            copy: None,
            is_folder: false,
            fault,
            why: String::new(),
        }
    }

    #[test]
    fn a_file_outside_of_the_window_is_none_of_the_rows() {
        let seen = |time: Option<&str>| SeenFile {
            modified: time.map(|time| time.parse().expect("valid")),
            ..SeenFile::of_len(1)
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
