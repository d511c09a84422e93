//! The journal's entries about hives, files, permissions and the disk.

use diskmend_hive::Change;
use serde::{Deserialize, Serialize};

use super::deleted_key::{ChangedDescriptor, DeletedKey};
pub(crate) use crate::digest::Content;
use crate::finding::{ChangedKey, ChangedValue};
pub(crate) use crate::place::on_volume;
use crate::run::bounded::{list, skipped};
use crate::run::changes_file::ChangesEntry;
use crate::run::records::RecordsEntry;
use crate::run::trust::Mac;
use crate::value_data::ValueData;

/// One hive of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HiveEntry {
    /// Its name.
    pub(crate) hive: String,
    /// The root of its volume at the time of the run, if that is not the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub(crate) path: String,
    /// True if the hive was dirty and this run recovered it from its logs.
    pub(crate) recovered: bool,
    /// True if reversing `changes` restores everything that the edit changed.
    pub(crate) reversible: bool,
    /// The changes in the registry's terms, in order. Empty until they are read, and if they are
    /// too many to be reversed. Only journals of the old version hold them here.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "skipped"
    )]
    pub(crate) changes: Vec<JournalChange>,
    /// The file that holds the changes; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) changes_file: Option<ChangesEntry>,
    /// The number of changes, recorded or not.
    pub(crate) change_count: usize,
    /// The files that are written.
    #[serde(deserialize_with = "list::<8, _, _>")]
    pub(crate) files: Vec<FileEntry>,
    /// The writes in their order.
    #[serde(deserialize_with = "list::<{ 1 << 16 }, _, _>")]
    pub(crate) steps: Vec<Step>,
}

/// The security descriptors that a run sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DescriptorsEntry {
    /// The file with the old and new descriptors.
    pub(crate) records: RecordsEntry,
    /// True if the hives are done, so only descriptors may be half set.
    pub(crate) begun: bool,
    /// The number of objects that couldn't be changed.
    #[serde(default)]
    pub(crate) failed: u64,
    /// Reports in the run's folder.
    #[serde(deserialize_with = "list::<16, _, _>")]
    pub(crate) reports: Vec<String>,
}

/// The changed sectors of a disk that isn't mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DiskEntry {
    /// The number of the target's partition on it.
    pub(crate) partition: u32,
    /// The file in the run's folder that holds their old and new bytes.
    pub(crate) record: String,
    /// That file's content after the run; absent until the run is done.
    pub(crate) content: Option<Content>,
    /// Its MAC after the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mac: Option<Mac>,
}

/// A change in the registry's terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub(crate) enum JournalChange {
    /// A key was created.
    KeyCreated(ChangedKey),
    /// A key was deleted, after everything in it.
    KeyDeleted(DeletedKey),
    /// A key got another security descriptor.
    KeyPermissions(ChangedDescriptor),
    /// A value was created, deleted or changed.
    Value(ChangedValue),
}

impl From<&Change> for JournalChange {
    fn from(change: &Change) -> Self {
        match change.clone() {
            Change::KeyCreated { key } => Self::KeyCreated(ChangedKey { key }),
            Change::KeyDeleted { key, state } => Self::KeyDeleted(DeletedKey {
                key,
                state: state.map(|state| Box::new((*state).into())),
            }),
            Change::Descriptor { key, old, new } => {
                Self::KeyPermissions(ChangedDescriptor { key, old, new })
            }
            Change::Value {
                key,
                name: value,
                old,
                new,
            } => Self::Value(ChangedValue {
                key,
                value,
                old: old.map(ValueData::from),
                new: new.map(ValueData::from),
            }),
        }
    }
}

/// A file that a run writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileEntry {
    /// Its path below the target's root, with `/`.
    pub(crate) path: String,
    /// The file in the run's folder that holds its old bytes.
    pub(crate) undo: String,
    /// The MAC of that file; absent in a run without a seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mac: Option<Mac>,
    /// Its content before; absent if it didn't exist.
    pub(crate) old: Option<Content>,
    /// Its content after the run; absent until the run is done.
    pub(crate) new: Option<Content>,
}

/// One step of a commit. `file` counts the hive's files from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    /// The file is created.
    Create {
        /// The file.
        file: usize,
    },
    /// The file gets another length.
    Length {
        /// The file.
        file: usize,
        /// Its length before, in bytes.
        before: u64,
    },
    /// The file is written, in the extents of the next records of its undo data.
    Write {
        /// The file.
        file: usize,
        /// The number of records.
        records: usize,
    },
    /// Everything written so far is made durable.
    Flush,
}

impl FileEntry {
    /// Its length before the run; 0 if it didn't exist.
    pub(crate) fn old_len(&self) -> u64 {
        self.old.map_or(0, |old| old.length)
    }
}

impl HiveEntry {
    /// The entry without the changes, which are in a file of their own.
    pub(super) fn without_changes(&self) -> Self {
        Self {
            hive: self.hive.clone(),
            volume: self.volume.clone(),
            path: self.path.clone(),
            recovered: self.recovered,
            reversible: self.reversible,
            changes: Vec::new(),
            changes_file: self.changes_file.clone(),
            change_count: self.change_count,
            files: self.files.clone(),
            steps: self.steps.clone(),
        }
    }

    /// Its path for display: the whole path if its volume isn't the target.
    pub(crate) fn shown_path(&self) -> String {
        on_volume(self.volume.as_deref(), &self.path)
    }
}
