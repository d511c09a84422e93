//! Partition tables: the partitions of a disk.
//!
//! Nothing is ever written. A disk with a table that is too damaged to be read is an error; a
//! partition that is outside the disk or overlaps another is listed with its [`PartitionFault`],
//! and can't be opened.

mod check;
mod detect;
mod error;
mod format;
mod gpt;
mod identity;
mod kind;
mod mbr;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use detect::read;
pub use diskmend_base::Guid;
pub use error::{PartitionError, PartitionFault};
pub use identity::{DiskId, PartitionId};
pub use kind::PartitionType;

use crate::device::{Device, Slice};

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

/// The partitions of a disk.
#[derive(Debug, Clone)]
pub struct Table {
    /// The kind of table.
    pub scheme: Scheme,
    /// The identity of the disk; `None` if its table has none, or it has no table.
    pub id: Option<DiskId>,
    /// The length of a logical sector in bytes.
    pub sector_size: u32,
    /// The partitions in the order of their numbers, without extended partitions.
    pub partitions: Vec<Partition>,
    /// Warnings about the table.
    pub warnings: Vec<String>,
}

/// A part of a disk.
#[derive(Debug, Clone)]
pub struct Partition {
    /// The number as fdisk counts: the position in the GPT from 1; 1 to 4 in the MBR, logical
    /// partitions from 5. 0 is a volume that fills a disk without a table.
    pub number: u32,
    /// First byte on the disk.
    pub start: u64,
    /// Length in bytes.
    pub len: u64,
    /// Its purpose according to the table.
    pub kind: PartitionType,
    /// True if a BIOS boots from it (MBR: active; GPT: legacy BIOS bootable).
    pub active: bool,
    /// Its identifier in a GPT.
    pub guid: Option<Guid>,
    /// The name in a GPT, with replacement characters for invalid UTF-16; otherwise empty.
    pub name: String,
    /// The reason why it can't be opened.
    pub fault: Option<PartitionFault>,
}

impl Partition {
    /// The partition as a device.
    ///
    /// # Errors
    /// Its fault; [`PartitionFault::OutsideDisk`] if `disk` is not the disk from which it was read.
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
