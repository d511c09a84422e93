//! Every on-disk structure of the registry hive format (regf 1.3 to 1.6) and its log files.
//!
//! Field names, units and rules follow "Windows registry file format specification" by
//! Maxim Suhanov (CC BY 4.0), called "regf spec" in this crate. All numbers are little-endian;
//! offsets of cells are relative to the start of the hive bins (file offset 4096).

use zerocopy::byteorder::little_endian::{I32, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The base block: the first 4096 bytes of a primary file, the first 512 of a log file
/// (regf spec, Base block).
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct BaseBlock {
    /// `regf`.
    pub signature: [u8; 4],
    /// Incremented before a write of the primary file.
    pub primary_sequence: U32,
    /// Equal to the primary sequence number once that write has ended.
    pub secondary_sequence: U32,
    /// FILETIME of the last write.
    pub last_written: U64,
    /// Always 1.
    pub major_version: U32,
    /// 3 to 6.
    pub minor_version: U32,
    /// 0 primary file; 1, 2 or 6 log file.
    pub file_type: U32,
    /// 1: direct memory load.
    pub file_format: U32,
    /// Offset of the root key node's cell.
    pub root_cell: U32,
    /// The length of the hive bins in bytes, a multiple of 4096.
    pub bins_len: U32,
    /// Logical sector size divided by 512; always 1.
    pub clustering_factor: U32,
    /// The end of the file's name, UTF-16LE; for debugging only.
    pub file_name: [u8; 64],
    /// GUID of the resource manager.
    pub rm_id: [u8; 16],
    /// GUID of the log.
    pub log_id: [u8; 16],
    /// Bit 0: transactions may be pending. Bit 1: defragmented, or layered keys are supported.
    pub flags: U32,
    /// GUID of the transaction manager.
    pub tm_id: [u8; 16],
    /// `rmtm`.
    pub guid_signature: [u8; 4],
    /// FILETIME of the last reorganization; its two low bits are flags.
    pub last_reorganized: U64,
    /// Reserved, among it the marks of offreg.dll.
    pub reserved1: [u8; 332],
    /// Exclusive or of the 127 numbers before this field (regf spec, Checksum calculation).
    pub checksum: U32,
    /// Reserved.
    pub reserved2: [u8; 3528],
    /// GUIDs that the kernel keeps in memory only.
    pub thaw_ids: [u8; 48],
    /// No meaning on disk.
    pub boot_type: U32,
    /// No meaning on disk.
    pub boot_recover: U32,
}

impl BaseBlock {
    /// The signature that Windows Vista and later put after the GUIDs of a hive that they have
    /// loaded.
    pub(crate) const GUID_SIGNATURE: [u8; 4] = *b"rmtm";
    /// The signature of every hive and log file.
    pub(crate) const SIGNATURE: [u8; 4] = *b"regf";
    /// File type of a primary file.
    pub(crate) const TYPE_PRIMARY: u32 = 0;
    /// File type of a log in the old (DIRT) format.
    pub const TYPE_LOG_OLD: u32 = 1;
    /// File type of a log in the old format as Windows NT 4 and 2000 wrote it.
    pub(crate) const TYPE_LOG_NT4: u32 = 2;
    /// File type of a log in the new (HvLE) format, Windows 8.1 and later.
    pub const TYPE_LOG_NEW: u32 = 6;
    /// Flag: transactions are pending or anticipated.
    pub(crate) const FLAG_KTM_LOCKED: u32 = 1;
    /// Flag: the hive contains layered keys, as the hives of containers do (Windows 10 and later).
    /// In a hive of Windows 8 the flag means that the hive was defragmented.
    pub(crate) const FLAG_LAYERED: u32 = 2;
    /// The number of bytes of the base block that the checksum and a log file's header cover.
    pub const HEADER_LEN: usize = 512;
}

/// Header of a hive bin (regf spec, Hive bin).
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct HiveBin {
    /// `hbin`.
    pub signature: [u8; 4],
    /// Offset of this bin from the start of the hive bins.
    pub offset: U32,
    /// The length of this bin in bytes, a multiple of 4096.
    pub size: U32,
    /// Reserved.
    pub reserved: [u8; 8],
    /// FILETIME of the last write; meaningful in the first bin only.
    pub timestamp: U64,
    /// No meaning on disk.
    pub spare: U32,
}

impl HiveBin {
    /// The signature of a hive bin.
    pub(crate) const SIGNATURE: [u8; 4] = *b"hbin";
    /// The length of the header; the first cell of a bin starts here.
    pub(crate) const LEN: usize = 32;
}

/// Size field at the start of each cell: negative when allocated (regf spec, Cell).
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct CellHeader {
    /// Size in bytes including this field; negative for an allocated cell.
    pub size: I32,
}

impl CellHeader {
    /// The length of the size field.
    pub(crate) const LEN: usize = 4;
    /// Cells start at, and their sizes are, multiples of this many bytes.
    pub(crate) const ALIGN: usize = 8;
    /// The largest size of a referenced cell, in bytes: Windows rejects a hive with a larger one,
    /// whatever its minor version. A free cell may be larger.
    pub(crate) const MAX_SIZE: usize = 1 << 20;
}

/// Key node (regf spec, Key node); the name follows.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct KeyNode {
    /// `nk`.
    pub signature: [u8; 2],
    /// See the `FLAG_` constants.
    pub flags: U16,
    /// FILETIME of the last write.
    pub last_written: U64,
    /// Access bits, Windows 8 and later.
    pub access_bits: u8,
    /// Layered key semantics in the two low bits, class inheritance in the high bit.
    pub layered: u8,
    /// Reserved.
    pub reserved: [u8; 2],
    /// Offset of the parent's key node; no meaning in the root.
    pub parent: U32,
    /// The number of stable subkeys.
    pub subkey_count: U32,
    /// The number of volatile subkeys; no meaning on disk.
    pub volatile_subkey_count: U32,
    /// Offset of the subkey list, or NIL.
    pub subkey_list: U32,
    /// Offset of the volatile subkey list; no meaning on disk, never followed.
    pub volatile_subkey_list: U32,
    /// The number of values.
    pub value_count: U32,
    /// Offset of the value list, or NIL.
    pub value_list: U32,
    /// Offset of the security cell.
    pub security: U32,
    /// Offset of the class name, or NIL.
    pub class: U32,
    /// The longest subkey name in bytes of UTF-16.
    pub max_subkey_name_len: U16,
    /// Virtualization and user flags.
    pub user_flags: u8,
    /// Debug byte.
    pub debug: u8,
    /// The longest subkey class name in bytes.
    pub max_class_len: U32,
    /// The longest value name in bytes of UTF-16.
    pub max_value_name_len: U32,
    /// The longest value data in bytes.
    pub max_value_data_len: U32,
    /// Cached index; no meaning on disk.
    pub work_var: U32,
    /// The length of the name in bytes.
    pub name_len: U16,
    /// The length of the class name in bytes.
    pub class_len: U16,
}

impl KeyNode {
    /// The signature of a key node.
    pub(crate) const SIGNATURE: [u8; 2] = *b"nk";
    /// Length without the name.
    pub(crate) const LEN: usize = 76;
    /// The key is volatile; never valid on disk.
    pub(crate) const FLAG_VOLATILE: u16 = 0x01;
    /// Mount point of another hive.
    pub(crate) const FLAG_HIVE_EXIT: u16 = 0x02;
    /// Root of the hive.
    pub(crate) const FLAG_HIVE_ENTRY: u16 = 0x04;
    /// The key can't be deleted.
    pub(crate) const FLAG_NO_DELETE: u16 = 0x08;
    /// Symbolic link.
    pub(crate) const FLAG_SYMLINK: u16 = 0x10;
    /// The flags that keep a key from being loaded anywhere except at the root of a hive.
    pub(crate) const FLAGS_OF_ROOT: u16 =
        Self::FLAG_HIVE_EXIT | Self::FLAG_HIVE_ENTRY | Self::FLAG_NO_DELETE;
    /// The name is stored as Latin-1, one byte per character.
    pub(crate) const FLAG_COMPRESSED_NAME: u16 = 0x20;
    /// Predefined handle: the value count holds a handle, there is no value list.
    pub(crate) const FLAG_PREDEFINED_HANDLE: u16 = 0x40;
    /// The largest payload of a key node's cell that Windows accepts, in bytes.
    pub(crate) const MAX_PAYLOAD: usize = 0x45C;
    /// Layered key semantics: tombstone.
    pub(crate) const LAYERED_TOMBSTONE: u8 = 1;
}

/// Key value (regf spec, Key value); the name follows.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct KeyValue {
    /// `vk`.
    pub signature: [u8; 2],
    /// The length of the name in bytes; 0 for the default value.
    pub name_len: U16,
    /// The length of the data in bytes; with the highest bit set the data are in `data`.
    pub data_size: U32,
    /// Offset of the data's cell, or up to four bytes of data.
    pub data: U32,
    /// Type of the data, see [`crate::ValueType`].
    pub data_type: U32,
    /// Bit 0: the name is Latin-1. Bit 1: tombstone.
    pub flags: U16,
    /// Reserved.
    pub spare: U16,
}

impl KeyValue {
    /// The signature of a key value.
    pub(crate) const SIGNATURE: [u8; 2] = *b"vk";
    /// Length without the name.
    pub(crate) const LEN: usize = 20;
    /// Flag: the name is stored as Latin-1.
    pub(crate) const FLAG_COMPRESSED_NAME: u16 = 1;
    /// Flag: tombstone of a layered key.
    pub(crate) const FLAG_TOMBSTONE: u16 = 2;
    /// Bit of `data_size`: the data are stored in the `data` field.
    pub const INLINE: u32 = 0x8000_0000;
    /// The maximum number of bytes that are stored in the `data` field.
    pub const MAX_INLINE: usize = 4;
}

/// Key security (regf spec, Key security); the self-relative security descriptor follows.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct KeySecurity {
    /// `sk`.
    pub signature: [u8; 2],
    /// Reserved.
    pub reserved: U16,
    /// Offset of the next security cell of the ring.
    pub flink: U32,
    /// Offset of the previous security cell of the ring.
    pub blink: U32,
    /// The number of key nodes that refer to this cell.
    pub reference_count: U32,
    /// The length of the security descriptor in bytes.
    pub descriptor_len: U32,
}

impl KeySecurity {
    /// The signature of a security cell.
    pub const SIGNATURE: [u8; 2] = *b"sk";
    /// Length without the descriptor.
    pub(crate) const LEN: usize = 20;
}

/// Head of a subkey list: `li`, `lf`, `lh` or `ri` (regf spec, Subkeys list).
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct ListHeader {
    /// One of the signatures of [`ListHeader`].
    pub signature: [u8; 2],
    /// The number of elements.
    pub count: U16,
}

impl ListHeader {
    /// Index leaf: offsets of key nodes.
    pub(crate) const INDEX_LEAF: [u8; 2] = *b"li";
    /// Fast leaf: offsets of key nodes, each with the first four characters of the name.
    pub(crate) const FAST_LEAF: [u8; 2] = *b"lf";
    /// Hash leaf: offsets of key nodes, each with the hash of the name.
    pub(crate) const HASH_LEAF: [u8; 2] = *b"lh";
    /// Index root: offsets of leaves.
    pub(crate) const INDEX_ROOT: [u8; 2] = *b"ri";
    /// Length without the elements.
    pub(crate) const LEN: usize = 4;
    /// The maximum number of elements of a new `lf` or `lh`: its cell fits a bin of one page.
    pub(crate) const MAX_FAST: usize = 507;
    /// The maximum number of elements of a leaf before it is split.
    pub(crate) const MAX_LEAF: usize = 1012;
}

/// Element of an `li` or `ri` list.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct IndexElement {
    /// Offset of a key node (`li`) or of a leaf (`ri`).
    pub cell: U32,
}

/// Element of an `lf` or `lh` list.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(crate) struct HashElement {
    /// Offset of a key node.
    pub cell: U32,
    /// The first four characters (`lf`) or the hash (`lh`) of the name.
    pub hash: U32,
}

/// Big data record: value data in segments (regf spec, Big data).
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct BigData {
    /// `db`.
    pub signature: [u8; 2],
    /// The number of segments.
    pub segment_count: U16,
    /// Offset of the list of segments.
    pub segment_list: U32,
}

impl BigData {
    /// The signature of a big data record.
    pub(crate) const SIGNATURE: [u8; 2] = *b"db";
    /// The length of the record.
    pub(crate) const LEN: usize = 8;
    /// The number of bytes of data in each segment except the last; longer data need a big data
    /// record.
    pub const SEGMENT_LEN: usize = 16344;
    /// The first minor version with big data.
    pub const MIN_MINOR: u32 = 4;
}

/// Header of a log entry in the new format (regf spec, Log entry).
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct LogEntry {
    /// `HvLE`.
    pub signature: [u8; 4],
    /// The length of the entry in bytes, a multiple of 512.
    pub size: U32,
    /// Copy of the base block's flags.
    pub flags: U32,
    /// Sequence number of this entry.
    pub sequence: U32,
    /// The length of the hive bins after this entry.
    pub bins_len: U32,
    /// The number of dirty pages in this entry.
    pub page_count: U32,
    /// Marvin32 of the entry from byte 40 on.
    pub hash1: U64,
    /// Marvin32 of the first 32 bytes.
    pub hash2: U64,
}

impl LogEntry {
    /// The signature of a log entry.
    pub const SIGNATURE: [u8; 4] = *b"HvLE";
    /// The length of the header.
    pub const LEN: usize = 40;
    /// The number of bytes of the header that `hash2` covers.
    pub(crate) const HASHED_LEN: usize = 32;
    /// The lengths of log entries that Windows writes are multiples of this many bytes.
    pub const ALIGN: usize = 512;
}

/// Reference to a dirty page in a log entry (regf spec, Log entry).
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct DirtyPageRef {
    /// Offset of the page from the start of the hive bins.
    pub offset: U32,
    /// The length of the page in bytes.
    pub size: U32,
}

const _: () = {
    assert!(size_of::<BaseBlock>() == 4096);
    assert!(std::mem::offset_of!(BaseBlock, rm_id) == 112);
    assert!(std::mem::offset_of!(BaseBlock, last_reorganized) == 168);
    assert!(std::mem::offset_of!(BaseBlock, checksum) == 508);
    assert!(std::mem::offset_of!(BaseBlock, boot_type) == 4088);
    assert!(size_of::<HiveBin>() == HiveBin::LEN);
    assert!(size_of::<KeyNode>() == KeyNode::LEN);
    assert!(std::mem::offset_of!(KeyNode, max_subkey_name_len) == 52);
    assert!(std::mem::offset_of!(KeyNode, name_len) == 72);
    assert!(size_of::<KeyValue>() == KeyValue::LEN);
    assert!(size_of::<KeySecurity>() == KeySecurity::LEN);
    assert!(size_of::<ListHeader>() == ListHeader::LEN);
    assert!(size_of::<BigData>() == BigData::LEN);
    assert!(size_of::<LogEntry>() == LogEntry::LEN);
};
