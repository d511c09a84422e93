//! Every on-disk structure of `$Secure`: the entries of `$SDS` and the view indexes `$SII` and
//! `$SDH` ("NTFS Documentation" of the Linux-NTFS project, Files: $Secure, and Concepts: Index
//! Header, Index Record). All numbers are little-endian.

use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What stands before each descriptor in `$SDS`, and what an entry of either index says of it.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(C)]
pub(super) struct SdsHeader {
    /// Hash of the descriptor's bytes.
    pub(super) hash: U32,
    /// The id that files name it by.
    pub(super) security_id: U32,
    /// Where this header lies in `$SDS`, in bytes; the same in the second copy.
    pub(super) offset: U64,
    /// Length in bytes of this header and the descriptor.
    pub(super) length: U32,
}

impl SdsHeader {
    /// Length of the header; the descriptor follows.
    pub(super) const LEN: u32 = 20;
    /// `$SDS` alternates between blocks of this many bytes and their second copies; no entry
    /// crosses the end of one.
    pub(super) const BLOCK: u64 = 0x4_0000;
    /// Longest descriptor taken for one: what fits the 16-bit sizes of its lists, and some.
    pub(super) const MAX_DESCRIPTOR: u32 = 0x1_0000;
    /// First id that a volume gives out; lower ones have other meanings.
    pub(super) const FIRST_ID: u32 = 0x100;
}

/// The start of the value of `$INDEX_ROOT`; an index header follows.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct IndexRoot {
    /// Type of the attribute indexed; 0 in a view index.
    pub(super) attribute_type: U32,
    /// How keys are ordered.
    pub(super) collation_rule: U32,
    /// Bytes in each block of `$INDEX_ALLOCATION`.
    pub(super) block_size: U32,
    /// The same in clusters, or in sectors of 512 bytes where a block is smaller than a cluster.
    pub(super) clusters_per_block: u8,
    /// Reserved.
    pub(super) reserved: [u8; 3],
}

impl IndexRoot {
    /// Length; the index header starts here.
    pub(super) const LEN: usize = 16;
}

/// The start of a block of `$INDEX_ALLOCATION`; an index header follows.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct IndexBlock {
    /// `INDX`.
    pub(super) signature: [u8; 4],
    /// Where the update sequence array lies in the block, in bytes.
    pub(super) usa_offset: U16,
    /// Number of 16-bit numbers in it.
    pub(super) usa_count: U16,
    /// Sequence number in `$LogFile` of the last change.
    pub(super) lsn: U64,
    /// The number that parents name this block by.
    pub(super) vcn: U64,
}

impl IndexBlock {
    /// The signature of a block in use.
    pub(super) const SIGNATURE: [u8; 4] = *b"INDX";
    /// Length; the index header starts here.
    pub(super) const LEN: usize = 24;
}

/// Describes the entries of one node. Offsets and lengths are in bytes from its own start.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct IndexHeader {
    /// The first entry.
    pub(super) entries_offset: U32,
    /// End of the last entry.
    pub(super) index_length: U32,
    /// End of the room for entries.
    pub(super) allocated_length: U32,
    /// Bit 0: the node has children.
    pub(super) flags: u8,
    /// Reserved.
    pub(super) reserved: [u8; 3],
}

impl IndexHeader {
    /// Length of the header.
    pub(super) const LEN: usize = 16;
    /// Flag: the node has children.
    pub(super) const HAS_CHILDREN: u8 = 1;
}

/// The start of an entry in a view index; the key follows.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct IndexEntry {
    /// Where the data lies in the entry, in bytes.
    pub(super) data_offset: U16,
    /// Its length in bytes.
    pub(super) data_length: U16,
    /// Reserved.
    pub(super) reserved: U32,
    /// Length of the entry in bytes, a multiple of 8.
    pub(super) length: U16,
    /// Length of the key in bytes.
    pub(super) key_length: U16,
    /// Bit 0: the last 8 bytes name a child. Bit 1: the last entry, without key and data.
    pub(super) flags: U16,
    /// Reserved.
    pub(super) reserved2: U16,
}

impl IndexEntry {
    /// Length; the key starts here.
    pub(super) const LEN: usize = 16;
    /// Entries start at, and their lengths are, multiples of this many bytes.
    pub(super) const ALIGN: usize = 8;
    /// Flag: the last 8 bytes are the number of a child whose keys are lower than this one.
    pub(super) const HAS_CHILD: u16 = 1;
    /// Flag: the last entry of a node.
    pub(super) const LAST: u16 = 2;
    /// Length of a child's number.
    pub(super) const CHILD_LEN: usize = 8;
}

const _: () = {
    assert!(size_of::<SdsHeader>() == 20);
    assert!(size_of::<IndexRoot>() == IndexRoot::LEN);
    assert!(size_of::<IndexBlock>() == IndexBlock::LEN);
    assert!(size_of::<IndexHeader>() == IndexHeader::LEN);
    assert!(size_of::<IndexEntry>() == IndexEntry::LEN);
};
