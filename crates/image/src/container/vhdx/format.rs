//! Every on-disk structure of a VHDX (MS-VHDX, section 2).
//!
//! All numbers are little-endian. Offsets are in bytes from the start of the file unless a field
//! says otherwise.

use crc::{CRC_32_ISCSI, Crc, Table};
use diskmend_base::Guid;
use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Unit of the offsets of regions, of the log and of blocks.
pub(crate) const MIB: u64 = 1 << 20;
/// Unit of the log.
pub(crate) const LOG_SECTOR: u64 = 4096;

/// One of the two headers (MS-VHDX 2.2.2).
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct Header {
    /// `head`.
    pub(crate) signature: [u8; 4],
    /// CRC-32C of the structure, with this field zero.
    pub(crate) checksum: U32,
    /// The greater one is current.
    pub(crate) sequence_number: U64,
    /// Changed before the file is changed.
    pub(crate) file_write_guid: Guid,
    /// Changed before the disk is changed.
    pub(crate) data_write_guid: Guid,
    /// Identifies the valid entries of the log; zero: there are none.
    pub(crate) log_guid: Guid,
    /// Zero.
    pub(crate) log_version: U16,
    /// One.
    pub(crate) version: U16,
    /// The length of the log, a multiple of 1 MiB.
    pub(crate) log_length: U32,
    /// Offset of the log, a multiple of 1 MiB.
    pub(crate) log_offset: U64,
    /// Zero.
    pub(crate) reserved: [u8; 4016],
}

impl Header {
    /// The signature.
    pub(crate) const SIGNATURE: [u8; 4] = *b"head";
    /// Offsets of the two.
    pub(crate) const OFFSETS: [u64; 2] = [64 << 10, 128 << 10];
    /// Version of the format.
    pub(crate) const VERSION: u16 = 1;
}

/// Header of a region table (MS-VHDX 2.2.3.1); entries follow.
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct RegionTableHeader {
    /// `regi`.
    pub(crate) signature: [u8; 4],
    /// CRC-32C of the 64 KiB of the table, with this field zero.
    pub(crate) checksum: U32,
    /// At most 2047.
    pub(crate) entry_count: U32,
    /// Zero.
    pub(crate) reserved: U32,
}

impl RegionTableHeader {
    /// The signature.
    pub(crate) const SIGNATURE: [u8; 4] = *b"regi";
    /// Offsets of the two tables.
    pub(crate) const OFFSETS: [u64; 2] = [192 << 10, 256 << 10];
    /// The length of a table, with its entries.
    pub(crate) const TABLE_LEN: usize = 64 << 10;
    /// The maximum number of entries.
    pub(crate) const MAX_ENTRIES: u32 = 2047;
}

/// Entry of a region table (MS-VHDX 2.2.3.2).
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct RegionTableEntry {
    /// The kind of region.
    pub(crate) guid: Guid,
    /// A multiple of 1 MiB, at least 1 MiB.
    pub(crate) file_offset: U64,
    /// A multiple of 1 MiB.
    pub(crate) length: U32,
    /// Bit 0: a program that does not know the region must not open the file.
    pub(crate) required: U32,
}

impl RegionTableEntry {
    /// The block allocation table.
    pub(crate) const BAT: Guid = Guid::from_u128(0x2dc27766_f623_4200_9d64_115e9bfd4a08);
    /// The metadata region.
    pub(crate) const METADATA: Guid = Guid::from_u128(0x8b7ca206_4790_4b9a_b8fe_575f050f886e);
}

/// Header of the metadata table (MS-VHDX 2.6.1.1); entries follow.
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct MetadataTableHeader {
    /// `metadata`.
    pub(crate) signature: [u8; 8],
    /// Zero.
    pub(crate) reserved: U16,
    /// At most 2047.
    pub(crate) entry_count: U16,
    /// Zero.
    pub(crate) reserved2: [u8; 20],
}

impl MetadataTableHeader {
    /// The signature.
    pub(crate) const SIGNATURE: [u8; 8] = *b"metadata";
    /// The length of the table, with its entries.
    pub(crate) const TABLE_LEN: usize = 64 << 10;
    /// The maximum number of entries.
    pub(crate) const MAX_ENTRIES: u16 = 2047;
}

/// Entry of the metadata table (MS-VHDX 2.6.1.2).
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct MetadataTableEntry {
    /// The kind of item, together with [`Self::IS_USER`].
    pub(crate) item_id: Guid,
    /// From the start of the metadata region, at least 64 KiB; zero if the item is empty.
    pub(crate) offset: U32,
    /// At most 1 MiB.
    pub(crate) length: U32,
    /// See the `IS_` constants.
    pub(crate) flags: U32,
    /// Zero.
    pub(crate) reserved2: U32,
}

impl MetadataTableEntry {
    /// Flag: the item is not a system item.
    pub(crate) const IS_USER: u32 = 1;
    /// Flag: a program that does not know the item must not open the file.
    pub(crate) const IS_REQUIRED: u32 = 4;
    /// [`FileParameters`].
    pub(crate) const FILE_PARAMETERS: Guid =
        Guid::from_u128(0xcaa16737_fa36_4d43_b3b6_33f0aa44e76b);
    /// Size of the virtual disk, 64 bits.
    pub(crate) const VIRTUAL_DISK_SIZE: Guid =
        Guid::from_u128(0x2fa54224_cd1b_4876_b211_5dbed83bf4b8);
    /// GUID of the virtual disk.
    pub(crate) const VIRTUAL_DISK_ID: Guid =
        Guid::from_u128(0xbeca12ab_b2e6_4523_93ef_c309e000c746);
    /// Bytes in a logical sector, 32 bits.
    pub(crate) const LOGICAL_SECTOR_SIZE: Guid =
        Guid::from_u128(0x8141bf1d_a96f_4709_ba47_f233a8faab5f);
    /// Bytes in a physical sector, 32 bits.
    pub(crate) const PHYSICAL_SECTOR_SIZE: Guid =
        Guid::from_u128(0xcda348c7_445d_4471_9cc9_e9885251c556);
    /// [`ParentLocatorHeader`].
    pub(crate) const PARENT_LOCATOR: Guid = Guid::from_u128(0xa8d35f2d_b30b_454d_abf7_d3d84834ab0c);
}

/// Metadata item (MS-VHDX 2.6.2.1).
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct FileParameters {
    /// Bytes in a payload block: a power of two from 1 MiB to 256 MiB.
    pub(crate) block_size: U32,
    /// Bit 0: fixed. See [`Self::HAS_PARENT`].
    pub(crate) flags: U32,
}

impl FileParameters {
    /// Flag: the disk contains only the differences from another.
    pub(crate) const HAS_PARENT: u32 = 2;
}

/// Start of the metadata item that names the parent (MS-VHDX 2.6.2.6.1); entries follow.
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ParentLocatorHeader {
    /// The meaning of the keys.
    pub(crate) locator_type: Guid,
    /// Zero.
    pub(crate) reserved: U16,
    /// The number of entries.
    pub(crate) key_value_count: U16,
}

/// A key and its value, UTF-16LE without a terminator (MS-VHDX 2.6.2.6.2). Offsets are from the
/// start of the item, lengths in bytes.
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ParentLocatorEntry {
    /// Offset of the key.
    pub(crate) key_offset: U32,
    /// Offset of the value.
    pub(crate) value_offset: U32,
    /// The length of the key.
    pub(crate) key_length: U16,
    /// The length of the value.
    pub(crate) value_length: U16,
}

/// Start of a log entry (MS-VHDX 2.3.1.1); descriptors follow, then data sectors.
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct LogEntryHeader {
    /// `loge`.
    pub(crate) signature: [u8; 4],
    /// CRC-32C of the entry, with this field zero.
    pub(crate) checksum: U32,
    /// The length of the entry, a multiple of 4 KiB.
    pub(crate) entry_length: U32,
    /// Offset in the log of the first entry of the sequence that ends here.
    pub(crate) tail: U32,
    /// One more than the number of the previous entry; not zero.
    pub(crate) sequence_number: U64,
    /// The number of descriptors.
    pub(crate) descriptor_count: U32,
    /// Zero.
    pub(crate) reserved: U32,
    /// As in the header of the file when the entry was written.
    pub(crate) log_guid: Guid,
    /// The file was durably at least this long.
    pub(crate) flushed_file_offset: U64,
    /// The file must be at least this long after the replay.
    pub(crate) last_file_offset: U64,
}

impl LogEntryHeader {
    /// The signature.
    pub(crate) const SIGNATURE: [u8; 4] = *b"loge";
}

/// Descriptor of a log entry: data or zeros (MS-VHDX 2.3.1.2 and 2.3.1.3).
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct Descriptor {
    /// `desc` or `zero`.
    pub(crate) signature: [u8; 4],
    /// Data: the last four bytes of the sector.
    pub(crate) trailing_bytes: [u8; 4],
    /// Data: the first eight bytes of the sector. Zeros: the number of bytes, a multiple of 4 KiB.
    pub(crate) leading_bytes: [u8; 8],
    /// The offset in the file, a multiple of 4 KiB.
    pub(crate) file_offset: U64,
    /// The number in the header of the entry.
    pub(crate) sequence_number: U64,
}

impl Descriptor {
    /// Signature of one with data.
    pub(crate) const DATA: [u8; 4] = *b"desc";
    /// Signature of one with zeros.
    pub(crate) const ZERO: [u8; 4] = *b"zero";
}

/// The data for a descriptor (MS-VHDX 2.3.1.4).
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct DataSector {
    /// `data`.
    pub(crate) signature: [u8; 4],
    /// High half of the sequence number.
    pub(crate) sequence_high: U32,
    /// Bytes 8 to 4091 of the sector.
    pub(crate) data: [u8; 4084],
    /// Low half of the sequence number.
    pub(crate) sequence_low: U32,
}

impl DataSector {
    /// The signature.
    pub(crate) const SIGNATURE: [u8; 4] = *b"data";
}

/// Entry of the block allocation table (MS-VHDX 2.5.1): the state of a block in bits 0 to 2, its
/// offset in MiB in bits 20 to 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatEntry(pub(crate) u64);

impl BatEntry {
    /// Length.
    pub(crate) const LEN: u64 = 8;
    /// The file does not contain the block; its content is undefined.
    pub(crate) const NOT_PRESENT: u64 = 0;
    /// The content of the block does not matter.
    pub(crate) const UNDEFINED: u64 = 1;
    /// The block is zero.
    pub(crate) const ZERO: u64 = 2;
    /// The block was trimmed.
    pub(crate) const UNMAPPED: u64 = 3;
    /// The block is in the file.
    pub(crate) const FULLY_PRESENT: u64 = 6;

    /// The state.
    pub(crate) fn state(self) -> u64 {
        self.0 & 7
    }

    /// The offset of the block in the file, in bytes; meaningful only in some states.
    pub(crate) fn file_offset(self) -> u64 {
        self.0 & !(MIB - 1)
    }

    /// A block at `offset`, a multiple of 1 MiB.
    pub(crate) fn present(offset: u64) -> Self {
        Self((offset & !(MIB - 1)) | Self::FULLY_PRESENT)
    }
}

/// CRC-32C (Castagnoli).
static CRC_32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

/// The checksum of a structure that has its checksum field at offset 4, four bytes long.
pub(crate) fn checksum(structure: &[u8]) -> u32 {
    let mut digest = CRC_32C.digest();
    let (start, rest) = structure.split_at(structure.len().min(4));
    digest.update(start);
    digest.update(&[0; 4]);
    let (_, rest) = rest.split_at(rest.len().min(4));
    digest.update(rest);
    digest.finalize()
}

const _: () = assert!(
    size_of::<Header>() == 4096
        && size_of::<RegionTableHeader>() == 16
        && size_of::<RegionTableEntry>() == 32
        && size_of::<MetadataTableHeader>() == 32
        && size_of::<MetadataTableEntry>() == 32
        && size_of::<FileParameters>() == 8
        && size_of::<ParentLocatorHeader>() == 20
        && size_of::<ParentLocatorEntry>() == 12
        && size_of::<LogEntryHeader>() == 64
        && size_of::<Descriptor>() == 32
        && size_of::<DataSector>() == 4096
);
