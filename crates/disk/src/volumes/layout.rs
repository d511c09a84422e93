//! The names of the target disk's partitions in boot stores.

use diskmend_image::partition::{PartitionId, Table};

/// The partitions of a disk, and which of them is the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskLayout {
    /// The target's own partition, if it can be distinguished from all others.
    pub own: Option<PartitionId>,
    /// All partitions that can be distinguished, with their display names: `partition 2`.
    pub partitions: Vec<(String, PartitionId)>,
}

impl DiskLayout {
    /// The layout from a partition table; `None` if the disk has no identifier.
    pub(super) fn of_table(table: &Table, own: u32) -> Option<Self> {
        table.id?;
        let numbers = table.partitions.iter().map(|partition| partition.number);
        let named = |number| Some((format!("partition {number}"), table.partition_id(number)?));
        Some(Self {
            own: table.partition_id(own),
            partitions: numbers.filter_map(named).collect(),
        })
    }
}
