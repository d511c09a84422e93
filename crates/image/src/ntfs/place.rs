//! Numbers that identify places of a volume.

use std::fmt;

/// A cluster of the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lcn(pub(crate) u64);

impl Lcn {
    /// The cluster `count` further on.
    pub(crate) fn after(self, count: u64) -> Option<Self> {
        self.0.checked_add(count).map(Self)
    }
}

/// Consecutive clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The first cluster.
    pub(crate) start: Lcn,
    /// The number of clusters.
    pub(crate) len: u64,
}

impl Extent {
    /// The cluster after the last.
    pub(crate) fn end(&self) -> u64 {
        self.start.0.saturating_add(self.len)
    }

    /// True if they have a cluster in common.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.start.0 < other.end() && other.start.0 < self.end()
    }
}

/// A file or folder: the number of its record, and which of the record's successive files it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// The number of the base record, below 2^48.
    pub record: u64,
    /// Sequence number of that record.
    pub sequence: u16,
}

impl FileId {
    /// The reference in its on-disk form.
    pub(crate) fn reference(self) -> u64 {
        self.record | u64::from(self.sequence) << 48
    }

    /// Splits a reference in its on-disk form.
    pub(crate) fn from_reference(reference: u64) -> Self {
        let [a, b, c, d, e, f, low, high] = reference.to_le_bytes();
        Self {
            record: u64::from_le_bytes([a, b, c, d, e, f, 0, 0]),
            sequence: u16::from_le_bytes([low, high]),
        }
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.record, self.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_record_number_of_48_bits_and_a_sequence_number() {
        let id = FileId {
            record: 0x1234_5678_9ABC,
            sequence: 0xDEF0,
        };
        assert_eq!(FileId::from_reference(0xDEF0_1234_5678_9ABC), id);
        assert_eq!(id.reference(), 0xDEF0_1234_5678_9ABC);
    }
}
