//! What is found about files that a recipe wants to be gone.

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
}

/// A file of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeenFile {
    /// Its length in bytes.
    pub(crate) len: u64,
    /// When its content was last changed, if that is known.
    pub(crate) modified: Option<Timestamp>,
    /// Its content, if it can be moved.
    pub(crate) content: Option<Content>,
    /// The reason why it can't be moved.
    pub(crate) problem: Option<String>,
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

impl MayBeFault for JudgedFile {
    fn is_fault(&self) -> bool {
        self.state == RowState::Fault
    }

    fn is_no_fault(&mut self) {
        self.state = RowState::Differs;
    }
}
