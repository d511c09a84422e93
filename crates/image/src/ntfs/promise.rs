//! Clusters that are reserved for open files: they are still free, but no other file gets them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::place::Extent;

/// The reserved clusters, by the numbers of the files' records.
#[derive(Debug, Default)]
pub(crate) struct Promises(Mutex<HashMap<u64, Vec<Extent>>>);

impl Promises {
    fn all(&self) -> MutexGuard<'_, HashMap<u64, Vec<Extent>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves clusters for a file, instead of those that were reserved for it before.
    pub(crate) fn make(&self, record: u64, extents: &[Extent]) {
        self.all().insert(record, extents.to_vec());
    }

    /// Ends the reservation for a file.
    pub(crate) fn end(&self, record: u64) {
        self.all().remove(&record);
    }

    /// The clusters that are reserved for all other files.
    pub(crate) fn of_others(&self, record: u64) -> Vec<Extent> {
        let all = self.all();
        let others = all.iter().filter(|(other, _)| **other != record);
        others.flat_map(|(_, extents)| extents).copied().collect()
    }
}
