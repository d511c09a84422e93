//! The runs on a target.

use serde::{Deserialize, Serialize};

use super::{Notice, TargetIdentity, Trust};

/// The result of `runs`.
#[derive(Clone, Debug, Serialize)]
pub struct RunList {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// The runs, oldest first.
    pub runs: Vec<RunSummary>,
    /// Notices for the user.
    pub notices: Vec<Notice>,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// Its name: the UTC time at which it began, such as `20261123T124100Z`.
    pub run: String,
    /// What it did.
    pub kind: RunKind,
    /// Its state; absent if its journal is missing or can't be read.
    pub state: Option<RunState>,
    /// When it began (RFC 3339, UTC).
    pub started: String,
    /// When its state last changed.
    pub updated: String,
    /// The partition with its target, on a disk that was not mounted.
    pub partition: Option<u32>,
    /// The recipes, with bundles replaced by their parts; empty for an edit of a hive file.
    pub recipes: Vec<String>,
    /// Paths of the hives below the target's root.
    pub hives: Vec<String>,
    /// The number of values and keys that it changed; for a run that did not end, the maximum.
    pub changes: usize,
    /// The number of files and folders whose permissions it changed; for a run that did not end,
    /// the maximum.
    pub descriptors: u64,
    /// True if `undo` would do anything.
    pub undoable: bool,
    /// True if it was killed half way and must be completed or undone before anything else is
    /// changed.
    pub unfinished: bool,
    /// True if repeating the repair would complete it.
    pub can_be_completed: bool,
    /// The identity of its disk, as far as it was known.
    pub identity: TargetIdentity,
    /// Whose key sealed it.
    #[serde(flatten)]
    pub trust: Trust,
    /// A note about it, if there is one.
    pub note: Option<String>,
}

impl RunSummary {
    /// True if the run belongs to this partition, if the target is on an unmounted disk.
    #[must_use]
    pub fn is_of(&self, partition: Option<u32>) -> bool {
        same_partition(self.partition, partition)
    }

    /// True if `undo` without a run name would undo this run, if it is the newest such run.
    /// Finished reversals and runs without a valid seal do not count.
    #[must_use]
    pub fn is_undone_unasked(&self) -> bool {
        self.trust.is_given() && self.undoable && (self.kind != RunKind::Undo || self.unfinished)
    }
}

/// True if a run of a partition belongs to a target. If either was mounted, there is no number to
/// compare.
pub(crate) const fn same_partition(run: Option<u32>, target: Option<u32>) -> bool {
    match (run, target) {
        (Some(run), Some(target)) => run == target,
        _ => true,
    }
}

/// What a run did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// It applied recipes.
    Repair,
    /// It edited one hive file.
    HiveEdit,
    /// It changed permissions of files.
    AclEdit,
    /// It reversed another run value by value.
    Undo,
}

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Its undo data are durable; its files may be half written.
    Applying,
    /// Everything was written and read back.
    Done,
    /// It failed, and the old bytes of its files were restored.
    RolledBack,
    /// Its old bytes are being restored; its files may be half written.
    Undoing,
    /// It was undone.
    Undone,
    /// It failed, and restoring the old bytes failed too.
    Broken,
}

impl std::fmt::Display for RunState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // In the form of the documents and the documentation.
        f.write_str(match self {
            Self::Applying => "applying",
            Self::Done => "done",
            Self::RolledBack => "rolled-back",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::Broken => "broken",
        })
    }
}

impl RunState {
    /// True if files may be half written.
    #[must_use]
    pub const fn is_unfinished(self) -> bool {
        matches!(self, Self::Applying | Self::Undoing | Self::Broken)
    }

    /// True if there is something to undo.
    #[must_use]
    pub const fn is_undoable(self) -> bool {
        matches!(
            self,
            Self::Applying | Self::Done | Self::Undoing | Self::Broken
        )
    }
}
