//! What a repair, or an edit of a hive file, has done.

use serde::Serialize;

use crate::documents::{
    AppliedDescriptors, Change, CheckSummary, Notice, RecoverySummary, SCHEMA, SkippedHive,
};
use crate::run::on_volume;

/// The result of `repair`, and of every command that edits a hive file.
#[derive(Clone, Debug, Serialize)]
pub struct RepairReport {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The run, to undo it by; absent where nothing was written.
    pub run: Option<String>,
    /// The recipes, bundles replaced by their parts; empty for an edit of a hive file.
    pub recipes: Vec<String>,
    /// The hives that were written.
    pub hives: Vec<AppliedHive>,
    /// The values that were changed.
    pub changes: Vec<Change>,
    /// What was done with security descriptors; absent where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptors: Option<AppliedDescriptors>,
    /// Hives that were left alone, and why.
    pub skipped: Vec<SkippedHive>,
    /// What else a person should know.
    pub notices: Vec<Notice>,
}

impl RepairReport {
    /// Of a change by hand that nothing has been done of yet.
    pub(crate) fn by_hand(target: &str) -> Self {
        Self {
            schema: SCHEMA,
            target: target.to_owned(),
            outcome: Outcome::NothingToDo,
            run: None,
            recipes: Vec::new(),
            hives: Vec::new(),
            changes: Vec::new(),
            descriptors: None,
            skipped: Vec::new(),
            notices: Vec::new(),
        }
    }
}

/// How a repair ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything was as desired; no byte was written.
    NothingToDo,
    /// Every change was made and read back.
    Done,
    /// Some of it was done: hives or files were left alone.
    PartlyDone,
}

/// A hive that was written.
#[derive(Clone, Debug, Serialize)]
pub struct AppliedHive {
    /// Its name.
    pub hive: String,
    /// The root of its volume, where that is not the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub path: String,
    /// What was recovered from its logs first; absent for a clean hive.
    pub recovery: Option<RecoverySummary>,
    /// What the check of the edited hive found; absent where it was skipped.
    pub check: Option<CheckSummary>,
    /// What the second reader says.
    pub second_reader: SecondReader,
    /// Bytes written to the hive and its logs.
    pub bytes_written: u64,
}

impl AppliedHive {
    /// Its path for a person: whole where its volume is not the target.
    #[must_use]
    pub fn shown_path(&self) -> String {
        on_volume(self.volume.as_deref(), &self.path)
    }
}

/// Whether a second, independent reader finds the same values in the edited hive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondReader {
    /// It does.
    Agrees,
    /// It cannot read the hive, not even as it was before; our own reader decided.
    CannotRead(String),
    /// It was not asked.
    Skipped,
}
