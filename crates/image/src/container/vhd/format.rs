//! Every on-disk structure of a VHD (Virtual Hard Disk Image Format Specification 1.0).
//!
//! All numbers are big-endian. Offsets are in bytes from the start of the file, except for those in
//! the block allocation table, which are in sectors of 512 bytes.

use zerocopy::byteorder::big_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The length of a sector, in bytes, always.
pub(crate) const SECTOR: u64 = 512;

/// The footer: the last 512 bytes of the file; a dynamic or differencing disk has a copy of it in
/// the first 512 (Hard Disk Footer Format).
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct Footer {
    /// `conectix`.
    pub(crate) cookie: [u8; 8],
    /// Bit 0: temporary. Bit 1: always set.
    pub(crate) features: U32,
    /// Major version in the high 16 bits; 0x00010000.
    pub(crate) file_format_version: U32,
    /// Offset of the dynamic disk header; all ones in a fixed disk.
    pub(crate) data_offset: U64,
    /// Seconds since 2000-01-01 UTC.
    pub(crate) time_stamp: U32,
    /// The program that created the file.
    pub(crate) creator_application: [u8; 4],
    /// Version of it.
    pub(crate) creator_version: U32,
    /// `Wi2k` or `Mac `.
    pub(crate) creator_host_os: [u8; 4],
    /// Size of the virtual disk when it was made, in bytes.
    pub(crate) original_size: U64,
    /// Size of the virtual disk, in bytes.
    pub(crate) current_size: U64,
    /// Cylinders, heads and sectors; unused here.
    pub(crate) disk_geometry: [u8; 4],
    /// See the `TYPE_` constants.
    pub(crate) disk_type: U32,
    /// One's complement of the sum of all bytes except those of this field.
    pub(crate) checksum: U32,
    /// Identifies the disk to its differences.
    pub(crate) unique_id: [u8; 16],
    /// 1: the virtual machine is suspended with this disk in use.
    pub(crate) saved_state: u8,
    /// Zero.
    pub(crate) reserved: [u8; 427],
}

impl Footer {
    /// Length.
    pub(crate) const LEN: u64 = 512;
    /// Major version.
    pub(crate) const VERSION: u16 = 1;
    /// Type of a fixed disk.
    pub(crate) const TYPE_FIXED: u32 = 2;
    /// Type of a dynamic disk.
    pub(crate) const TYPE_DYNAMIC: u32 = 3;
    /// Type of a differencing disk.
    pub(crate) const TYPE_DIFFERENCING: u32 = 4;
    /// Offset of the checksum in the structure.
    pub(crate) const CHECKSUM_AT: u64 = 64;
}

/// The header of a dynamic or differencing disk (Dynamic Disk Header Format).
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct DynamicHeader {
    /// `cxsparse`.
    pub(crate) cookie: [u8; 8],
    /// Not used: all ones.
    pub(crate) data_offset: U64,
    /// Offset of the block allocation table.
    pub(crate) table_offset: U64,
    /// Major version in the high 16 bits; 0x00010000.
    pub(crate) header_version: U32,
    /// The number of entries of the table; at least the number of blocks of the disk.
    pub(crate) max_table_entries: U32,
    /// Bytes of data in a block, a power of two; the sector bitmap is not counted.
    pub(crate) block_size: U32,
    /// As in the footer.
    pub(crate) checksum: U32,
    /// Identifies the parent of a differencing disk.
    pub(crate) parent_unique_id: [u8; 16],
    /// The time of the parent's last change.
    pub(crate) parent_time_stamp: U32,
    /// Zero.
    pub(crate) reserved1: U32,
    /// Name of the parent, UTF-16.
    pub(crate) parent_unicode_name: [U16; 256],
    /// Paths to the parent; unused here.
    pub(crate) parent_locators: [[u8; 24]; 8],
    /// Zero.
    pub(crate) reserved2: [u8; 256],
}

impl DynamicHeader {
    /// The cookie.
    pub(crate) const COOKIE: [u8; 8] = *b"cxsparse";
    /// Length.
    pub(crate) const LEN: u64 = 1024;
    /// Major version.
    pub(crate) const VERSION: u16 = 1;
    /// Offset of the checksum in the structure.
    pub(crate) const CHECKSUM_AT: u64 = 36;
}

/// The length of an entry of the block allocation table: the sector at which a block starts, with
/// its bitmap.
pub(crate) const ENTRY_LEN: u64 = 4;
/// The entry of a block that is not in the file.
pub(crate) const UNUSED_ENTRY: u32 = u32::MAX;

/// One's complement of the sum of all bytes except the four at `checksum_at`.
pub(crate) fn checksum(structure: &[u8], checksum_at: u64) -> u32 {
    let field = checksum_at..checksum_at.saturating_add(4);
    let sum = (0_u64..)
        .zip(structure)
        .filter(|(at, _)| !field.contains(at))
        .fold(0_u32, |sum, (_, byte)| sum.wrapping_add(u32::from(*byte)));
    !sum
}

const _: () = assert!(size_of::<Footer>() == 512 && size_of::<DynamicHeader>() == 1024);
