//! The runs that a target remembers.

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
    /// What else a person should know.
    pub notices: Vec<Notice>,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// Its name: the UTC time at which it began, such as `20261123T124100Z`.
    pub run: String,
    /// What it did.
    pub kind: RunKind,
    /// How far it got; absent where its journal is missing or cannot be read.
    pub state: Option<RunState>,
    /// When it began (RFC 3339, UTC).
    pub started: String,
    /// When its state last changed.
    pub updated: String,
    /// The partition with its target, on a disk that was not mounted.
    pub partition: Option<u32>,
    /// The recipes, bundles replaced by their parts; empty for an edit of a hive file.
    pub recipes: Vec<String>,
    /// Paths of the hives below the target's root.
    pub hives: Vec<String>,
    /// The number of values and keys that it changed; of a run that did not end, at most.
    pub changes: usize,
    /// The number of files and folders whose permissions it changed; of a run that did not end, at
    /// most.
    pub descriptors: u64,
    /// Whether `undo` would do anything.
    pub undoable: bool,
    /// True if it was killed half way and must be settled before anything else is changed.
    pub unfinished: bool,
    /// True if the same repair, done again, would settle it by completing it.
    pub can_be_completed: bool,
    /// What tells the disk that it was made on from others, as far as that was known.
    pub identity: TargetIdentity,
    /// Who speaks for it.
    #[serde(flatten)]
    pub trust: Trust,
    /// What to know about it, if there is something.
    pub note: Option<String>,
}

impl RunSummary {
    /// True if it was about the target that is this partition, if the target is on an unmounted
    /// disk.
    #[must_use]
    pub fn is_of(&self, partition: Option<u32>) -> bool {
        same_partition(self.partition, partition)
    }

    /// True if `undo` without a run name would undo this run, and it is the newest such. Reversals
    /// that came to their end are none, nor runs that nobody speaks for.
    #[must_use]
    pub fn is_undone_unasked(&self) -> bool {
        self.trust.is_given() && self.undoable && (self.kind != RunKind::Undo || self.unfinished)
    }
}

/// True if a run of a partition was about a target. Where either was mounted there is no number to
/// tell by.
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

/// How far a run got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Its undo data is safe; its files may be half written.
    Applying,
    /// Everything was written and read back.
    Done,
    /// It failed, and its files have their old bytes again.
    RolledBack,
    /// Its old bytes are being restored; its files may be half written.
    Undoing,
    /// It was undone.
    Undone,
    /// It failed, and so did taking it back.
    Broken,
}

impl std::fmt::Display for RunState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // As documents and the documentation name it.
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
    /// Whether files may be half written.
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
