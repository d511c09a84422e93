//! The result of an inspection.

use diskmend_base::count::to_u64;
use serde::Serialize;

use crate::changes::Findings;
use crate::documents::{
    AclReport, ElementRow, FileRow, HiveStatus, KeyPermissionsReport, RunSummary, SCHEMA,
    StoreStatus,
};
use crate::error::{Error, Refusal, chain};
use crate::facts::WindowsIdentity;
pub use crate::finding::Notice;
use crate::finding::{Deletion, Finding, JudgedValue, KeyCopy, RowState, Subtree, Wanted};
use crate::place::{HiveId, Place};
use crate::recipe::Recipe;
use crate::survey::Survey;
use crate::value_data::ValueData;

/// The result of `inspect`.
#[derive(Clone, Debug, Serialize)]
pub struct InspectReport {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// What the Windows is, as far as it is known.
    pub identity: WindowsIdentity,
    /// The recipes, with bundles replaced by their parts.
    pub recipes: Vec<String>,
    /// Every hive that was read.
    pub hives: Vec<HiveStatus>,
    /// Hives that couldn't be read, and why. Their rows are missing.
    pub skipped: Vec<SkippedHive>,
    /// Every value that the recipes name, in every control set.
    pub rows: Vec<Row>,
    /// The boot stores that were found, if a recipe is about one.
    pub stores: Vec<StoreStatus>,
    /// Every element of the chosen boot store that the recipes name.
    pub elements: Vec<ElementRow>,
    /// The security descriptors that the recipes are about.
    pub acls: Vec<AclReport>,
    /// The files that the recipes want to be gone.
    pub files: Vec<FileRow>,
    /// Killed runs that must be settled first.
    pub unfinished: Vec<RunSummary>,
    /// Other things that the user should know.
    pub notices: Vec<Notice>,
    /// The result in short.
    pub summary: InspectSummary,
}

/// The result of `inspect` in short: one count for values, elements of the boot store, permissions
/// and hives together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InspectSummary {
    /// True if something is a fault, could not be read, or waits to be settled.
    pub fault: bool,
    /// What is evidence of a broken system.
    pub faults: u64,
    /// What differs from the recipes without being a fault.
    pub differ: u64,
    /// What is missing without being a fault.
    pub missing: u64,
    /// What is as the recipes want.
    pub ok: u64,
    /// What recipes report although it is no fault. They don't change it.
    pub reported: u64,
    /// The recipes that repair the faults.
    pub repair: Vec<String>,
}

/// A hive that couldn't be read, or a folder with permissions that couldn't.
#[derive(Clone, Debug, Serialize)]
pub struct SkippedHive {
    /// Its name, or the folder's path.
    pub hive: String,
    /// The reason, with the chain of causes.
    pub reason: String,
    /// What would help, if that is known.
    #[serde(skip)]
    pub hint: Option<SkippedHint>,
}

/// What would help if something was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkippedHint {
    /// An option that names the boot store.
    BootStore,
    /// Mounting the volume with a driver that shows permissions.
    Descriptors,
    /// A backup of the damaged file, because nothing on the disk can take its place.
    Backup,
}

/// A value or a whole key that a recipe names, in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The recipe.
    pub recipe: String,
    /// The hive.
    pub hive: String,
    /// The key below the hive's root, with the real control set.
    pub key: String,
    /// True if the key is in the control set that `Select\Current` names; absent if it is in none.
    pub in_current_set: Option<bool>,
    /// The value's name; empty for the default value, and if the recipe deletes the whole key.
    pub value: String,
    /// What it should be; null in JSON if the recipe deletes it.
    pub desired: Wanted,
    /// The thing that the recipe deletes; absent if it sets the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletes: Option<Deletion>,
    /// True if the recipe only looks; absent if it sets or deletes something.
    #[serde(skip_serializing_if = "crate::json::is_false")]
    pub only_reports: bool,
    /// What it is; absent if it doesn't exist, and if the recipe deletes the whole key.
    pub current: Option<ValueData>,
    /// The content of the key, if the recipe deletes the whole key and the key exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtree: Option<Subtree>,
    /// The key that the recipe copies here; absent if it copies none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<KeyCopy>,
    /// The permissions, if the recipe is about those of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<KeyPermissionsReport>,
    /// The result of comparing the two.
    pub state: RowState,
    /// One sentence for a person.
    pub why: String,
    /// A note for a person, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl InspectReport {
    pub(crate) fn of(
        target: &str,
        recipes: &[&Recipe],
        survey: &Survey,
        identity: WindowsIdentity,
        unfinished: Vec<RunSummary>,
    ) -> Self {
        let mut report = Self {
            schema: SCHEMA,
            target: target.to_owned(),
            identity,
            recipes: recipes.iter().map(|recipe| recipe.label()).collect(),
            hives: Vec::new(),
            skipped: survey.skipped.iter().map(SkippedHive::from).collect(),
            rows: Vec::new(),
            stores: survey.stores.clone(),
            elements: Vec::new(),
            acls: survey.folders.iter().map(AclReport::from).collect(),
            files: survey.files.iter().map(FileRow::from).collect(),
            unfinished,
            notices: survey.notices.clone(),
            summary: InspectSummary::default(),
        };
        for hive in &survey.hives {
            let examined = &hive.examined;
            report.hives.push(examined.into());
            match &hive.findings {
                Findings::Values(found) => {
                    let rows = found.iter().map(|finding| Row::of(&examined.hive, finding));
                    report.rows.extend(rows);
                }
                Findings::Elements(found) => {
                    report.elements.extend(found.iter().map(ElementRow::from));
                }
            }
        }
        report.summary = report.summed_up();
        report
    }

    fn summed_up(&self) -> InspectSummary {
        let mut summary = InspectSummary::default();
        let rows = self.rows.iter();
        let rows = rows.map(|row| (row.state, (!row.only_reports).then_some(&row.recipe)));
        let elements = self.elements.iter();
        let elements = elements.map(|row| (row.state, Some(&row.recipe)));
        let files = self.files.iter();
        let files = files.map(|row| (row.state, Some(&row.recipe)));
        for (state, repaired_by) in rows.chain(elements).chain(files) {
            let count = match state {
                RowState::Ok => &mut summary.ok,
                RowState::Differs => &mut summary.differ,
                RowState::Missing => &mut summary.missing,
                RowState::Reported => &mut summary.reported,
                RowState::Fault => {
                    if let Some(recipe) = repaired_by {
                        summary.repaired_by(recipe);
                    }
                    &mut summary.faults
                }
            };
            *count += 1;
        }
        for acl in &self.acls {
            summary.ok += acl.ok;
            summary.differ += acl.differ;
            summary.faults += acl.faults;
            let faults = acl
                .groups
                .iter()
                .filter(|group| group.state == RowState::Fault);
            for group in faults {
                summary.repaired_by(group.repaired_by.as_ref().unwrap_or(&group.recipe));
            }
        }
        summary.faults += self.hives.iter().map(faults_of).sum::<u64>();
        // Windows can't start by a loader that names no partition of the disk.
        // It counts once, also if a recipe finds it.
        let is_found = |store: &StoreStatus| {
            let shown = store.shown_path();
            self.elements
                .iter()
                .any(|row| row.state == RowState::Fault && row.element.store == shown)
        };
        let stores = self.stores.iter();
        let stores = stores.filter(|store| store.chosen && store.warning.is_some());
        let astray = stores.filter(|store| !is_found(store));
        summary.faults += to_u64(astray.count());
        // A driver that shows no permissions is no fault of the disk.
        let unread = self.skipped.iter();
        let unread = unread.filter(|skipped| skipped.hint != Some(SkippedHint::Descriptors));
        summary.fault = summary.faults > 0
            || unread.count() > 0
            || self.acls.iter().any(|acl| acl.failed.count > 0)
            || !self.unfinished.is_empty();
        summary
    }

    /// True if something is a fault, could not be read, or waits to be settled. What merely differs
    /// from a recipe or is missing is no fault, nor is a hive that its logs complete: Windows does
    /// that by itself.
    #[must_use]
    pub fn has_faults(&self) -> bool {
        self.summary.fault
    }

    /// True if anything was found that isn't as it should be: a value that isn't only reported, a dirty hive, an error in
    /// its structure, a missing control set that `Select` names, an unfinished run. Notices don't
    /// count, nor do warnings, which Windows tolerates, nor permissions that differ without being a
    /// fault, because two recipes want different ones.
    #[must_use]
    pub fn has_findings(&self) -> bool {
        let unsound = |hive: &HiveStatus| {
            let errors = hive.check.as_ref().map_or(0, |check| check.errors);
            let missing = hive
                .control_sets
                .as_ref()
                .map_or(0, |sets| sets.missing.len());
            hive.dirty.is_some() || errors > 0 || missing > 0
        };
        let is_found = |state| !matches!(state, RowState::Ok | RowState::Reported);
        self.rows.iter().any(|row| is_found(row.state))
            || self.elements.iter().any(|row| is_found(row.state))
            || self.files.iter().any(|row| is_found(row.state))
            || self.hives.iter().any(unsound)
            || self
                .acls
                .iter()
                .any(|acl| acl.faults > 0 || acl.failed.count > 0)
            || !self.skipped.is_empty()
            || !self.unfinished.is_empty()
    }
}

/// The errors in the structure of a hive, and the missing control sets from which Windows would
/// start.
fn faults_of(hive: &HiveStatus) -> u64 {
    let errors = hive.check.as_ref().map_or(0, |check| check.errors);
    let sets = hive.control_sets.iter().flat_map(|sets| &sets.missing);
    let missing = sets.filter(|set| set.named_by != "LastKnownGood").count();
    to_u64(errors).saturating_add(to_u64(missing))
}

impl InspectSummary {
    fn repaired_by(&mut self, recipe: &String) {
        if !self.repair.contains(recipe) {
            self.repair.push(recipe.clone());
        }
    }
}

impl Row {
    /// True if it is about a whole key.
    #[must_use]
    pub fn is_about_key(&self) -> bool {
        self.deletes == Some(Deletion::Key) || self.copy_of.is_some()
    }

    fn of(hive: &HiveId, finding: &Finding<JudgedValue>) -> Self {
        let judged = &finding.judged;
        Self {
            recipe: finding.recipe.clone(),
            hive: hive.to_string(),
            key: judged.key.clone(),
            in_current_set: judged.in_current_set,
            value: judged.value.clone(),
            deletes: judged.desired.deletion(),
            only_reports: judged.desired == Wanted::Anything && judged.bits.is_none(),
            desired: judged.desired.clone(),
            current: judged.current.clone(),
            subtree: judged.subtree,
            copy_of: judged.desired.copy().cloned(),
            permissions: judged.desired.permissions().map(Into::into),
            state: judged.state,
            why: finding.why.clone(),
            note: finding.note.clone(),
        }
    }
}

impl From<&(Place, Error)> for SkippedHive {
    fn from((place, error): &(Place, Error)) -> Self {
        Self {
            hive: place.to_string(),
            reason: chain(error),
            hint: match error {
                Error::Refused(Refusal::NoDescriptors) => Some(SkippedHint::Descriptors),
                Error::Refused(Refusal::Replacement { .. }) => Some(SkippedHint::Backup),
                Error::Refused(
                    Refusal::NoStore { .. }
                    | Refusal::NoNewStore { .. }
                    | Refusal::StoreUnclear { .. }
                    | Refusal::LoaderUnclear { .. }
                    | Refusal::SeveralWindows { .. }
                    | Refusal::WrongLoader { .. }
                    | Refusal::AnotherWindows { .. },
                ) => Some(SkippedHint::BootStore),
                _ => None,
            },
        }
    }
}
