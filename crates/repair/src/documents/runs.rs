//! The runs on a target.

use std::path::PathBuf;

use serde::Serialize;

use super::{ChangedKey, ChangedValue, DescriptorWords, FileChangeKind, Notice, RunSummary};
use crate::run::{JournalChange, STATE_SUFFIX};

/// The result of `runs`.
#[derive(Clone, Debug, Serialize)]
pub struct RunList {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// The runs, oldest first.
    pub runs: Vec<RunSummary>,
    /// The runs on the same volume that were made in another way, and are undone in that way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<RunsElsewhere>,
    /// Notices for the user.
    pub notices: Vec<Notice>,
}

/// The runs that were made in another way: on the mounted volume of an image that is the target, or
/// on the image of a mounted volume that is the target.
#[derive(Clone, Debug, Serialize)]
pub struct RunsElsewhere {
    /// The image file; absent if the runs were made on the mounted volume.
    pub image: Option<String>,
    /// The runs, oldest first.
    pub runs: Vec<RunSummary>,
}

impl RunsElsewhere {
    /// The folder with the runs of the image; `None` if they were made on the mounted volume.
    #[must_use]
    pub fn state_dir(&self) -> Option<PathBuf> {
        let image = self.image.as_ref()?;
        Some(PathBuf::from(format!("{image}{STATE_SUFFIX}")))
    }
}

/// The result of `runs` with the name of a run: what it changed.
#[derive(Clone, Debug, Serialize)]
pub struct RunDetails {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// The run.
    pub run: RunSummary,
    /// The hives, in the order in which they were written.
    pub hives: Vec<RunHive>,
    /// The files that it moved.
    pub files: Vec<RunFile>,
    /// The permissions of files and folders that it set or tried to set.
    pub permissions: Vec<RunPermission>,
    /// The number of further permissions, which are left out.
    pub more_permissions: u64,
    /// What can't be read.
    pub problems: Vec<String>,
}

/// A hive that a run wrote.
#[derive(Clone, Debug, Serialize)]
pub struct RunHive {
    /// Its path; the whole path if it is not on the target.
    pub path: String,
    /// True if it was dirty and the run recovered it from its logs.
    pub recovered: bool,
    /// The number of changes.
    pub change_count: usize,
    /// The changes, in order; fewer if there are very many, or if they were not recorded.
    pub changes: Vec<RunChange>,
}

/// A change that a run made in a hive.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum RunChange {
    /// A key was created.
    KeyCreated(ChangedKey),
    /// A key was deleted, after everything in it.
    KeyDeleted(ChangedKey),
    /// A key got other permissions.
    KeyPermissions(RunKeyPermissions),
    /// A value was created, deleted or changed.
    Value(ChangedValue),
}

/// The permissions of a registry key, before and after a run.
#[derive(Clone, Debug, Serialize)]
pub struct RunKeyPermissions {
    /// The key below the hive's root.
    pub key: String,
    /// The old security descriptor, as SDDL.
    pub old: String,
    /// The new one.
    pub new: String,
}

impl From<&JournalChange> for RunChange {
    fn from(change: &JournalChange) -> Self {
        match change.clone() {
            JournalChange::KeyCreated(key) => Self::KeyCreated(key),
            JournalChange::KeyDeleted(deleted) => Self::KeyDeleted(ChangedKey { key: deleted.key }),
            JournalChange::KeyPermissions(changed) => {
                let words = |bytes: &[u8]| DescriptorWords::of_key(bytes).line();
                Self::KeyPermissions(RunKeyPermissions {
                    old: words(&changed.old),
                    new: words(&changed.new),
                    key: changed.key,
                })
            }
            JournalChange::Value(value) => Self::Value(value),
        }
    }
}

/// A file that a run moved.
#[derive(Clone, Debug, Serialize)]
pub struct RunFile {
    /// Its old path below the root.
    pub path: String,
    /// What the run did with it.
    pub action: FileChangeKind,
    /// Its new name: in its folder, or in the run's own folder; its path, if the run has made it.
    pub name: String,
    /// Its length in bytes.
    pub length: u64,
    /// The path of the file whose content took its place, or from which it was made; absent if there
    /// is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// The permissions of a file or folder, before and after a run.
#[derive(Clone, Debug, Serialize)]
pub struct RunPermission {
    /// Its path below the root.
    pub path: String,
    /// The old security descriptor, as SDDL.
    pub old: String,
    /// The new one.
    pub new: String,
}
