//! Clusters that were promised to open files: they are free still, but no other file gets them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::bitmap::Extent;

/// What is promised, by the numbers of the files' records.
#[derive(Debug, Default)]
pub(crate) struct Promises(Mutex<HashMap<u64, Vec<Extent>>>);

impl Promises {
    fn all(&self) -> MutexGuard<'_, HashMap<u64, Vec<Extent>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Promises clusters to a file, instead of those that were promised to it before.
    pub(crate) fn make(&self, record: u64, extents: &[Extent]) {
        self.all().insert(record, extents.to_vec());
    }

    /// Takes back what was promised to a file, or lets it be as the file has it now.
    pub(crate) fn end(&self, record: u64) {
        self.all().remove(&record);
    }

    /// What is promised to all other files.
    pub(crate) fn of_others(&self, record: u64) -> Vec<Extent> {
        let all = self.all();
        let others = all.iter().filter(|(other, _)| **other != record);
        others.flat_map(|(_, extents)| extents).copied().collect()
    }
}
