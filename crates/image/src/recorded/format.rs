//! The record's format. A record holds the changes of a medium in the order of the flushes.
//!
//! ```text
//! header | seal | frame | frame | ...        a frame for each flush
//! frame: frame header | change | change | ... | seal
//! change: offset u64, length u16 | old bytes | new bytes
//! ```
//!
//! All numbers are little-endian. A frame is written and flushed before any of its changes is made.
//! So if a frame is incomplete, none of its changes were made.
//!
//! A seal is an HMAC-SHA256 over three things: the seal before it, the offset of the sealed bytes,
//! and these bytes. So nobody can change a frame, leave it out, move it, or take it from another
//! record. A record without a key has no seals. The digests show what a power failure has torn, and
//! the seals show what somebody has forged.

use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// `DMSECTS1`: the record has no seals.
pub(super) const SIGNATURE: [u8; 8] = *b"DMSECTS1";
/// `DMSECTS2`: the record has seals.
pub(super) const SEALED_SIGNATURE: [u8; 8] = *b"DMSECTS2";
/// `FLSH`.
pub(super) const FRAME_SIGNATURE: [u8; 4] = *b"FLSH";
/// The greatest length of a change in bytes: one sector.
pub(super) const MAX_CHANGE: usize = 512;
/// The greatest length of a frame's payload in bytes.
pub(super) const MAX_FRAME: usize = 64 << 20;

/// The start of the record.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Header {
    /// [`SIGNATURE`] or [`SEALED_SIGNATURE`].
    pub(super) signature: [u8; 8],
    /// The length of the medium before the first change, in bytes.
    pub(super) medium_len: U64,
    /// XXH3-64 of the fields above.
    pub(super) digest: U64,
}

/// The start of a frame.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct FrameHeader {
    /// [`FRAME_SIGNATURE`].
    pub(super) signature: [u8; 4],
    /// The length in bytes of the changes that follow, at most [`MAX_FRAME`].
    pub(super) payload_len: U32,
    /// The length of the medium before this flush, in bytes.
    pub(super) len_before: U64,
    /// The length of the medium after this flush, in bytes.
    pub(super) len_after: U64,
    /// XXH3-64 of the payload.
    pub(super) payload_digest: U64,
    /// XXH3-64 of the fields above and the frame's offset in the record.
    pub(super) digest: U64,
}

/// The start of a change.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct ChangeHeader {
    /// Offset in the medium, in bytes.
    pub(super) offset: U64,
    /// The length of the old bytes and of the new bytes, 1 to [`MAX_CHANGE`].
    pub(super) len: U16,
}

const _: () = assert!(size_of::<Header>() == 24);
const _: () = assert!(size_of::<FrameHeader>() == 40);
const _: () = assert!(size_of::<ChangeHeader>() == 10);
