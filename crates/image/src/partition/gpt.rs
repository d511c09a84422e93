//! The GUID partition table (UEFI specification 2.10, 5.3): a header and entries behind the
//! protective MBR, and a copy of both at the end of the disk.

use super::check::{Place, refuse_overlapping};
use super::error::PartitionError;
use super::format::{GptEntry, GptHeader};
use super::guid::Guid;
use super::{Identity, Partition, PartitionType, Scheme, Table};
use crate::bytes;
use crate::device::Device;

/// Bytes that the entries may take: 8192 of the usual length. Windows makes 128.
const MAX_ENTRIES_LEN: u64 = 1 << 20;
/// Length of an entry in bytes, at least and at most.
const ENTRY_LEN: std::ops::RangeInclusive<u64> = 128..=4096;

/// One of the two copies, its checksums right.
struct Copy {
    header: GptHeader,
    entries: Vec<u8>,
}

/// Why a copy can't be used.
enum Damage {
    Io(std::io::Error),
    /// What is wrong, and the header if that itself is sound.
    Wrong(String, Option<Box<GptHeader>>),
}

impl From<std::io::Error> for Damage {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads the table of a disk whose sectors have one of `sizes`.
pub(super) fn read(device: &dyn Device, sizes: &[u32]) -> Result<Table, PartitionError> {
    let mut firsts = Vec::new();
    for &size in sizes {
        match copy(device, size, 1) {
            Ok(copy) => {
                let mut table = table(device, size, &copy, true);
                let backup = backup(device, size, Some(&copy.header));
                if let Err(Damage::Wrong(what, _)) = backup {
                    let warning = format!("the backup GUID partition table is damaged: {what}");
                    table.warnings.push(warning);
                }
                return Ok(table);
            }
            Err(Damage::Io(error)) => return Err(error.into()),
            Err(Damage::Wrong(what, header)) => firsts.push((size, what, header)),
        }
    }
    let mut damaged = None;
    for (size, first, header) in firsts {
        match backup(device, size, header.as_deref()) {
            Ok(copy) => {
                let mut table = table(device, size, &copy, false);
                let warning = format!(
                    "the first GUID partition table is damaged ({first}); its backup was read"
                );
                table.warnings.push(warning);
                return Ok(table);
            }
            Err(Damage::Io(error)) => return Err(error.into()),
            Err(Damage::Wrong(backup, _)) => {
                damaged.get_or_insert(PartitionError::GptDamaged { first, backup });
            }
        }
    }
    Err(damaged.unwrap_or(PartitionError::Unrecognised))
}

/// The copy in the last sector, or where the first header says: a disk may have been enlarged.
fn backup(device: &dyn Device, size: u32, first: Option<&GptHeader>) -> Result<Copy, Damage> {
    let sectors = device.len().checked_div(size.into()).unwrap_or(0);
    let last = sectors.saturating_sub(1);
    let found = copy(device, size, last);
    match (&found, first.map(|header| header.alternate_lba.get())) {
        (Err(Damage::Wrong(..)), Some(lba)) if lba != last && lba > 1 => {
            copy(device, size, lba).or(found)
        }
        _ => found,
    }
}

/// The copy whose header lies at `lba`.
fn copy(device: &dyn Device, size: u32, lba: u64) -> Result<Copy, Damage> {
    let header = header(device, size, lba)?;
    let wrong = |what: String| Damage::Wrong(what, Some(Box::new(header.clone())));
    let count = u64::from(header.number_of_partition_entries.get());
    let each = u64::from(header.size_of_partition_entry.get());
    if !ENTRY_LEN.contains(&each) || !each.is_power_of_two() {
        return Err(wrong(format!("entries of {each} bytes, expected 128")));
    }
    let len = count.saturating_mul(each);
    if len > MAX_ENTRIES_LEN {
        return Err(wrong(format!("{count} entries of {each} bytes")));
    }
    let offset = header
        .partition_entry_lba
        .get()
        .checked_mul(size.into())
        .filter(|offset| {
            let end = offset.checked_add(len);
            end.is_some_and(|end| end <= device.len())
        });
    let (Some(offset), Ok(len)) = (offset, usize::try_from(len)) else {
        let lba = header.partition_entry_lba.get();
        return Err(wrong(format!(
            "entries at sector {lba}, outside of the disk"
        )));
    };
    let mut entries = vec![0; len];
    device.read_exact_at(&mut entries, offset)?;
    let expected = header.partition_entry_array_crc32.get();
    let found = crc32fast::hash(&entries);
    if found != expected {
        return Err(wrong(format!(
            "entries at offset {offset} have the checksum 0x{found:08x}, expected 0x{expected:08x}"
        )));
    }
    Ok(Copy { header, entries })
}

/// The header at `lba`, its checksum right.
fn header(device: &dyn Device, size: u32, lba: u64) -> Result<GptHeader, Damage> {
    let wrong = |what: String| Damage::Wrong(what, None);
    let bytes = u64::from(size);
    let offset = lba.checked_mul(bytes).filter(|offset| {
        let end = offset.checked_add(bytes);
        lba > 0 && end.is_some_and(|end| end <= device.len())
    });
    let (Some(offset), Ok(len)) = (offset, usize::try_from(size)) else {
        return Err(wrong(format!("sector {lba} lies outside of the disk")));
    };
    let mut sector = vec![0; len];
    device.read_exact_at(&mut sector, offset)?;
    let header = bytes::view::<GptHeader>(&sector, 0)
        .filter(|header| header.signature == GptHeader::SIGNATURE)
        .cloned()
        .ok_or_else(|| wrong(format!("no signature at offset {offset}")))?;
    let header_size = header.header_size.get();
    let covered = usize::try_from(header_size)
        .ok()
        .filter(|&covered| covered >= size_of::<GptHeader>())
        .and_then(|covered| sector.get_mut(..covered))
        .ok_or_else(|| {
            wrong(format!(
                "header at offset {offset} has the length {header_size}, expected 92 to {size}"
            ))
        })?;
    if let Some(covered) = bytes::view_mut::<GptHeader>(covered, 0) {
        covered.header_crc32 = 0.into();
    }
    let found = crc32fast::hash(covered);
    let expected = header.header_crc32.get();
    if found != expected {
        return Err(wrong(format!(
            "header at offset {offset} has the checksum 0x{found:08x}, expected 0x{expected:08x}"
        )));
    }
    let my_lba = header.my_lba.get();
    if my_lba != lba {
        return Err(wrong(format!(
            "header at offset {offset} says that it is of sector {my_lba}, expected {lba}"
        )));
    }
    Ok(header)
}

/// What a copy says. `first` is the one at the start of the disk.
fn table(device: &dyn Device, sector_size: u32, copy: &Copy, first: bool) -> Table {
    let bytes = u64::from(sector_size);
    let entries_len = u64::try_from(copy.entries.len()).unwrap_or(u64::MAX);
    let table_end = if first {
        let start = copy.header.partition_entry_lba.get().saturating_mul(bytes);
        start.saturating_add(entries_len)
    } else {
        bytes.saturating_mul(2).saturating_add(entries_len)
    };
    let each = usize::try_from(copy.header.size_of_partition_entry.get()).unwrap_or(usize::MAX);
    let mut partitions = Vec::new();
    for (number, entry) in (1..).zip(copy.entries.chunks_exact(each)) {
        let Some(entry) = bytes::view::<GptEntry>(entry, 0) else {
            continue;
        };
        if entry.partition_type_guid == [0; 16] {
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
            kind: PartitionType::Gpt(Guid(entry.partition_type_guid)),
            active: entry.attributes.get() & GptEntry::LEGACY_BIOS_BOOTABLE != 0,
            name: String::from_utf16_lossy(&name),
            id: Some(entry.unique_partition_guid),
            fault,
        });
    }
    refuse_overlapping(&mut partitions);
    Table {
        scheme: Scheme::Gpt,
        identity: Identity::Gpt(Guid(copy.header.disk_guid)),
        sector_size,
        partitions,
        backup_used: !first,
        hybrid: false,
        warnings: Vec::new(),
    }
}
