//! Every on-disk structure of NTFS 1.2 to 3.1 that this crate reads or writes.
//!
//! Names and rules follow the NTFS documentation of the Linux-NTFS project. All numbers are
//! little-endian. Offsets named `_offset` are relative to the start of the structure that holds
//! them unless said otherwise. A reference to a file is its record number in the low 48 bits and
//! its sequence number in the high 16.

use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The number of bytes that one entry of an update sequence array protects, whatever the sector
/// size is.
pub(crate) const FIXUP_STRIDE: usize = 512;

/// The boot sector ($Boot; also in the volume's last sector).
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct BootSector {
    /// A jump over the parameters.
    pub(crate) jump: [u8; 3],
    /// `NTFS` and four spaces.
    pub(crate) oem_id: [u8; 8],
    /// 256 to 4096, a power of two.
    pub(crate) bytes_per_sector: U16,
    /// A power of two up to 128; above 0x80, minus the binary logarithm.
    pub(crate) sectors_per_cluster: u8,
    /// Zero on NTFS, as are all fields of FAT up to the media descriptor.
    pub(crate) reserved_sectors: U16,
    /// Fields of FAT and of the BIOS without meaning to NTFS.
    pub(crate) unused: [u8; 24],
    /// The length of the volume in sectors, without the copy of this sector at its end.
    pub(crate) number_of_sectors: U64,
    /// First cluster of $MFT.
    pub(crate) mft_lcn: U64,
    /// First cluster of $MFTMirr.
    pub(crate) mftmirr_lcn: U64,
    /// The length of a FILE record: in clusters, or if negative, minus the binary logarithm of the
    /// number of bytes.
    pub(crate) clusters_per_mft_record: i8,
    /// Zero.
    pub(crate) reserved1: [u8; 3],
    /// The length of an index block, in the notation of that of a FILE record.
    pub(crate) clusters_per_index_record: i8,
    /// Zero.
    pub(crate) reserved2: [u8; 3],
    /// Serial number of the volume.
    pub(crate) volume_serial_number: U64,
    /// Not used by NTFS.
    pub(crate) checksum: U32,
    /// The code that starts the loader.
    pub(crate) bootstrap: [u8; 426],
    /// 0xAA55.
    pub(crate) end_of_sector_marker: U16,
}

impl BootSector {
    /// Length in bytes, whatever the sector size is.
    pub(crate) const LEN: usize = size_of::<Self>();
    /// The OEM identifier of NTFS.
    pub(crate) const OEM_ID: [u8; 8] = *b"NTFS    ";
    /// The mark at its end.
    pub(crate) const MARKER: u16 = 0xAA55;
}

/// The record numbers of the volume's system files.
pub(crate) mod system {
    /// $MFT.
    pub(crate) const MFT: u64 = 0;
    /// $MFTMirr.
    pub(crate) const MFT_MIRROR: u64 = 1;
    /// $LogFile.
    pub(crate) const LOG_FILE: u64 = 2;
    /// $Volume.
    pub(crate) const VOLUME: u64 = 3;
    /// The root folder.
    pub(crate) const ROOT: u64 = 5;
    /// $Bitmap.
    pub(crate) const BITMAP: u64 = 6;
    /// $Secure.
    pub(crate) const SECURE: u64 = 9;
    /// $UpCase.
    pub(crate) const UPCASE: u64 = 10;
    /// The first record that an ordinary file can have.
    pub(crate) const FIRST_USER: u64 = 24;
}

/// Header shared by all structures that an update sequence array protects.
#[derive(Clone, Debug, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ProtectedHeader {
    /// `FILE`, `INDX`, `RSTR`, ...; `BAAD` if a check of the disk has found it torn.
    pub(crate) magic: [u8; 4],
    /// Offset of the update sequence array.
    pub(crate) usa_offset: U16,
    /// Numbers in it: the update sequence number and one for each 512 bytes.
    pub(crate) usa_count: U16,
}

/// Header of a FILE record.
///
/// NTFS before 3.1 ends it after `next_attribute_instance`.
#[derive(Clone, Debug, Default, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct FileRecordHeader {
    /// `FILE`.
    pub(crate) protected: ProtectedHeader,
    /// Sequence number in $LogFile of the last change.
    pub(crate) lsn: U64,
    /// Incremented when the record is freed.
    pub(crate) sequence_number: U16,
    /// The number of names of the file, including the DOS name.
    pub(crate) link_count: U16,
    /// Offset of the first attribute.
    pub(crate) attributes_offset: U16,
    /// See the `FLAG_` constants.
    pub(crate) flags: U16,
    /// Bytes up to the end of the end mark, a multiple of 8.
    pub(crate) bytes_in_use: U32,
    /// The length of the record.
    pub(crate) bytes_allocated: U32,
    /// Reference of the base record; zero in the base record itself.
    pub(crate) base_record: U64,
    /// The instance number that the next attribute gets.
    pub(crate) next_attribute_instance: U16,
    /// Reserved; only in NTFS 3.1.
    pub(crate) reserved: U16,
    /// The number of this record, its low 32 bits; only in NTFS 3.1.
    pub(crate) record_number: U32,
}

impl FileRecordHeader {
    /// The signature.
    pub(crate) const MAGIC: [u8; 4] = *b"FILE";
    /// The record belongs to a file.
    pub(crate) const FLAG_IN_USE: u16 = 1;
    /// The file has an index of file names.
    pub(crate) const FLAG_FOLDER: u16 = 2;
    /// The smallest offset of the update sequence array, at which the header of NTFS 1.2 ends.
    pub(crate) const LEN_WITHOUT_NUMBER: usize = 42;
}

/// Types of attributes.
pub(crate) mod attribute_type {
    /// $STANDARD_INFORMATION.
    pub(crate) const STANDARD_INFORMATION: u32 = 0x10;
    /// $ATTRIBUTE_LIST.
    pub(crate) const ATTRIBUTE_LIST: u32 = 0x20;
    /// $FILE_NAME.
    pub(crate) const FILE_NAME: u32 = 0x30;
    /// $OBJECT_ID.
    pub(crate) const OBJECT_ID: u32 = 0x40;
    /// $SECURITY_DESCRIPTOR.
    pub(crate) const SECURITY_DESCRIPTOR: u32 = 0x50;
    /// $VOLUME_NAME.
    pub(crate) const VOLUME_NAME: u32 = 0x60;
    /// $VOLUME_INFORMATION.
    pub(crate) const VOLUME_INFORMATION: u32 = 0x70;
    /// $DATA.
    pub(crate) const DATA: u32 = 0x80;
    /// $INDEX_ROOT.
    pub(crate) const INDEX_ROOT: u32 = 0x90;
    /// $INDEX_ALLOCATION.
    pub(crate) const INDEX_ALLOCATION: u32 = 0xA0;
    /// $BITMAP.
    pub(crate) const BITMAP: u32 = 0xB0;
    /// $REPARSE_POINT.
    pub(crate) const REPARSE_POINT: u32 = 0xC0;
    /// $LOGGED_UTILITY_STREAM.
    pub(crate) const LOGGED_UTILITY_STREAM: u32 = 0x100;
    /// Ends the attributes of a record.
    pub(crate) const END: u32 = 0xFFFF_FFFF;
}

/// The start of every attribute.
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct AttributeHeader {
    /// See [`attribute_type`].
    pub(crate) kind: U32,
    /// The length of the attribute in the record in bytes, a multiple of 8.
    pub(crate) length: U32,
    /// 0: the value is in the record. 1: it is in clusters.
    pub(crate) non_resident: u8,
    /// The length of the name in UTF-16 units.
    pub(crate) name_length: u8,
    /// Offset of the name.
    pub(crate) name_offset: U16,
    /// See the `FLAG_` constants.
    pub(crate) flags: U16,
    /// Distinguishes the attributes of a record.
    pub(crate) instance: U16,
}

impl AttributeHeader {
    /// The low byte is the method of compression.
    pub(crate) const MASK_COMPRESSED: u16 = 0x00FF;
    /// The value is encrypted.
    pub(crate) const FLAG_ENCRYPTED: u16 = 0x4000;
    /// Clusters of the value may be missing.
    pub(crate) const FLAG_SPARSE: u16 = 0x8000;
}

/// The start of an attribute with its value in the record.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ResidentHeader {
    /// The shared part.
    pub(crate) common: AttributeHeader,
    /// The length of the value in bytes.
    pub(crate) value_length: U32,
    /// Offset of the value, a multiple of 8.
    pub(crate) value_offset: U16,
    /// 1: the value is in an index.
    pub(crate) indexed: u8,
    /// Zero.
    pub(crate) reserved: u8,
}

/// The start of an attribute with its value in clusters.
///
/// A compressed or sparse attribute has one more number, the length of its allocated clusters.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct NonResidentHeader {
    /// The shared part.
    pub(crate) common: AttributeHeader,
    /// First cluster of the value that this attribute describes; not zero only in extensions.
    pub(crate) lowest_vcn: U64,
    /// Last such cluster; all bits are set if there is none.
    pub(crate) highest_vcn: U64,
    /// Offset of the mapping pairs.
    pub(crate) mapping_pairs_offset: U16,
    /// Binary logarithm of the number of clusters in a unit of compression; 0 if not compressed.
    pub(crate) compression_unit: u8,
    /// Zero.
    pub(crate) reserved: [u8; 5],
    /// Bytes allocated, a multiple of the cluster; like the next two, only valid if `lowest_vcn` is
    /// zero.
    pub(crate) allocated_size: U64,
    /// The length of the value in bytes.
    pub(crate) data_size: U64,
    /// Bytes from the start that were written; the rest up to `data_size` reads as zeros.
    pub(crate) initialized_size: U64,
}

impl NonResidentHeader {
    /// Offset of one more number in a compressed or sparse attribute with a `lowest_vcn` of zero:
    /// the number of bytes of the clusters that really exist. The mapping pairs come after it.
    pub(crate) const TOTAL_ALLOCATED: usize = size_of::<Self>();
}

/// $STANDARD_INFORMATION of NTFS 3.0 and later; that of 1.2 ends after `class_id`.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct StandardInformation {
    /// FILETIME.
    pub(crate) creation_time: U64,
    /// FILETIME of the last change of the data.
    pub(crate) last_data_change_time: U64,
    /// FILETIME of the last change of the record.
    pub(crate) last_mft_change_time: U64,
    /// FILETIME.
    pub(crate) last_access_time: U64,
    /// FILE_ATTRIBUTE_* bits.
    pub(crate) file_attributes: U32,
    /// Zero.
    pub(crate) maximum_versions: U32,
    /// Zero.
    pub(crate) version_number: U32,
    /// Zero.
    pub(crate) class_id: U32,
    /// Owner in $Quota.
    pub(crate) owner_id: U32,
    /// Key of the security descriptor in $Secure; 0 if there is none.
    pub(crate) security_id: U32,
    /// Bytes charged to the owner.
    pub(crate) quota_charged: U64,
    /// Last entry in the change journal.
    pub(crate) usn: U64,
}

impl StandardInformation {
    /// Length before NTFS 3.0, without `owner_id` and what follows.
    pub(crate) const OLD_LEN: usize = 48;
    /// Offset of `last_data_change_time`, which every version has.
    pub(crate) const LAST_DATA_CHANGE: usize = 8;
    /// Offset of `file_attributes`, which every version has.
    pub(crate) const FILE_ATTRIBUTES: usize = 32;
    /// Offset of `security_id`.
    pub(crate) const SECURITY_ID: usize = 52;
}

/// $FILE_NAME, as an attribute and as a key of the index of a folder; the name follows.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct FileName {
    /// Reference of the folder.
    pub(crate) parent: U64,
    /// FILETIME; like the next three, a copy that can be older than $STANDARD_INFORMATION.
    pub(crate) creation_time: U64,
    /// FILETIME.
    pub(crate) last_data_change_time: U64,
    /// FILETIME.
    pub(crate) last_mft_change_time: U64,
    /// FILETIME.
    pub(crate) last_access_time: U64,
    /// Bytes allocated for the unnamed $DATA, a copy.
    pub(crate) allocated_size: U64,
    /// The length of the unnamed $DATA in bytes, a copy.
    pub(crate) data_size: U64,
    /// FILE_ATTRIBUTE_* bits, a copy.
    pub(crate) file_attributes: U32,
    /// Tag of a reparse point, or length of the extended attributes.
    pub(crate) reparse_or_ea: U32,
    /// The length of the name in UTF-16 units.
    pub(crate) name_length: u8,
    /// See the `NAMESPACE_` constants.
    pub(crate) namespace: u8,
}

impl FileName {
    /// Case-sensitive, any character but NUL and slash.
    pub(crate) const NAMESPACE_POSIX: u8 = 0;
    /// A long name.
    pub(crate) const NAMESPACE_WIN32: u8 = 1;
    /// A short name in addition to a long one.
    pub(crate) const NAMESPACE_DOS: u8 = 2;
    /// A name that is both long and short.
    pub(crate) const NAMESPACE_BOTH: u8 = 3;
}

/// $INDEX_ROOT; index entries follow.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct IndexRoot {
    /// Type of the attribute that is indexed; 0 if the keys are not attributes.
    pub(crate) kind: U32,
    /// How keys are compared.
    pub(crate) collation_rule: U32,
    /// The length of an index block in bytes.
    pub(crate) index_block_size: U32,
    /// This length in clusters, or in 512 bytes if the cluster is larger.
    pub(crate) clusters_per_index_block: i8,
    /// Zero.
    pub(crate) reserved: [u8; 3],
    /// The node.
    pub(crate) index: IndexHeader,
}

impl IndexRoot {
    /// Offset of the node's header.
    pub(crate) const NODE: usize = size_of::<Self>() - size_of::<IndexHeader>();
}

/// Header of a node of an index; its offsets are relative to its own start.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct IndexHeader {
    /// Offset of the first entry.
    pub(crate) entries_offset: U32,
    /// Bytes up to the end of the last entry.
    pub(crate) index_length: U32,
    /// Bytes up to the end of the node.
    pub(crate) allocated_size: U32,
    /// Bit 0: has children (for the root: there is an $INDEX_ALLOCATION).
    pub(crate) flags: u8,
    /// Zero.
    pub(crate) reserved: [u8; 3],
}

impl IndexHeader {
    /// Its entries have children.
    pub(crate) const FLAG_CHILDREN: u8 = 1;
}

/// An index block: a node in $INDEX_ALLOCATION.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct IndexBlock {
    /// `INDX`.
    pub(crate) protected: ProtectedHeader,
    /// Sequence number in $LogFile of the last change.
    pub(crate) lsn: U64,
    /// The position of this block in $INDEX_ALLOCATION, in clusters or in 512 bytes.
    pub(crate) vcn: U64,
    /// The node.
    pub(crate) index: IndexHeader,
}

impl IndexBlock {
    /// The signature.
    pub(crate) const MAGIC: [u8; 4] = *b"INDX";
    /// Offset of the node's header.
    pub(crate) const NODE: usize = size_of::<Self>() - size_of::<IndexHeader>();
}

/// Header of an entry of an index; the key follows, and at the very end the VCN of the child.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct IndexEntryHeader {
    /// Reference of the file of the key. View indexes have the place of their data here: its offset
    /// in the entry in bits 0 to 15, and its length in bits 16 to 31, both in bytes.
    pub(crate) reference: U64,
    /// The length of the entry in bytes, a multiple of 8.
    pub(crate) length: U16,
    /// The length of the key in bytes.
    pub(crate) key_length: U16,
    /// See the `FLAG_` constants.
    pub(crate) flags: U16,
    /// Zero.
    pub(crate) reserved: U16,
}

impl IndexEntryHeader {
    /// Entries start at, and their lengths are, multiples of this many bytes.
    pub(crate) const ALIGN: usize = 8;
    /// The entry has a child, with keys that come before its own.
    pub(crate) const FLAG_CHILD: u16 = 1;
    /// The last entry of the node, which has no key.
    pub(crate) const FLAG_LAST: u16 = 2;
}

/// An entry of $ATTRIBUTE_LIST; the name follows.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct AttributeListEntry {
    /// Type of the attribute.
    pub(crate) kind: U32,
    /// The length of the entry in bytes, a multiple of 8.
    pub(crate) length: U16,
    /// The length of the attribute's name in UTF-16 units.
    pub(crate) name_length: u8,
    /// Offset of the name.
    pub(crate) name_offset: u8,
    /// First cluster that the attribute describes.
    pub(crate) lowest_vcn: U64,
    /// Reference of the record that contains the attribute.
    pub(crate) record: U64,
    /// Instance of the attribute in that record.
    pub(crate) instance: U16,
}

/// $VOLUME_INFORMATION.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct VolumeInformation {
    /// Zero.
    pub(crate) reserved: U64,
    /// 3 since Windows 2000.
    pub(crate) major_version: u8,
    /// 1 since Windows XP.
    pub(crate) minor_version: u8,
    /// See the `FLAG_` constants.
    pub(crate) flags: U16,
}

impl VolumeInformation {
    /// Windows checks the volume at its next start.
    pub(crate) const FLAG_DIRTY: u16 = 0x0001;
    /// Flags with which no other system may write: the log is to be resized, the volume to be
    /// upgraded, a journal is being deleted, object ids are to be repaired, a check repairs the
    /// volume, chkdsk is at work.
    pub(crate) const MASK_PENDING: u16 = 0x4000 | 0x8000 | 0x0002 | 0x0004 | 0x0010 | 0x0020;
}

const _: () = assert!(BootSector::LEN == 512);
const _: () = assert!(size_of::<FileRecordHeader>() == 48);
const _: () = assert!(size_of::<ResidentHeader>() == 24);
const _: () = assert!(size_of::<NonResidentHeader>() == 64);
const _: () = assert!(size_of::<StandardInformation>() == 72);
const _: () = assert!(size_of::<FileName>() == 66);
const _: () = assert!(size_of::<IndexRoot>() == 32);
const _: () = assert!(size_of::<IndexBlock>() == 40);
const _: () = assert!(size_of::<IndexEntryHeader>() == 16);
const _: () = assert!(size_of::<AttributeListEntry>() == 26);
const _: () = assert!(size_of::<VolumeInformation>() == 12);
