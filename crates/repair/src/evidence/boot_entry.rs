//! Evidence of the kind `boot_entry`: what is wrong with the boot entry that starts Windows.

use serde::Deserialize;

use super::boot_store;
use super::words::{self, Words};
use super::{EvidenceKind, Looked};
use crate::facts::{EntryFault, Facts};
use crate::progress::Interrupted;
use crate::written::Wrong;

const WORDS: [(&str, EntryFault); 9] = [
    ("default-missing", EntryFault::DefaultMissing),
    ("default-dangling", EntryFault::DefaultDangling),
    ("default-recovery", EntryFault::DefaultRecovery),
    ("default-elsewhere", EntryFault::DefaultElsewhere),
    ("osdevice-wrong", EntryFault::OsDevice),
    ("device-wrong", EntryFault::Device),
    ("other-firmware", EntryFault::OtherFirmware),
    ("file-missing", EntryFault::LoaderMissing),
    ("additional-hive", EntryFault::AdditionalHive),
];

/// The entry has one of these faults.
#[derive(Clone, Debug)]
pub(crate) struct BootEntryEvidence {
    is: Vec<EntryFault>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BootEntryFile {
    is: Words,
}

impl EvidenceKind for BootEntryEvidence {
    type Written = BootEntryFile;

    fn read(written: BootEntryFile) -> Result<Self, Wrong> {
        Ok(Self {
            is: words::read(&written.is, &WORDS)?,
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let faults = facts.boot_faults()?;
        Ok(boot_store::of(
            &faults.entries,
            &faults.unread_entries,
            &self.is,
        ))
    }

    fn shown(&self) -> String {
        format!("the boot entry is {}", words::shown(&self.is, &WORDS))
    }
}
