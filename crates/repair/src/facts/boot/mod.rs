//! What is wrong with the boot stores of the disk, and with the entries in them that start the
//! target's Windows.
//!
//! Only what is surely wrong is a fault. A disk may start another Windows by default, and a device
//! may be found at the start (`locate`).

mod copies;
mod default;
mod entry;
mod locale;
pub(crate) mod lost;
pub(crate) mod sector;
mod stores;

use super::Facts;
use super::boot_stores::{Content, Looked};
use crate::progress::Interrupted;

/// What is wrong with the boot stores and their entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BootFaults {
    /// The faults of stores.
    pub stores: Vec<BootFault<StoreFault>>,
    /// The faults of entries.
    pub entries: Vec<BootFault<EntryFault>>,
    /// Why the stores were not judged, for display.
    pub unread_stores: Vec<String>,
    /// Why entries were not judged, for display.
    pub unread_entries: Vec<String>,
}

/// Something that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootFault<T> {
    /// What is wrong.
    pub fault: T,
    /// The store, or the store and its entry.
    pub place: String,
    /// What was found there, for display.
    pub found: String,
}

/// What may be wrong with the boot store of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The partition that the firmware starts has no boot store, nor has any other.
    Missing,
    /// The file of the only store is empty.
    Empty,
    /// The only store can't be read.
    Damaged,
    /// The boot manager's file is missing or empty.
    NoBootManager,
}

/// What may be wrong with the entry that starts Windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryFault {
    /// The boot manager has no default entry.
    DefaultMissing,
    /// The default entry doesn't exist.
    DefaultDangling,
    /// The default entry starts the recovery environment or Windows Setup.
    DefaultRecovery,
    /// The default entry names a partition on which there is no Windows.
    DefaultElsewhere,
    /// `osdevice` names no partition of the disk.
    OsDevice,
    /// `device`, the place of the loader, is not the partition of Windows.
    Device,
    /// The loader is one for the other kind of firmware.
    OtherFirmware,
    /// The loader's file, or the Windows folder, is missing or empty.
    LoaderMissing,
    /// It loads an additional hive.
    AdditionalHive,
}

impl BootFaults {
    fn store(&mut self, fault: StoreFault, place: &str, found: impl Into<String>) {
        self.stores.push(BootFault {
            fault,
            place: place.to_owned(),
            found: found.into(),
        });
    }

    fn entry(&mut self, fault: EntryFault, place: &str, found: impl Into<String>) {
        self.entries.push(BootFault {
            fault,
            place: place.to_owned(),
            found: found.into(),
        });
    }
}

/// Looks at the stores and at the entries that start Windows.
///
/// # Errors
/// If the caller interrupts.
pub(super) fn read(facts: &Facts<'_>) -> Result<BootFaults, Interrupted> {
    let mut faults = BootFaults::default();
    let found = match facts.boot_stores()? {
        Ok(found) => found,
        Err(failure) => {
            if failure.is_no_store() {
                stores::without_store(facts.site, failure, &mut faults);
            } else {
                faults.unread_stores.push(failure.reason());
            }
            return Ok(faults);
        }
    };
    stores::judge(facts.site, found, &mut faults);
    if let Some((looked, content)) = store_of_windows(found, &mut faults) {
        default::judge(facts.site, looked, content, &mut faults);
        entry::judge(facts.site, looked, content, &mut faults);
    }
    Ok(faults)
}

/// The store that starts the target's Windows: the one that recipes go by, or else the only one
/// that can be read.
fn store_of_windows<'f>(
    found: &'f super::boot_stores::Found,
    faults: &mut BootFaults,
) -> Option<(&'f Looked, &'f Content)> {
    let chosen = found.stores.iter().find(|store| store.chosen);
    let chosen = chosen.map(super::StoreStatus::shown_path);
    let readable = found.looked.iter();
    let mut readable = readable.filter_map(|looked| Some((looked, looked.content.as_ref().ok()?)));
    if let Some(chosen) = chosen {
        return readable.find(|(looked, _)| looked.shown == chosen);
    }
    match (readable.next(), readable.next()) {
        // Others may exist that couldn't be read.
        (Some(only), None) if found.looked.len() == found.stores.len() => Some(only),
        (None, _) => None,
        _ => {
            let reason = found.chosen.as_ref().err().map(super::Failure::reason);
            faults.unread_entries.extend(reason);
            None
        }
    }
}
