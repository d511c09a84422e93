//! Every on-disk structure of the partition tables: UEFI specification 2.10, chapter 5 (legacy MBR
//! 5.2.1, protective MBR 5.2.3, GPT header 5.3.2, GPT entry array 5.3.3). All numbers are
//! little-endian; an LBA is a number of logical sectors from the start of the disk.

use diskmend_base::Guid;
use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Sector 0 of a disk, and the first sector of each extended boot record.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct MasterBootRecord {
    /// Code of the boot loader.
    pub(super) boot_code: [u8; 440],
    /// Identifies the disk; Windows's boot store refers to it.
    pub(super) unique_mbr_disk_signature: U32,
    /// Reserved.
    pub(super) unknown: U16,
    /// The partition records.
    pub(super) partition_record: [PartitionRecord; 4],
    /// [`MasterBootRecord::SIGNATURE`].
    pub(super) signature: U16,
}

impl MasterBootRecord {
    pub(super) const SIGNATURE: u16 = 0xAA55;
}

/// A partition record of an MBR.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct PartitionRecord {
    /// 0x80 active, 0 not; nothing else.
    pub(super) boot_indicator: u8,
    /// Start in cylinders, heads and sectors; no meaning today.
    pub(super) starting_chs: [u8; 3],
    /// Type; 0 marks an unused record.
    pub(super) os_type: u8,
    /// End in cylinders, heads and sectors; no meaning today.
    pub(super) ending_chs: [u8; 3],
    /// First sector, relative to the disk; in an extended boot record relative to that record or to
    /// the extended partition.
    pub(super) starting_lba: U32,
    /// Length in sectors.
    pub(super) size_in_lba: U32,
}

impl PartitionRecord {
    pub(super) const ACTIVE: u8 = 0x80;
    pub(super) const UNUSED: u8 = 0;
    pub(super) const GPT_PROTECTIVE: u8 = 0xEE;
    /// Extended partitions: CHS, LBA, Linux.
    pub(super) const EXTENDED: [u8; 3] = [0x05, 0x0F, 0x85];

    pub(super) fn has_known_indicator(&self) -> bool {
        matches!(self.boot_indicator, 0 | Self::ACTIVE)
    }

    pub(super) fn is_used(&self) -> bool {
        self.os_type != Self::UNUSED && self.size_in_lba.get() != 0
    }

    pub(super) fn is_extended(&self) -> bool {
        Self::EXTENDED.contains(&self.os_type) && self.size_in_lba.get() != 0
    }
}

/// The GPT header in LBA 1, and its backup in the last LBA.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct GptHeader {
    /// `EFI PART`.
    pub(super) signature: [u8; 8],
    /// 0x00010000.
    pub(super) revision: U32,
    /// The length of the header in bytes: at least 92, at most a sector.
    pub(super) header_size: U32,
    /// CRC-32 of the header with this field zero.
    pub(super) header_crc32: U32,
    /// Zero.
    pub(super) reserved: U32,
    /// The LBA of this header.
    pub(super) my_lba: U64,
    /// The LBA of the other header.
    pub(super) alternate_lba: U64,
    /// First LBA that a partition may use.
    pub(super) first_usable_lba: U64,
    /// Last LBA that a partition may use.
    pub(super) last_usable_lba: U64,
    /// Identifies the disk; Windows's boot store refers to it.
    pub(super) disk_guid: Guid,
    /// First LBA of the entries.
    pub(super) partition_entry_lba: U64,
    /// The number of entries.
    pub(super) number_of_partition_entries: U32,
    /// The length of an entry in bytes: 128 times a power of two.
    pub(super) size_of_partition_entry: U32,
    /// CRC-32 of all entries.
    pub(super) partition_entry_array_crc32: U32,
}

impl GptHeader {
    pub(super) const SIGNATURE: [u8; 8] = *b"EFI PART";
}

/// An entry of the GPT.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct GptEntry {
    /// Type; zero marks an unused entry.
    pub(super) partition_type_guid: Guid,
    /// Identifies the partition; Windows's boot store refers to it.
    pub(super) unique_partition_guid: Guid,
    /// First LBA.
    pub(super) starting_lba: U64,
    /// Last LBA, inclusive.
    pub(super) ending_lba: U64,
    /// Bit 2: legacy BIOS bootable.
    pub(super) attributes: U64,
    /// UTF-16, ends with the first zero.
    pub(super) partition_name: [U16; 36],
}

impl GptEntry {
    pub(super) const LEGACY_BIOS_BOOTABLE: u64 = 1 << 2;
}

const _: () = assert!(size_of::<MasterBootRecord>() == 512);
const _: () = assert!(size_of::<GptHeader>() == 92);
const _: () = assert!(size_of::<GptEntry>() == 128);
