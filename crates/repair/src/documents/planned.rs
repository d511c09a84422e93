//! What a repair would change, and the changes as the journal records them.

use serde::{Deserialize, Serialize};

use crate::documents::{
    AclReport, ElementWords, HiveStatus, Notice, RunSummary, SkippedHive, StoreStatus,
};
use crate::value_data::ValueData;

/// The result of `plan`.
#[derive(Clone, Debug, Serialize)]
pub struct PlanReport {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// The recipes, bundles replaced by their parts.
    pub recipes: Vec<String>,
    /// Whether only faults are repaired (`--auto`).
    pub auto: bool,
    /// Every hive that was read.
    pub hives: Vec<HiveStatus>,
    /// Hives that could not be read or may not be edited, and why; their changes are missing.
    pub skipped: Vec<SkippedHive>,
    /// The boot stores that were found, where a recipe is about one.
    pub stores: Vec<StoreStatus>,
    /// The security descriptors that the recipes are about.
    pub acls: Vec<AclReport>,
    /// The changes, in the order in which they would be made.
    pub changes: Vec<Change>,
    /// Runs that were killed half way and must be settled first.
    pub unfinished: Vec<RunSummary>,
    /// What else a person should know.
    pub notices: Vec<Notice>,
}

impl PlanReport {
    /// Whether a repair would write anything: a value, the recovery of a dirty hive, or permissions.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty()
            || self.hives.iter().any(|hive| hive.dirty.is_some())
            || self.objects_to_change() > 0
    }

    /// Files and folders whose permissions would be changed.
    #[must_use]
    pub fn objects_to_change(&self) -> u64 {
        self.acls.iter().map(|acl| acl.to_change).sum()
    }
}

/// A value that would be changed, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The recipe that asks for it.
    pub recipe: String,
    /// The hive.
    pub hive: String,
    /// Whether what is there now is evidence of a fault.
    pub fault: bool,
    /// One sentence for a person.
    pub why: String,
    /// The element that the value is, in a boot store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<ElementWords>,
    /// The value.
    #[serde(flatten)]
    pub value: ChangedValue,
}

/// A value before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedValue {
    /// The key below the hive's root.
    pub key: String,
    /// The value's name; empty for the default value.
    pub value: String,
    /// What it was; absent where it did not exist.
    pub old: Option<ValueData>,
    /// What it becomes; absent where it is deleted.
    pub new: Option<ValueData>,
}

/// A key that comes or goes as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedKey {
    /// The key below the hive's root.
    pub key: String,
}
