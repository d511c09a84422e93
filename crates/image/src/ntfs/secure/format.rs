//! The on-disk structures that only `$Secure` has: the entries of `$SDS`, which are also the
//! data of the view indexes `$SII` and `$SDH` (Linux-NTFS, $Secure). All numbers are little-endian.

use zerocopy::byteorder::little_endian::{U32, U64};
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

const _: () = assert!(size_of::<SdsHeader>() == 20);
