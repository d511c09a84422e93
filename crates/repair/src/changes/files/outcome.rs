//! The result of moving files back.

use serde::Serialize;

use crate::changes::descriptors::ObjectNotes;

/// The result of an undo for files that the run had moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UndoneFiles {
    /// The files that have their old names again.
    pub put_back: Vec<String>,
    /// The files that the run had made, and that are gone again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// The number of files that already had their old names.
    pub already: u64,
    /// Files that were not moved back, because somebody else has changed something since.
    pub left_alone: ObjectNotes,
    /// Files that could not be moved back.
    pub failed: ObjectNotes,
    /// The number of files among these that the run still keeps.
    pub kept: u64,
}
