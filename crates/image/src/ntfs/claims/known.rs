//! What a search for the owners of clusters has found.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ntfs::extents::Extents;
use crate::ntfs::place::Extent;

/// What is known about the owners of clusters.
#[derive(Debug, Default)]
pub(crate) struct Claims(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Clusters that no other file has, by the base records of their files.
    checked: HashMap<u64, Extents>,
    /// The base records of the files that were opened.
    opened: BTreeSet<u64>,
}

impl Claims {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a file was opened.
    pub(crate) fn opened(&self, record: u64) {
        self.known().opened.insert(record);
    }

    /// The base records of the files that were opened, in order.
    pub(super) fn all_opened(&self) -> Vec<u64> {
        self.known().opened.iter().copied().collect()
    }

    pub(super) fn are_checked(&self, owner: u64, extents: &[Extent]) -> bool {
        let known = self.known();
        let checked = known.checked.get(&owner);
        extents
            .iter()
            .all(|extent| checked.is_some_and(|checked| checked.contain(extent)))
    }

    pub(super) fn note(&self, owner: u64, extents: Extents) {
        let mut known = self.known();
        let all = match known.checked.remove(&owner) {
            Some(before) => Extents::of(before.iter().chain(extents.iter())),
            None => extents,
        };
        known.checked.insert(owner, all);
    }
}
