//! What a BIOS finds wrong with the partition from which it starts: the active one of a disk with an
//! MBR. Nothing of that is used by EFI firmware.

use diskmend_disk::{BootProgram, Disk, Scheme};

use super::BootFault;
use crate::error::chain;
use crate::facts::Facts;
use crate::progress::Interrupted;

/// The length of a sector in bytes.
const SECTOR: u64 = 512;

/// What may be wrong with what a BIOS reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SectorFault {
    /// No partition is active, so the BIOS finds nothing to start.
    NoActive,
    /// Several partitions are active. The program in the MBR stops.
    SeveralActive,
    /// The boot sector says that its partition begins elsewhere.
    HiddenSectors,
    /// The boot sector has no program.
    NoProgram,
    /// The program starts the loader of Windows before Vista, or something else.
    OtherProgram,
    /// The boot sector is lost, but its copy at the end of the partition is there.
    Lost,
}

/// What is wrong with what a BIOS reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SectorFaults {
    /// The faults.
    pub(crate) faults: Vec<BootFault<SectorFault>>,
    /// Why nothing is known, for display.
    pub(crate) unread: Vec<String>,
}

impl SectorFaults {
    fn add(&mut self, fault: SectorFault, place: &str, found: String) {
        self.faults.push(BootFault {
            fault,
            place: place.to_owned(),
            found,
        });
    }
}

/// Looks at what a BIOS reads, if the machine is started by one.
///
/// # Errors
/// If the caller interrupts.
pub(crate) fn read(facts: &Facts<'_>) -> Result<SectorFaults, Interrupted> {
    let mut faults = SectorFaults::default();
    let Some(is_bios) = is_started_by_a_bios(facts)? else {
        return Ok(faults);
    };
    let Some(disk) = &facts.site.disk else {
        if is_bios {
            let reason = "a mounted volume does not tell which partition is active, and what is in \
                          its boot sector; an unmounted disk does";
            faults.unread.push(reason.to_owned());
        }
        return Ok(faults);
    };
    let table = disk.table();
    if table.scheme != Scheme::Mbr {
        return Ok(faults);
    }
    let active = table.partitions.iter().filter(|one| one.active);
    let active: Vec<_> = active.collect();
    match active.as_slice() {
        [] if is_bios => {
            let found = "no partition is active".to_owned();
            faults.add(SectorFault::NoActive, "the partition table", found);
        }
        [] => {}
        [only] if only.kind.is_efi_system() => {}
        [only] => sector(disk, (only.number, only.start), is_bios, &mut faults),
        several => {
            let numbers = several.iter().map(|one| one.number.to_string());
            let numbers = numbers.collect::<Vec<_>>().join(", ");
            let found = format!("partitions {numbers} are active");
            faults.add(SectorFault::SeveralActive, "the partition table", found);
        }
    }
    Ok(faults)
}

/// True if the machine is started by a BIOS, by the only boot store; false if that isn't known;
/// `None` if it is started by EFI firmware.
fn is_started_by_a_bios(facts: &Facts<'_>) -> Result<Option<bool>, Interrupted> {
    let Ok(found) = facts.boot_stores()? else {
        return Ok(Some(false));
    };
    let mut stores = found.looked.iter();
    if stores.any(|store| store.is_efi) {
        return Ok(None);
    }
    Ok(Some(!found.looked.is_empty()))
}

/// Looks at the boot sector of the active partition.
fn sector(disk: &Disk, (number, start): (u32, u64), is_bios: bool, faults: &mut SectorFaults) {
    let place = format!("partition {number} (active)");
    let read = match disk.boot_sector(number) {
        Ok(read) => read,
        Err(error) => return faults.unread.push(format!("{place}: {}", chain(&error))),
    };
    let Some(first) = read.first else {
        if read.has_copy {
            let found = "its boot sector is none of NTFS, but its last sector is the copy of one";
            faults.add(SectorFault::Lost, &place, found.to_owned());
        }
        return;
    };
    let begins = start / SECTOR;
    if u64::from(first.hidden_sectors) != begins {
        let found = format!(
            "its boot sector says that it begins at sector {}, but it begins at sector {begins}",
            first.hidden_sectors
        );
        faults.add(SectorFault::HiddenSectors, &place, found);
    }
    // Without a boot store, another system may be there.
    if !is_bios {
        return;
    }
    let (fault, found) = match first.program {
        BootProgram::BootManager => return,
        BootProgram::Missing => (
            SectorFault::NoProgram,
            "its boot sector has no program".to_owned(),
        ),
        BootProgram::Ntldr => (
            SectorFault::OtherProgram,
            "the program in its boot sector starts ntldr, and not bootmgr".to_owned(),
        ),
        BootProgram::Other => (
            SectorFault::OtherProgram,
            "the program in its boot sector does not start bootmgr".to_owned(),
        ),
    };
    faults.add(fault, &place, found);
}
