//! Runs that are no longer needed, and what became of removing them.

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
    /// How many more could be removed, and are kept because they are the newest.
    pub kept: u64,
}

/// A run that can be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrunableRun {
    /// Its name.
    pub run: String,
    /// Why nobody needs it.
    pub why: PruneReason,
    /// The number of files in its folder.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Why a run can be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PruneReason {
    /// It was undone.
    Undone,
    /// It failed, and its files have their old bytes.
    RolledBack,
    /// Nobody speaks for it.
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
    /// The runs that were not, or not entirely.
    pub failed: Vec<NotPruned>,
}

/// A run that could not be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotPruned {
    /// Its name.
    pub run: String,
    /// Why.
    pub reason: String,
}

impl PruneList {
    /// Bytes of all of them.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        bytes(&self.runs)
    }
}

impl PruneReport {
    /// Bytes of what was removed.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        bytes(&self.removed)
    }
}

fn bytes(runs: &[PrunableRun]) -> u64 {
    let bytes = runs.iter().map(|run| run.bytes);
    bytes.fold(0, u64::saturating_add)
}
