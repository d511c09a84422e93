//! Decides which partitions of a table can't be used.

use super::Partition;
use super::error::PartitionFault;

/// A partition's position according to its table, in sectors.
pub(super) struct Place {
    pub(super) number: u32,
    pub(super) first: u64,
    /// Inclusive.
    pub(super) last: u64,
}

impl Place {
    /// Start and length in bytes, and the fault. `table_end` is the end of the partition table at
    /// the start of the disk, `disk` the length of the disk, both in bytes.
    pub(super) fn resolve(
        &self,
        sector_size: u32,
        table_end: u64,
        disk: u64,
    ) -> (u64, u64, Option<PartitionFault>) {
        let (number, first, last) = (self.number, self.first, self.last);
        let start = first.saturating_mul(sector_size.into());
        let Some(after_first) = last.checked_sub(first) else {
            let fault = PartitionFault::Reversed {
                number,
                first,
                last,
            };
            return (start, 0, Some(fault));
        };
        let len = after_first
            .saturating_add(1)
            .saturating_mul(sector_size.into());
        let end = start.saturating_add(len);
        let fault = if end > disk {
            Some(PartitionFault::OutsideDisk {
                number,
                start,
                end,
                disk,
            })
        } else if start < table_end {
            Some(PartitionFault::OnTable { number, start })
        } else {
            None
        };
        (start, len, fault)
    }
}

/// Records the fault of every partition that shares bytes with another.
pub(super) fn refuse_overlapping(partitions: &mut [Partition]) {
    let mut order: Vec<usize> = (0..partitions.len()).collect();
    order.sort_by_key(|&index| partitions.get(index).map(|one| (one.start, one.len)));
    // If any earlier partition overlaps the next, the one with the last end does.
    let mut last: Option<(usize, Partition)> = None;
    for index in order {
        let Some(this) = partitions.get(index).filter(|one| one.len > 0).cloned() else {
            continue;
        };
        if let Some((before, other)) = &last
            && this.start < other.end()
        {
            mark(partitions, index, other);
            mark(partitions, *before, &this);
        }
        if last
            .as_ref()
            .is_none_or(|(_, other)| other.end() < this.end())
        {
            last = Some((index, this));
        }
    }
}

fn mark(partitions: &mut [Partition], index: usize, other: &Partition) {
    if let Some(one) = partitions.get_mut(index) {
        let overlap = PartitionFault::Overlaps {
            number: one.number,
            start: one.start,
            end: one.end(),
            other: other.number,
            other_start: other.start,
            other_end: other.end(),
        };
        one.fault.get_or_insert(overlap);
    }
}
