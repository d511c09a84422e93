//! Every on-disk structure of FAT12, FAT16 and FAT32: "Microsoft Extensible Firmware Initiative
//! FAT32 File System Specification" 1.03, called "FAT spec" in this module. All numbers are
//! little-endian.

use zerocopy::byteorder::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The start of the boot sector, which is equal for all kinds (FAT spec, Boot Sector and BPB).
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct BootSector {
    /// A jump: 0xEB, anything, 0x90, or 0xE9.
    pub(super) jmp_boot: [u8; 3],
    /// Name of the system that formatted the volume.
    pub(super) oem_name: [u8; 8],
    /// Bytes of a sector: 512, 1024, 2048 or 4096.
    pub(super) byts_per_sec: U16,
    /// Sectors of a cluster: a power of two.
    pub(super) sec_per_clus: u8,
    /// Sectors before the first FAT, not 0.
    pub(super) rsvd_sec_cnt: U16,
    /// The number of FATs: 2, or 1.
    pub(super) num_fats: u8,
    /// Entries of the root folder; 0 on FAT32.
    pub(super) root_ent_cnt: U16,
    /// The number of sectors of the volume, or 0 if it is in `tot_sec32`.
    pub(super) tot_sec16: U16,
    /// 0xF0, or 0xF8 to 0xFF.
    pub(super) media: u8,
    /// Sectors of a FAT; 0 on FAT32.
    pub(super) fat_sz16: U16,
    /// Geometry of the disk, meaningless today.
    pub(super) sec_per_trk: U16,
    /// Geometry of the disk, meaningless today.
    pub(super) num_heads: U16,
    /// Sectors before the volume on the disk.
    pub(super) hidd_sec: U32,
    /// The number of sectors of the volume, or 0 if it is in `tot_sec16`.
    pub(super) tot_sec32: U32,
}

/// What follows [`BootSector`] on FAT12 and FAT16, as far as needed.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Tail16 {
    /// BIOS number of the drive.
    pub(super) drv_num: u8,
    /// Windows's marks: bit 0 dirty, bit 1 to be tested.
    pub(super) reserved1: u8,
}

/// What follows [`BootSector`] on FAT32, as far as needed.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Tail32 {
    /// Sectors of a FAT.
    pub(super) fat_sz32: U32,
    /// Bit 7: only the FAT with the number in bits 0 to 3 is in use.
    pub(super) ext_flags: U16,
    /// 0.
    pub(super) fs_ver: U16,
    /// First cluster of the root folder.
    pub(super) root_clus: U32,
    /// Sector of the FSInfo structure, in the reserved ones.
    pub(super) fs_info: U16,
    /// Sector of the copy of the boot sector, in the reserved ones.
    pub(super) bk_boot_sec: U16,
    /// Reserved.
    pub(super) reserved: [u8; 12],
    /// BIOS number of the drive.
    pub(super) drv_num: u8,
    /// Windows's marks: bit 0 dirty, bit 1 to be tested.
    pub(super) reserved1: u8,
}

impl BootSector {
    /// Ends the first 512 bytes.
    pub(super) const SIGNATURE: [u8; 2] = [0x55, 0xAA];
    pub(super) const SIGNATURE_AT: usize = 510;
    /// Offset of [`Tail16`] and [`Tail32`].
    pub(super) const TAIL_AT: usize = 36;
    /// Extended flags: the FATs are not copies of each other.
    pub(super) const NOT_MIRRORED: u16 = 0x80;
    /// Extended flags: the number of the FAT in use.
    pub(super) const ACTIVE_FAT: u16 = 0x0F;
    /// Windows's marks: the volume was not closed.
    pub(super) const MARK_DIRTY: u8 = 0x01;
    /// Windows's marks: the volume is to be tested.
    pub(super) const MARK_TEST: u8 = 0x02;
}

/// The sector with the number of free clusters (FAT spec, FAT32 FSInfo Sector Structure).
pub(super) struct FsInfo;

impl FsInfo {
    /// Offset of that number, of 32 bits.
    pub(super) const FREE_COUNT_AT: usize = 488;
    /// The number if it is not known.
    pub(super) const UNKNOWN: u32 = 0xFFFF_FFFF;
}

/// An entry of a folder (FAT spec, FAT Directory Structure).
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct DirEntry {
    /// Name and extension, padded with spaces; the first byte may mark the entry.
    pub(super) name: [u8; 11],
    /// See the `ATTR_` constants.
    pub(super) attr: u8,
    /// Whether the name or the extension is shown in lower case.
    pub(super) nt_res: u8,
    /// Times and dates of creation and access.
    pub(super) created_accessed: [u8; 7],
    /// High half of the first cluster; 0 on FAT12 and FAT16.
    pub(super) fst_clus_hi: U16,
    /// Time and date of the last write.
    pub(super) written: [u8; 4],
    /// Low half of the first cluster.
    pub(super) fst_clus_lo: U16,
    /// Length in bytes; 0 for a folder.
    pub(super) file_size: U32,
}

impl DirEntry {
    pub(super) const LEN: usize = 32;
    /// Offset of `file_size`.
    pub(super) const FILE_SIZE_AT: u64 = 28;
    /// First byte: this entry and all that follow are free.
    pub(super) const END: u8 = 0x00;
    /// First byte: the entry is free.
    pub(super) const FREE: u8 = 0xE5;
    /// First byte: means 0xE5.
    pub(super) const KANJI: u8 = 0x05;
    /// Names of a folder itself and of its parent.
    pub(super) const DOTS: [&[u8; 11]; 2] = [b".          ", b"..         "];
    pub(super) const ATTR_VOLUME_ID: u8 = 0x08;
    pub(super) const ATTR_DIRECTORY: u8 = 0x10;
    /// If all of these bits are set: a part of a long name.
    pub(super) const ATTR_LONG_NAME: u8 = 0x0F;
    pub(super) const LOWER_NAME: u8 = 0x08;
    pub(super) const LOWER_EXTENSION: u8 = 0x10;
}

/// A part of a long name (FAT spec, Long Directory Entries).
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct LongEntry {
    /// The number of the part, from 1, with [`LongEntry::LAST`] in the last part, which comes
    /// first.
    pub(super) ord: u8,
    /// Five characters, UTF-16.
    pub(super) name1: [U16; 5],
    /// [`DirEntry::ATTR_LONG_NAME`].
    pub(super) attr: u8,
    /// 0.
    pub(super) kind: u8,
    /// Checksum of the short name that follows.
    pub(super) chksum: u8,
    /// Six characters.
    pub(super) name2: [U16; 6],
    /// 0.
    pub(super) fst_clus_lo: U16,
    /// Two characters.
    pub(super) name3: [U16; 2],
}

impl LongEntry {
    pub(super) const LAST: u8 = 0x40;
    /// The number of parts of the longest name, of 255 characters.
    pub(super) const MAX: u8 = 20;
}

const _: () = assert!(size_of::<BootSector>() == BootSector::TAIL_AT);
const _: () = assert!(size_of::<Tail32>() == 30);
const _: () = assert!(size_of::<DirEntry>() == DirEntry::LEN);
const _: () = assert!(size_of::<LongEntry>() == DirEntry::LEN);
