//! The changes that a repair would make.

use serde::Serialize;

use crate::changes;
use crate::changes::hive::{HiveChange, Judged};
use crate::documents::{
    AclReport, ElementWords, FileChange, HiveStatus, KeyPermissionsReport, Notice, RunSummary,
    SCHEMA, SkippedHive, StoreStatus,
};
use crate::facts::VolumeCondition;
pub use crate::finding::{ChangedKey, ChangedValue};
use crate::finding::{Deletion, Goal, KeyCopy, RowState, Subtree};
use crate::place::Place;
use crate::planned::Planned;
use crate::recipe::Recipe;

/// The result of `plan`.
#[derive(Clone, Debug, Serialize)]
pub struct PlanReport {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// The recipes, with bundles replaced by their parts.
    pub recipes: Vec<String>,
    /// True if only faults are repaired (`--auto`).
    pub auto: bool,
    /// Every hive that was read.
    pub hives: Vec<HiveStatus>,
    /// Hives that couldn't be read or may not be edited, and why. Their changes are missing.
    pub skipped: Vec<SkippedHive>,
    /// The boot stores that were found, if a recipe is about one.
    pub stores: Vec<StoreStatus>,
    /// The security descriptors that the recipes are about.
    pub acls: Vec<AclReport>,
    /// The changes, in the order in which they would be made.
    pub changes: Vec<Change>,
    /// The files that would be moved out of the way, after the changes above.
    pub files: Vec<FileChange>,
    /// What a person should know about the target's volume before it is changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<VolumeCondition>,
    /// What a person must know before agreeing to the changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cautions: Vec<String>,
    /// Killed runs that must be settled first.
    pub unfinished: Vec<RunSummary>,
    /// Other things that the user should know.
    pub notices: Vec<Notice>,
}

impl PlanReport {
    /// True if a repair would write anything: a value, the recovery of a dirty hive, or
    /// permissions.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty()
            || !self.files.is_empty()
            || self.hives.iter().any(|hive| hive.dirty.is_some())
            || self.objects_to_change() > 0
    }

    /// Files and folders that would get other permissions.
    #[must_use]
    pub fn objects_to_change(&self) -> u64 {
        let permissions = Place::Permissions.to_string();
        if self
            .skipped
            .iter()
            .any(|skipped| skipped.hive == permissions)
        {
            return 0;
        }
        self.acls.iter().map(|acl| acl.to_change).sum()
    }
}

/// A value that would be changed, or a key that would be deleted, copied or get other permissions, and
/// why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The recipe that asks for it.
    pub recipe: String,
    /// The hive.
    pub hive: String,
    /// True if the current state is evidence of a fault.
    pub fault: bool,
    /// One sentence for display.
    pub why: String,
    /// A note for a person, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The element that this value is, in a boot store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<ElementWords>,
    /// The thing that is deleted; absent if a value is set, and in a boot store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletes: Option<Deletion>,
    /// What is deleted with the key, if a whole key is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtree: Option<Subtree>,
    /// The key that is copied here; absent if none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<KeyCopy>,
    /// The permissions, if those of the key are changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<KeyPermissionsReport>,
    /// The value. If a whole key is deleted, copied or gets other permissions, only the key's path is
    /// given.
    #[serde(flatten)]
    pub value: ChangedValue,
}

impl PlanReport {
    pub(crate) fn of(planned: &Planned) -> Self {
        let survey = &planned.survey;
        let mut report = Self {
            schema: SCHEMA,
            target: planned.target.clone(),
            recipes: planned.names(),
            auto: planned.goal == Goal::Faults,
            hives: survey
                .hives
                .iter()
                .map(|hive| (&hive.examined).into())
                .collect(),
            skipped: planned.refused.iter().map(SkippedHive::from).collect(),
            stores: survey.stores.clone(),
            acls: survey.folders.iter().map(AclReport::from).collect(),
            changes: planned.changes.iter().flat_map(Change::of).collect(),
            files: planned.changes.iter().flat_map(FileChange::of).collect(),
            conditions: survey.conditions.clone(),
            cautions: Vec::new(),
            unfinished: planned.unfinished.clone(),
            notices: survey.notices.clone(),
        };
        let sets_permissions = report.objects_to_change() > 0;
        let changes = |recipe: &&Recipe| {
            let about_folders = recipe.rows.iter().any(|row| row.about().folder().is_some());
            let values = report
                .changes
                .iter()
                .any(|change| change.recipe == recipe.name);
            let files = report.files.iter().any(|file| file.recipe == recipe.name);
            values || files || (about_folders && sets_permissions)
        };
        let cautions = planned.recipes.iter().filter(changes);
        report.cautions = cautions
            .filter_map(|recipe| recipe.caution.clone())
            .collect();
        report
    }
}

impl Change {
    /// True if it is about a whole key.
    #[must_use]
    pub fn is_about_key(&self) -> bool {
        self.deletes == Some(Deletion::Key) || self.copy_of.is_some()
    }

    /// The values that a change is about; none for files and permissions, because reports show these
    /// in another way.
    pub(crate) fn of(change: &changes::Change) -> Vec<Self> {
        match change {
            changes::Change::Registry(change) => Self::of_hive(change),
            changes::Change::BootStore(change) => Self::of_hive(change),
            changes::Change::Files(_) | changes::Change::Descriptors(_) => Vec::new(),
        }
    }

    fn of_hive<T: Judged>(change: &HiveChange<T>) -> Vec<Self> {
        let changes = change.findings.iter().map(|finding| Self {
            recipe: finding.recipe.clone(),
            hive: change.file.hive.to_string(),
            fault: finding.judged.state() == RowState::Fault,
            why: finding.why.clone(),
            note: finding.note.clone(),
            element: finding.judged.words(),
            deletes: finding.judged.deletion(),
            subtree: finding.judged.subtree(),
            copy_of: finding.judged.copy().cloned(),
            permissions: finding.judged.permissions().map(Into::into),
            value: finding.judged.change(),
        });
        changes.collect()
    }
}
