//! The on-disk structures that only `$Secure` has: the entries of `$SDS` and those of the view
//! indexes `$SII` and `$SDH` (Linux-NTFS, $Secure). All numbers are little-endian.

use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The header before each descriptor in `$SDS`, which is also the data of an entry in both indexes.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned,
)]
#[repr(C)]
pub(super) struct SdsHeader {
    /// Hash of the descriptor's bytes.
    pub(super) hash: U32,
    /// The id by which files refer to it.
    pub(super) security_id: U32,
    /// The offset of this header in `$SDS`, in bytes; the second copy contains the same offset.
    pub(super) offset: U64,
    /// Length in bytes of this header and the descriptor.
    pub(super) length: U32,
}

impl SdsHeader {
    /// The length of the header; the descriptor follows.
    pub(super) const LEN: u32 = 20;
    /// `$SDS` alternates between blocks of this many bytes and their second copies; no entry
    /// crosses the end of one.
    pub(super) const BLOCK: u64 = 0x4_0000;
    /// The maximum length of a descriptor: lists with 16-bit sizes, plus some bytes.
    pub(super) const MAX_DESCRIPTOR: u32 = 0x1_0000;
    /// The first id that a volume assigns; lower ids have other meanings.
    pub(super) const FIRST_ID: u32 = 0x100;
}

/// Flag of a node: its entries have children.
pub(super) const NODE_HAS_CHILDREN: u8 = 1;

/// The start of an entry in a view index; the key follows. It is like that of any index, with the
/// position of its data instead of a reference.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct ViewEntry {
    /// The offset of the data in the entry, in bytes.
    pub(super) data_offset: U16,
    /// Its length in bytes.
    pub(super) data_length: U16,
    /// Reserved.
    pub(super) reserved: U32,
    /// The length of the entry in bytes, a multiple of 8.
    pub(super) length: U16,
    /// The length of the key in bytes.
    pub(super) key_length: U16,
    /// Bit 0: the last 8 bytes name a child. Bit 1: the last entry, without key and data.
    pub(super) flags: U16,
    /// Reserved.
    pub(super) reserved2: U16,
}

impl ViewEntry {
    /// Length; the key starts here.
    pub(super) const LEN: usize = 16;
    /// Entries start at, and their lengths are, multiples of this many bytes.
    pub(super) const ALIGN: usize = 8;
    /// Flag: the last 8 bytes are the number of a child whose keys are lower than this one.
    pub(super) const HAS_CHILD: u16 = 1;
    /// Flag: the last entry of a node.
    pub(super) const LAST: u16 = 2;
    /// The length of a child's number.
    pub(super) const CHILD_LEN: usize = 8;
}

const _: () = {
    assert!(size_of::<SdsHeader>() == 20);
    assert!(size_of::<ViewEntry>() == ViewEntry::LEN);
};
