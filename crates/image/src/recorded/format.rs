//! The record: what was changed on a medium, in the order of the flushes.
//!
//! ```text
//! header | seal | frame | frame | ...        a frame for each flush
//! frame: frame header | change | change | ... | seal
//! change: offset u64, length u16 | old bytes | new bytes
//! ```
//!
//! All numbers are little-endian. A frame is written and flushed before any of its changes is made,
//! so that of a frame that is not whole nothing has been made.
//!
//! A seal is an HMAC-SHA256 over the seal before it, the offset of what is sealed, and its bytes: so
//! no frame can be changed, left out, moved, or taken from another record. There are none in a
//! record without a key. The digests tell what a power failure has torn, the seals what somebody
//! has forged.

use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// `DMSECTS1`: a record without seals.
pub(super) const SIGNATURE: [u8; 8] = *b"DMSECTS1";
/// `DMSECTS2`: a record with seals.
pub(super) const SEALED_SIGNATURE: [u8; 8] = *b"DMSECTS2";
/// `FLSH`.
pub(super) const FRAME_SIGNATURE: [u8; 4] = *b"FLSH";
/// The longest change, in bytes: a sector.
pub(super) const MAX_CHANGE: usize = 512;
/// The longest payload of a frame, in bytes.
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
    /// Bytes of the changes that follow, at most [`MAX_FRAME`].
    pub(super) payload_len: U32,
    /// The length of the medium before this flush, in bytes.
    pub(super) len_before: U64,
    /// The length of the medium after it, in bytes.
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
    /// Bytes of the old content, and of the new one, 1 to [`MAX_CHANGE`].
    pub(super) len: U16,
}

const _: () = assert!(size_of::<Header>() == 24);
const _: () = assert!(size_of::<FrameHeader>() == 40);
const _: () = assert!(size_of::<ChangeHeader>() == 10);
