//! The errors of a partition table, or of one partition.

use std::io;

/// The reason why a partition table can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartitionError {
    /// The device could not be read.
    #[error("the partition table could not be read")]
    Io(#[from] io::Error),
    /// The disk has a protective MBR, but neither copy of its GPT is sound.
    #[error(
        "both copies of the GUID partition table are damaged (first: {first}; backup: {backup}); \
         rebuild the table, for instance with gdisk, or restore the disk from a backup"
    )]
    GptDamaged {
        /// The problem of the copy at the start of the disk.
        first: String,
        /// The problem of the copy at its end.
        backup: String,
    },
    /// Sector 0 has an MBR's signature, but its records can't be a partition table.
    #[error(
        "sector 0 is not a partition table: record {number} at offset {offset} has boot indicator \
         0x{found:02x}, expected 0x00 or 0x80"
    )]
    NoTable {
        /// The number of the record, from 1.
        number: u32,
        /// Offset of the record in bytes.
        offset: u64,
        /// The byte that was found.
        found: u8,
    },
    /// A sector size that no disk has.
    #[error("sectors of {found} bytes are not supported, only of 512 and 4096")]
    SectorSize {
        /// The requested size.
        found: u32,
    },
    /// Neither a partition table nor a known volume.
    #[error("the disk has neither a partition table nor a known volume at its start")]
    Unrecognised,
}

/// The reason why a partition can't be used, although the table can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PartitionFault {
    /// It is partly or completely outside the disk.
    #[error(
        "partition {number} reaches from byte {start} to {end}, but the disk ends at {disk}; the \
         image is cut short or the table is wrong"
    )]
    OutsideDisk {
        /// The number of the partition.
        number: u32,
        /// First byte.
        start: u64,
        /// End, exclusive; the highest number if the end exceeds 64 bits.
        end: u64,
        /// The length of the disk in bytes.
        disk: u64,
    },
    /// It ends before it starts.
    #[error("partition {number} starts at sector {first} and ends at {last}, before its start")]
    Reversed {
        /// The number of the partition.
        number: u32,
        /// First sector.
        first: u64,
        /// Last sector.
        last: u64,
    },
    /// It starts in the table itself.
    #[error("partition {number} starts at byte {start}, within the partition table")]
    OnTable {
        /// The number of the partition.
        number: u32,
        /// First byte.
        start: u64,
    },
    /// It shares bytes with another partition.
    #[error(
        "partition {number}, bytes {start} to {end}, overlaps partition {other}, bytes \
         {other_start} to {other_end}"
    )]
    Overlaps {
        /// The number of the partition.
        number: u32,
        /// First byte.
        start: u64,
        /// End, exclusive.
        end: u64,
        /// The number of the other.
        other: u32,
        /// First byte of the other.
        other_start: u64,
        /// End of the other, exclusive.
        other_end: u64,
    },
}
