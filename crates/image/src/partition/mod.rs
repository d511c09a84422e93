//! Partition tables: which parts a disk has.
//!
//! Nothing is ever written. A disk whose table is damaged beyond reading is an error; a partition
//! that lies outside of the disk or overlaps another is listed with its [`PartitionFault`], and
//! can't be opened.

mod check;
mod error;
mod format;
mod gpt;
mod guid;
mod kind;
mod mbr;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use error::{PartitionError, PartitionFault};
pub use guid::Guid;
pub use kind::PartitionType;

use crate::content::{self, Content};
use crate::device::{Device, Slice};
use format::MasterBootRecord;

/// The kind of partition table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// GUID partition table.
    Gpt,
    /// Master boot record, with logical partitions in extended boot records.
    Mbr,
    /// No table: one volume fills the disk.
    None,
}

/// What Windows' boot store knows a disk by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// The disk GUID of a GPT.
    Gpt(Guid),
    /// The signature in an MBR.
    Mbr(u32),
    /// A disk without table.
    None,
}

/// The partitions of a disk.
#[derive(Debug, Clone)]
pub struct Table {
    /// The kind of table.
    pub scheme: Scheme,
    /// What the disk is known by.
    pub identity: Identity,
    /// Length of a logical sector in bytes.
    pub sector_size: u32,
    /// The partitions in the order of their numbers, without extended partitions.
    pub partitions: Vec<Partition>,
    /// Whether the first GPT is damaged and its backup was read.
    pub backup_used: bool,
    /// Whether the MBR beside a GPT also names partitions; Windows follows the GPT, as this does.
    pub hybrid: bool,
    /// What a person may want to know of the table.
    pub warnings: Vec<String>,
}

/// A part of a disk.
#[derive(Debug, Clone)]
pub struct Partition {
    /// Number as fdisk counts: the place in the GPT from 1; 1 to 4 in the MBR, logical partitions
    /// from 5. 0 is a volume that fills a disk without table.
    pub number: u32,
    /// First byte on the disk.
    pub start: u64,
    /// Length in bytes.
    pub len: u64,
    /// What it says of its purpose.
    pub kind: PartitionType,
    /// Whether a BIOS boots from it (MBR: active; GPT: legacy BIOS bootable).
    pub active: bool,
    /// The name in a GPT, with replacement characters where it is no UTF-16; else empty.
    pub name: String,
    /// The partition GUID in a GPT, bytes as on disk.
    pub id: Option<[u8; 16]>,
    /// Why it can't be opened.
    pub fault: Option<PartitionFault>,
}

impl Partition {
    /// The partition as a device.
    ///
    /// # Errors
    /// Its fault; [`PartitionFault::OutsideDisk`] where `disk` is not the one it was read from.
    pub fn open(&self, disk: Arc<dyn Device>) -> Result<Slice, PartitionFault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let outside = PartitionFault::OutsideDisk {
            number: self.number,
            start: self.start,
            end: self.end(),
            disk: disk.len(),
        };
        Slice::new(disk, self.start, self.len).ok_or(outside)
    }

    /// End, exclusive.
    fn end(&self) -> u64 {
        self.start.saturating_add(self.len)
    }
}

/// The sizes of logical sectors that disks have.
const SECTOR_SIZES: [u32; 2] = [512, 4096];

/// Reads the partition table of a disk. Without `sector_size`, in bytes, that of the disk is found
/// out.
///
/// # Errors
/// [`PartitionError`] where the disk can't be read, its table is damaged, or it has none and no
/// known volume.
pub fn read(device: &dyn Device, sector_size: Option<u32>) -> Result<Table, PartitionError> {
    let sizes = match sector_size {
        Some(found) if !SECTOR_SIZES.contains(&found) => {
            return Err(PartitionError::SectorSize { found });
        }
        Some(_) => sector_size.as_slice(),
        None => &SECTOR_SIZES,
    };
    // A boot sector of NTFS or FAT ends as an MBR does: what it holds decides, not that signature.
    let content = content::recognise(device)?;
    if content.is_windows_volume() {
        return Ok(whole(device, sizes));
    }
    let record = mbr::record(device)?;
    let protective = record.as_ref().is_some_and(mbr::is_protective);
    if protective {
        let mut table = gpt::read(device, sizes)?;
        table.hybrid = record.as_ref().is_some_and(mbr::is_hybrid);
        return Ok(table);
    }
    match &record {
        Some(record) if mbr::is_used(record) || content == Content::Unknown => {
            match read_mbr(device, record, sizes) {
                // A boot loader in the boot sector of a volume of another system.
                Err(PartitionError::NoTable { .. }) if matches!(content, Content::Other(_)) => {
                    Ok(whole(device, sizes))
                }
                table => table,
            }
        }
        _ => match gpt::read(device, sizes) {
            Ok(mut table) => {
                table
                    .warnings
                    .push("the GUID partition table has no protective MBR".to_owned());
                Ok(table)
            }
            Err(_) if matches!(content, Content::Other(_)) => Ok(whole(device, sizes)),
            Err(unusable) if unusable.is_absent() => Err(PartitionError::Unrecognised),
            Err(unusable) => Err(unusable.into()),
        },
    }
}

/// Reads an MBR. It does not tell the size of sectors: where no partition holds anything known if
/// read with the first size, yet one does with another, that is taken.
fn read_mbr(
    device: &dyn Device,
    record: &MasterBootRecord,
    sizes: &[u32],
) -> Result<Table, PartitionError> {
    let mut first = None;
    for &size in sizes {
        let table = mbr::read(device, record, size);
        if let Ok(table) = &table
            && (sizes.len() == 1 || holds_known(device, table)?)
        {
            return Ok(table.clone());
        }
        first.get_or_insert(table);
    }
    first.unwrap_or(Err(PartitionError::Unrecognised))
}

/// Whether any partition's content is known.
fn holds_known(device: &dyn Device, table: &Table) -> Result<bool, PartitionError> {
    for partition in table.partitions.iter().filter(|one| one.fault.is_none()) {
        let content = content::recognise_at(device, partition.start, partition.len)?;
        if !matches!(content, Content::Unknown | Content::Empty) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A disk without table.
fn whole(device: &dyn Device, sizes: &[u32]) -> Table {
    Table {
        scheme: Scheme::None,
        identity: Identity::None,
        sector_size: sizes.first().copied().unwrap_or(512),
        partitions: vec![Partition {
            number: 0,
            start: 0,
            len: device.len(),
            kind: PartitionType::Whole,
            active: false,
            name: String::new(),
            id: None,
            fault: None,
        }],
        backup_used: false,
        hybrid: false,
        warnings: Vec::new(),
    }
}
