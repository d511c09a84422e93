//! What a run did, and how far it got.

use serde::{Deserialize, Serialize};

/// The version of the journal's format.
pub(crate) const SCHEMA: u32 = 2;

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
