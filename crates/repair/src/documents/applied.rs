//! The result of a repair or an edit of a hive file.

use serde::Serialize;

use crate::changes::{Committed, Completed, Ready};
use crate::documents::{
    AppliedDescriptors, Change, CheckSummary, FileChange, Notice, RecoverySummary, SCHEMA,
    SkippedHive,
};
use crate::error::Error;
use crate::facts::VolumeCondition;
use crate::place::Place;
use crate::place::on_volume;
pub use crate::second_reader::SecondReader;
use crate::session::CommittedHive;

/// The result of `repair`, and of every command that edits a hive file.
#[derive(Clone, Debug, Serialize)]
pub struct RepairReport {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// How the repair ended.
    pub outcome: Outcome,
    /// The name of the run, for undo; absent if nothing was written.
    pub run: Option<String>,
    /// The recipes, with bundles replaced by their parts; empty for an edit of a hive file.
    pub recipes: Vec<String>,
    /// The hives that were written.
    pub hives: Vec<AppliedHive>,
    /// The values that were changed.
    pub changes: Vec<Change>,
    /// The files that were moved out of the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileChange>,
    /// The changes of security descriptors; absent if there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptors: Option<AppliedDescriptors>,
    /// Hives that weren't changed, and why.
    pub skipped: Vec<SkippedHive>,
    /// What a person should know about the target's volume, if something was left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<VolumeCondition>,
    /// Other things that the user should know.
    pub notices: Vec<Notice>,
}

impl RepairReport {
    /// The report of a repair that hasn't changed anything yet.
    pub(crate) fn of(
        target: &str,
        recipes: &[String],
        refused: &[(Place, Error)],
        mut notices: Vec<Notice>,
    ) -> Self {
        let mut report = Self::by_hand(target);
        report.recipes = recipes.to_vec();
        report.skipped = refused.iter().map(SkippedHive::from).collect();
        if !refused.is_empty() {
            report.outcome = Outcome::PartlyDone;
            notices.push(Notice {
                kind: "partly-done",
                text: "not everything could be done".to_owned(),
            });
        }
        report.notices = notices;
        report
    }

    /// Removes changes that need nothing to be done, and reports them.
    pub(crate) fn tell_unneeded(&mut self, ready: &mut Ready) {
        if ready.leaves_failures() {
            self.outcome = Outcome::PartlyDone;
        }
        self.descriptors = ready.take_unneeded();
    }

    /// Reports that a killed run was completed. That is the result, unless there was more to do.
    pub(crate) fn tell_completed(&mut self, completed: Completed) {
        let Completed { run, descriptors } = completed;
        self.notices.push(Notice {
            kind: "completed",
            text: format!("run {run}, which had been killed, was completed"),
        });
        if self.outcome == Outcome::NothingToDo {
            let failed = descriptors.as_ref().map(|applied| applied.failed.count);
            self.outcome = match failed {
                None | Some(0) => Outcome::Done,
                Some(_) => Outcome::PartlyDone,
            };
        }
        self.run = Some(run);
        let Some(mut applied) = descriptors else {
            return;
        };
        if let Some(known) = self.descriptors.take() {
            applied.failed.append(known.failed);
            applied.left_alone = known.left_alone;
        }
        self.descriptors = Some(applied);
    }

    /// Reports what a run has done. `all` is true if nothing was left out before.
    pub(crate) fn tell_committed(&mut self, committed: Committed, all: bool) {
        if committed.descriptors.is_some() {
            self.descriptors = committed.descriptors;
        }
        let failed = |applied: &AppliedDescriptors| applied.failed.count > 0;
        self.outcome = if all && !self.descriptors.as_ref().is_some_and(failed) {
            Outcome::Done
        } else {
            Outcome::PartlyDone
        };
        self.run = committed.run.or(self.run.take());
        self.hives = committed.hives.into_iter().map(AppliedHive::from).collect();
    }

    /// The report of a change by hand that hasn't changed anything yet.
    pub(crate) fn by_hand(target: &str) -> Self {
        Self {
            schema: SCHEMA,
            target: target.to_owned(),
            outcome: Outcome::NothingToDo,
            run: None,
            recipes: Vec::new(),
            hives: Vec::new(),
            changes: Vec::new(),
            files: Vec::new(),
            descriptors: None,
            skipped: Vec::new(),
            conditions: Vec::new(),
            notices: Vec::new(),
        }
    }
}

/// How a repair ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything was as wanted, and nothing was written.
    NothingToDo,
    /// Every change was made and read back.
    Done,
    /// Some of it was done; some hives or files weren't changed.
    PartlyDone,
}

/// A hive that was written.
#[derive(Clone, Debug, Serialize)]
pub struct AppliedHive {
    /// Its name.
    pub hive: String,
    /// The root of its volume, if that is not the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Its path below the root of its volume, with `/`.
    pub path: String,
    /// What was first recovered from its logs; absent for a clean hive.
    pub recovery: Option<RecoverySummary>,
    /// The result of checking the edited hive; absent if the check was skipped.
    pub check: Option<CheckSummary>,
    /// The second reader's result.
    pub second_reader: SecondReader,
    /// The number of bytes written to the hive and its logs.
    pub bytes_written: u64,
}

impl AppliedHive {
    /// Its path for display: the whole path if its volume isn't the target.
    #[must_use]
    pub fn shown_path(&self) -> String {
        on_volume(self.volume.as_deref(), &self.path)
    }
}

impl From<CommittedHive> for AppliedHive {
    fn from(committed: CommittedHive) -> Self {
        Self {
            hive: committed.hive.to_string(),
            volume: committed.volume,
            path: committed.path,
            recovery: committed.recovery,
            check: committed.check,
            second_reader: committed.second_reader,
            bytes_written: committed.bytes_written,
        }
    }
}
