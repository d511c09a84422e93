//! What is found about files that a recipe wants to be gone or replaced.

use jiff::Timestamp;
use serde::Serialize;

use super::{MayBeFault, RowState};
use crate::digest::Content;

/// What is done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileChangeKind {
    /// It is moved into the run, which keeps it.
    Remove,
    /// It gets another name in its folder, which Windows looks for nowhere.
    Rename,
    /// The content of another file takes its place, and it is moved into the run, which keeps it.
    Copy,
    /// It is missing, and is made with the content of another file.
    Create,
}

/// A file of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeenFile {
    /// Its length in bytes; of a folder, the length of all files in it.
    pub(crate) len: u64,
    /// True if it is a folder.
    pub(crate) is_folder: bool,
    /// When its content was last changed, if that is known.
    pub(crate) modified: Option<Timestamp>,
    /// Its content, if it can be moved.
    pub(crate) content: Option<Content>,
    /// The reason why it can't be moved.
    pub(crate) problem: Option<String>,
    /// What is wrong with it, if it is to be replaced because of that.
    pub(crate) damage: Option<String>,
    /// The file whose content is to take its place, if it has to.
    pub(crate) source: Option<Result<Source, BadSource>>,
}

/// A file whose content takes the place of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// Its path below the root, with `/`.
    pub(crate) path: String,
    /// Its content.
    pub(crate) content: Content,
    /// True if it is a hive that Windows had not closed.
    pub(crate) is_to_be_closed: bool,
    /// When Windows wrote it, if it is a hive.
    pub(crate) written: Option<Timestamp>,
}

/// Why a file can't take the place of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadSource {
    /// Its path below the root, with `/`.
    pub(crate) path: String,
    /// What it should be.
    pub(crate) expected: String,
    /// What it is.
    pub(crate) found: String,
}

impl SeenFile {
    /// A file of which only the length is known.
    pub(crate) const fn of_len(len: u64) -> Self {
        Self {
            len,
            is_folder: false,
            modified: None,
            content: None,
            problem: None,
            damage: None,
            source: None,
        }
    }
}

/// A file that a row is about, compared with what the row wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JudgedFile {
    /// Its path below the root, with `/`. If there is no such file, its last name is the pattern.
    pub(crate) path: String,
    /// The file; `None` if there is none.
    pub(crate) seen: Option<SeenFile>,
    pub(crate) change: FileChangeKind,
    pub(crate) state: RowState,
}

impl JudgedFile {
    /// The file whose content is to take its place.
    pub(crate) fn source(&self) -> Option<&Source> {
        self.seen.as_ref()?.source.as_ref()?.as_ref().ok()
    }
}

impl MayBeFault for JudgedFile {
    fn is_fault(&self) -> bool {
        self.state == RowState::Fault
    }

    fn is_no_fault(&mut self) {
        self.state = RowState::Differs;
    }
}
