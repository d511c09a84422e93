//! The identities of disks and partitions, as Windows's boot stores refer to them.

use super::{Guid, Table};

/// The identity of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiskId {
    /// The GUID in the header of a GPT.
    Gpt(Guid),
    /// The signature in an MBR.
    Mbr(u32),
}

/// The identity of a partition, valid on any machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartitionId {
    /// On a disk with a GPT.
    Gpt {
        /// GUID of the disk.
        disk: Guid,
        /// GUID of the partition.
        partition: Guid,
    },
    /// On a disk with an MBR.
    Mbr {
        /// Signature of the disk.
        signature: u32,
        /// The start of the partition, in bytes.
        offset: u64,
    },
}

impl Table {
    /// The identity of the partition with this number. `None` if it has none: another partition of
    /// the disk has an equal one, or the disk has no identifier.
    #[must_use]
    pub fn partition_id(&self, number: u32) -> Option<PartitionId> {
        let id = self.id_of(number)?;
        let others = self.partitions.iter().filter(|one| one.number != number);
        let mut others = others.filter_map(|one| self.id_of(one.number));
        (!others.any(|other| other == id)).then_some(id)
    }

    fn id_of(&self, number: u32) -> Option<PartitionId> {
        let partition = self.partitions.iter().find(|one| one.number == number)?;
        match self.id? {
            DiskId::Gpt(disk) => Some(PartitionId::Gpt {
                disk,
                partition: partition.guid?,
            }),
            DiskId::Mbr(signature) => Some(PartitionId::Mbr {
                signature,
                offset: partition.start,
            }),
        }
    }
}
