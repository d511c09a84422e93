//! The journal's entries about files that are moved.

use serde::{Deserialize, Serialize};

use crate::digest::Content;
use crate::run::RunId;
use crate::run::bounded::list;
use crate::run::trust::Mac;

/// The files that a run moves, after the hives are written and before descriptors are set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FilesEntry {
    /// True if the hives are done, so only files may be half moved, and descriptors half set.
    pub(crate) begun: bool,
    /// The files, in the order of moving.
    #[serde(deserialize_with = "list::<256, _, _>")]
    pub(crate) moves: Vec<FileMove>,
    /// The number of files that the run still keeps although it is undone.
    #[serde(default)]
    pub(crate) left: u64,
}

/// A file that is moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileMove {
    /// Its old path below the target's root, with `/`.
    pub(crate) path: String,
    /// Its new place.
    pub(crate) to: MovedTo,
    /// Its content.
    pub(crate) content: Content,
    /// The MAC of its content; absent in a run without a seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mac: Option<Mac>,
    /// The file that takes its place, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) new: Option<NewFile>,
    /// The number of bytes of all files in it, if it is a folder. Then `content` is that of its
    /// list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<u64>,
    /// True if there was no such file: `new` is made in its place, and nothing is moved away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) created: bool,
}

/// A file that takes the place of one that is moved into the run's own folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewFile {
    /// The path of the file that it was copied from, below the target's root, with `/`.
    pub(crate) from: String,
    /// Its content.
    pub(crate) content: Content,
    /// The MAC of its content; absent in a run without a seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mac: Option<Mac>,
}

impl NewFile {
    /// The name in the run's own folder of the file that takes the place of the one with this
    /// number, until it does. Its MAC is made with this name.
    pub(crate) fn staged_name(number: usize) -> String {
        format!("{STAGED}{number}")
    }
}

/// The new place of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MovedTo {
    /// The run's own folder, under this name.
    Kept(String),
    /// Its old folder, under this name.
    Renamed(String),
}

impl MovedTo {
    /// The name in the run's own folder of the file with this number, from 1. The MAC of a file is
    /// made with this name, wherever the file is.
    pub(crate) fn kept_name(number: usize) -> String {
        format!("{KEPT}{number}")
    }

    /// The name that a run gives to a file that it renames.
    pub(crate) fn new_name(name: &str, run: &RunId) -> String {
        format!("{name}{RENAMED}{run}")
    }
}

/// The beginning of the names of files that a run keeps.
pub(crate) const KEPT: &str = "kept-";
/// The beginning of the names of files that are to take the place of others.
const STAGED: &str = "new-";
/// The text after the old name of a file that was renamed; the run's name follows.
const RENAMED: &str = ".diskmend-";

/// A name as long as the longest one that a run can give to a file.
pub(crate) fn longest_new_name(name: &str) -> String {
    format!("{name}{RENAMED}20000101T000000Z-999")
}

/// The greatest length that a file's name can have after it was renamed, in UTF-16 units.
pub(crate) fn renamed_len(name: &str) -> usize {
    longest_new_name(name).encode_utf16().count()
}
