//! The GUID partition table (UEFI specification 2.10, 5.3): a header and entries after the
//! protective MBR, and a copy of both at the end of the disk.

mod copy;

use self::copy::{Copy, Damage};
use super::check::{Place, refuse_overlapping};
use super::error::PartitionError;
use super::format::{GptEntry, GptHeader};
use super::{DiskId, Partition, PartitionType, Scheme, Table};
use crate::device::Device;
use diskmend_base::Guid;
use diskmend_base::bytes;
use diskmend_base::count::{to_u64, to_usize};
use diskmend_base::escape::EscapedUnits;

/// The reasons why neither copy can be used.
struct Both {
    first: Damage,
    backup: Damage,
}

impl Both {
    fn is_absent(&self) -> bool {
        self.first.is_absent && self.backup.is_absent
    }
}

/// The reasons why no table can be read, for each sector size.
pub(super) struct Unusable(Vec<Both>);

impl Unusable {
    /// True if nothing shows that the disk ever had a table.
    pub(super) fn is_absent(&self) -> bool {
        self.0.iter().all(Both::is_absent)
    }
}

impl From<Unusable> for PartitionError {
    fn from(unusable: Unusable) -> Self {
        match unusable.0.into_iter().min_by_key(Both::is_absent) {
            Some(both) => Self::GptDamaged {
                first: both.first.reason,
                backup: both.backup.reason,
            },
            None => Self::Unrecognised,
        }
    }
}

/// Reads the table of a disk with one of these sector sizes.
pub(super) fn read(device: &dyn Device, sizes: &[u32]) -> Result<Table, Unusable> {
    let mut firsts = Vec::new();
    for &size in sizes {
        match Copy::read(device, size, 1) {
            Ok(copy) => {
                let mut table = table(device, size, &copy, true);
                if let Err(damage) = backup(device, size, Some(&copy.header)) {
                    table.warnings.push(format!(
                        "the backup of the GUID partition table can't be used: {}",
                        damage.reason
                    ));
                }
                return Ok(table);
            }
            Err(damage) => firsts.push((size, damage)),
        }
    }
    let mut unusable = Vec::new();
    for (size, first) in firsts {
        match backup(device, size, first.header.as_deref()) {
            Ok(copy) => {
                let mut table = table(device, size, &copy, false);
                table.warnings.push(format!(
                    "the first GUID partition table can't be used ({}); its backup was read",
                    first.reason
                ));
                return Ok(table);
            }
            Err(backup) => unusable.push(Both { first, backup }),
        }
    }
    Err(Unusable(unusable))
}

/// The copy that the first header names, or the one in the last sector. If the disk was copied to a
/// larger one, the last sector may contain older data of the larger disk.
fn backup(device: &dyn Device, size: u32, first: Option<&GptHeader>) -> Result<Copy, Damage> {
    let sectors = device.len().checked_div(size.into());
    let Some(last) = sectors.and_then(|sectors| sectors.checked_sub(1)) else {
        return Err(Damage::absent("the disk has no whole sector".to_owned()));
    };
    let Some(first) = first else {
        return Copy::read(device, size, last);
    };
    let own = |lba| Copy::read(device, size, lba)?.beside(first);
    match first.alternate_lba.get() {
        named if named > 1 && named != last => {
            own(named).or_else(|damage| own(last).map_err(|_| damage))
        }
        _ => own(last),
    }
}

/// The table according to a copy. `first` means the copy at the start of the disk.
fn table(device: &dyn Device, sector_size: u32, copy: &Copy, first: bool) -> Table {
    let bytes = u64::from(sector_size);
    let entries_len = to_u64(copy.entries.len());
    let table_end = if first {
        let start = copy.header.partition_entry_lba.get().saturating_mul(bytes);
        start.saturating_add(entries_len)
    } else {
        bytes.saturating_mul(2).saturating_add(entries_len)
    };
    let each = to_usize(copy.header.size_of_partition_entry.get());
    let mut partitions = Vec::new();
    for (number, entry) in (1..).zip(copy.entries.chunks_exact(each)) {
        let Some(entry) = bytes::view::<GptEntry>(entry, 0) else {
            continue;
        };
        if entry.partition_type_guid == Guid::NIL {
            continue;
        }
        let place = Place {
            number,
            first: entry.starting_lba.get(),
            last: entry.ending_lba.get(),
        };
        let (start, len, fault) = place.resolve(sector_size, table_end, device.len());
        let name = entry.partition_name.iter().map(|unit| unit.get());
        let name: Vec<u16> = name.take_while(|&unit| unit != 0).collect();
        partitions.push(Partition {
            number,
            start,
            len,
            kind: PartitionType::Gpt(entry.partition_type_guid),
            active: entry.attributes.get() & GptEntry::LEGACY_BIOS_BOOTABLE != 0,
            guid: entry.unique_partition_guid.non_nil(),
            name: EscapedUnits::new(name.into_iter()).to_string(),
            fault,
        });
    }
    refuse_overlapping(&mut partitions);
    Table {
        scheme: Scheme::Gpt,
        id: copy.header.disk_guid.non_nil().map(DiskId::Gpt),
        sector_size,
        partitions,
        warnings: Vec::new(),
    }
}
