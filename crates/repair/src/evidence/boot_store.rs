//! Evidence of the kind `boot_store`: what is wrong with the boot store of the disk.

use serde::Deserialize;

use super::words::{self, Words};
use super::{EvidenceKind, Looked, Sighting};
use crate::facts::{BootFault, Facts, StoreFault};
use crate::progress::Interrupted;
use crate::written::Wrong;

const WORDS: [(&str, StoreFault); 4] = [
    ("missing", StoreFault::Missing),
    ("empty", StoreFault::Empty),
    ("damaged", StoreFault::Damaged),
    ("without-boot-manager", StoreFault::NoBootManager),
];

/// The store has one of these faults.
#[derive(Clone, Debug)]
pub(crate) struct BootStoreEvidence {
    is: Vec<StoreFault>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BootStoreFile {
    is: Words,
}

impl EvidenceKind for BootStoreEvidence {
    type Written = BootStoreFile;

    fn read(written: BootStoreFile) -> Result<Self, Wrong> {
        Ok(Self {
            is: words::read(&written.is, &WORDS)?,
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let faults = facts.boot_faults()?;
        Ok(of(&faults.stores, &faults.unread_stores, &self.is))
    }

    fn shown(&self) -> String {
        format!("the boot store is {}", words::shown(&self.is, &WORDS))
    }
}

/// The faults of these kinds. Without any, what couldn't be read counts.
pub(super) fn of<T: PartialEq>(faults: &[BootFault<T>], unread: &[String], is: &[T]) -> Looked {
    let faults = faults.iter().filter(|fault| is.contains(&fault.fault));
    let seen: Vec<_> = faults
        .map(|fault| Sighting::new(&fault.place, &fault.found))
        .collect();
    if seen.is_empty() && !unread.is_empty() {
        return Looked::Unknown(unread.join("; "));
    }
    Looked::of(seen)
}
