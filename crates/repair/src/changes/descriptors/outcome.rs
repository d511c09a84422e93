//! What was done with security descriptors.

use serde::Serialize;

use super::ObjectNotes;

/// What a run has done with security descriptors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AppliedDescriptors {
    /// Objects that have their new descriptor, set and read back.
    pub changed: u64,
    /// Objects that had it already.
    pub already: u64,
    /// Objects that could not be changed.
    pub failed: ObjectNotes,
    /// What was left alone from the beginning.
    pub left_alone: ObjectNotes,
    /// The reports in the run's folder.
    pub reports: Vec<String>,
}

/// What an undo has done with security descriptors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UndoneDescriptors {
    /// Objects that have their old descriptor again, set and read back.
    pub restored: u64,
    /// Objects that had it.
    pub already: u64,
    /// Objects that somebody else has changed since, and that were left alone.
    pub changed_since: ObjectNotes,
    /// Objects that could not be restored.
    pub failed: ObjectNotes,
}
