//! Evidence of the kind `boot_sector`: what a BIOS finds wrong with the active partition and its boot
//! sector.

use serde::Deserialize;

use super::boot_store::of;
use super::words::{self, Words};
use super::{EvidenceKind, Looked};
use crate::facts::{Facts, SectorFault};
use crate::progress::Interrupted;
use crate::written::Wrong;

const WORDS: [(&str, SectorFault); 6] = [
    ("no-active-partition", SectorFault::NoActive),
    ("several-active-partitions", SectorFault::SeveralActive),
    ("hidden-sectors", SectorFault::HiddenSectors),
    ("no-program", SectorFault::NoProgram),
    ("other-program", SectorFault::OtherProgram),
    ("lost", SectorFault::Lost),
];

/// A BIOS finds one of these faults.
#[derive(Clone, Debug)]
pub(crate) struct BootSectorEvidence {
    is: Vec<SectorFault>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BootSectorFile {
    is: Words,
}

impl EvidenceKind for BootSectorEvidence {
    type Written = BootSectorFile;

    fn read(written: BootSectorFile) -> Result<Self, Wrong> {
        Ok(Self {
            is: words::read(&written.is, &WORDS)?,
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let found = facts.sector_faults()?;
        Ok(of(&found.faults, &found.unread, &self.is))
    }

    fn shown(&self) -> String {
        format!("what a BIOS starts is {}", words::shown(&self.is, &WORDS))
    }
}
