//! The results of changing security descriptors.

use serde::Serialize;

use super::ObjectNotes;

/// The result of a run for security descriptors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AppliedDescriptors {
    /// The number of objects with a new descriptor that was set and read back.
    pub changed: u64,
    /// The number of objects that already had it.
    pub already: u64,
    /// Objects that couldn't be changed.
    pub failed: ObjectNotes,
    /// Objects that were not meant to be changed.
    pub left_alone: ObjectNotes,
    /// The reports in the run's folder.
    pub reports: Vec<String>,
}

/// The result of an undo for security descriptors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UndoneDescriptors {
    /// The number of objects with an old descriptor that was set and read back.
    pub restored: u64,
    /// The number of objects that already had it.
    pub already: u64,
    /// Objects that somebody else has changed since. They weren't restored.
    pub changed_since: ObjectNotes,
    /// Objects that couldn't be restored.
    pub failed: ObjectNotes,
}
