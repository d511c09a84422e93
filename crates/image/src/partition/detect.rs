//! Detects the kind of table of a disk, if it has one.

use std::io;

use zerocopy::IntoBytes;

use super::error::PartitionError;
use super::format::MasterBootRecord;
use super::{Partition, PartitionType, Scheme, Table, gpt, mbr};
use crate::content::{self, Content};
use crate::device::Device;
use crate::fat;

/// The sizes of logical sectors that disks have.
const SECTOR_SIZES: [u32; 2] = [512, 4096];

/// Reads the partition table of a disk. Without `sector_size`, in bytes, the sector size is
/// detected.
///
/// # Errors
/// [`PartitionError`] if the disk can't be read, its table is damaged, or it has neither a table
/// nor a known volume.
pub fn read(device: &dyn Device, sector_size: Option<u32>) -> Result<Table, PartitionError> {
    let sizes = match sector_size {
        Some(found) if !SECTOR_SIZES.contains(&found) => {
            return Err(PartitionError::SectorSize { found });
        }
        Some(_) => sector_size.as_slice(),
        None => &SECTOR_SIZES,
    };
    let record = match mbr::record(device) {
        Ok(record) => record,
        Err(error) => return behind_unreadable(device, sizes, error),
    };
    let content = content::recognise(device);
    if let Ok(volume) = content
        && (volume.is_windows_volume() || is_odd_volume(volume, record.as_ref()))
    {
        return volume_or_table(device, sizes, record.as_ref(), volume);
    }
    let is_other = matches!(content, Ok(Content::Other(_)));
    match record {
        Some(record) if mbr::is_protective(&record) => protected(device, sizes, &record),
        Some(record) if mbr::is_used(&record) => match read_mbr(device, &record, sizes) {
            // A boot loader in the boot sector of a volume of another system.
            Err(PartitionError::NoTable { .. }) if is_other => Ok(whole(device, sizes)),
            table => table,
        },
        record => match gpt::read(device, sizes) {
            Ok(mut table) => {
                let warning = "the GUID partition table has no protective MBR";
                table.warnings.push(warning.to_owned());
                Ok(table)
            }
            Err(_) if is_other => Ok(whole(device, sizes)),
            Err(unusable) if !unusable.is_absent() => Err(unusable.into()),
            Err(_) => match record {
                Some(record) => {
                    let mut table = read_mbr(device, &record, sizes)?;
                    if table.partitions.is_empty() {
                        let warning = "sector 0 ends as an MBR does, and names no partition";
                        table.warnings.push(warning.to_owned());
                    }
                    Ok(table)
                }
                None => Err(content
                    .err()
                    .map_or(PartitionError::Unrecognised, PartitionError::Io)),
            },
        },
    }
}

/// True if sector 0 is the boot sector of a FAT volume with a geometry that is not supported here:
/// Windows and other systems support more. No program leaves such numbers in an MBR.
fn is_odd_volume(content: Content, record: Option<&MasterBootRecord>) -> bool {
    let begins = |record: &MasterBootRecord| fat::is_suggested_by(record.as_bytes());
    content == Content::Unknown && record.is_some_and(begins)
}

/// Reads a disk that begins with the boot sector of a volume, which ends like an MBR.
///
/// Usually the volume fills the disk. But a program that creates a table may leave the bytes before
/// the records, and then the records count, for Windows and for Linux too. They are believed if all
/// of them may be records and one leads to something: Windows's boot sectors have text there; others
/// have zeros, or a record of the volume itself, which starts in sector 0.
fn volume_or_table(
    device: &dyn Device,
    sizes: &[u32],
    record: Option<&MasterBootRecord>,
    volume: Content,
) -> Result<Table, PartitionError> {
    let table = match record.filter(|record| mbr::is_plausible(record)) {
        Some(record) if mbr::is_protective(record) => Some(protected(device, sizes, record)?),
        Some(record) => {
            let table = read_mbr(device, record, sizes).ok();
            table.filter(|table| holds_known(device, table))
        }
        None => None,
    };
    let Some(mut table) = table else {
        return Ok(whole(device, sizes));
    };
    table.warnings.push(format!(
        "sector 0 begins like a volume ({volume}), and has a partition table too, which was read"
    ));
    Ok(table)
}

/// Reads the GPT that a protective MBR announces.
fn protected(
    device: &dyn Device,
    sizes: &[u32],
    record: &MasterBootRecord,
) -> Result<Table, PartitionError> {
    let mut table = gpt::read(device, sizes)?;
    if mbr::is_hybrid(record) {
        let warning = "the disk has a hybrid MBR: both that and the GUID partition table name \
                       partitions; the latter was read, but Windows reads the MBR where a BIOS \
                       starts it";
        table.warnings.push(warning.to_owned());
    }
    Ok(table)
}

/// Reads the GPT of a disk if sector 0 can't be read.
fn behind_unreadable(
    device: &dyn Device,
    sizes: &[u32],
    error: io::Error,
) -> Result<Table, PartitionError> {
    let Ok(mut table) = gpt::read(device, sizes) else {
        return Err(error.into());
    };
    table.warnings.push(format!(
        "sector 0 can't be read ({error}); the GUID partition table was"
    ));
    Ok(table)
}

/// Reads an MBR. It does not contain the sector size: if no partition has known content with the
/// first size, but one has with another, that size is used.
fn read_mbr(
    device: &dyn Device,
    record: &MasterBootRecord,
    sizes: &[u32],
) -> Result<Table, PartitionError> {
    let mut first = None;
    for &size in sizes {
        let table = mbr::read(device, record, size);
        if let Ok(table) = &table
            && (sizes.len() == 1 || holds_known(device, table))
        {
            return Ok(table.clone());
        }
        first.get_or_insert(table);
    }
    first.unwrap_or(Err(PartitionError::Unrecognised))
}

/// True if any partition's content is known; unreadable content is not.
fn holds_known(device: &dyn Device, table: &Table) -> bool {
    let mut sound = table.partitions.iter().filter(|one| one.fault.is_none());
    sound.any(|one| {
        let content = content::recognise_at(device, one.start, one.len);
        !matches!(content, Err(_) | Ok(Content::Unknown | Content::Empty))
    })
}

/// A disk without a table.
fn whole(device: &dyn Device, sizes: &[u32]) -> Table {
    Table {
        scheme: Scheme::None,
        id: None,
        sector_size: sizes.first().copied().unwrap_or(512),
        partitions: vec![Partition {
            number: 0,
            start: 0,
            len: device.len(),
            kind: PartitionType::Whole,
            active: false,
            guid: None,
            name: String::new(),
            fault: None,
        }],
        warnings: Vec::new(),
    }
}
