//! Runs that are no longer needed, and the result of removing them.

use serde::Serialize;

/// The runs that `runs --prune` would remove, oldest first.
#[derive(Clone, Debug, Serialize)]
pub struct PruneList {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// The runs.
    pub runs: Vec<PrunableRun>,
    /// The number of further runs that could be removed, but are kept because they are the newest.
    pub kept: u64,
}

/// A run that can be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrunableRun {
    /// Its name.
    pub run: String,
    /// The reason why nobody needs it.
    pub why: PruneReason,
    /// The number of files in its folder.
    pub files: u64,
    /// The total size of these files in bytes.
    pub bytes: u64,
}

/// The reason why a run can be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PruneReason {
    /// It was undone.
    Undone,
    /// It failed, and its files have their old bytes.
    RolledBack,
    /// It has no valid seal.
    NotTrusted,
    /// It ended before it changed anything.
    NeverBegan,
    /// Its removal was interrupted.
    HalfRemoved,
}

/// The result of `runs --prune`.
#[derive(Clone, Debug, Serialize)]
pub struct PruneReport {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// The runs that were removed.
    pub removed: Vec<PrunableRun>,
    /// The runs that were not removed, or not completely.
    pub failed: Vec<NotPruned>,
}

/// A run that could not be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotPruned {
    /// Its name.
    pub run: String,
    /// The reason.
    pub reason: String,
}

impl PruneList {
    /// The total size of all of them in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        bytes(&self.runs)
    }
}

impl PruneReport {
    /// The total size of the removed runs in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        bytes(&self.removed)
    }
}

fn bytes(runs: &[PrunableRun]) -> u64 {
    let bytes = runs.iter().map(|run| run.bytes);
    bytes.fold(0, u64::saturating_add)
}
