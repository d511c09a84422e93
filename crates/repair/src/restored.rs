//! Files that have been restored to their bytes from before a run.

use serde::Serialize;

/// A file that has its bytes from before the run again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RestoredFile {
    /// Its path below the target's root, with `/`.
    pub path: String,
    /// The action.
    pub action: FileAction,
}

/// The action on a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileAction {
    /// Its old bytes and length were written.
    Restored,
    /// The run had created it; it was removed.
    Removed,
    /// It already had its old bytes.
    Unchanged,
}
