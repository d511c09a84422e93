//! The parts of the file format that bounds need: where the chunks of a log lie, and what their
//! headers say. `evtx` reads their content.
//!
//! Offsets are in bytes. MS-EVEN6 leaves the format to the implementation; the structures are those
//! that libevtx's documentation describes.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

/// The length of the file header with its padding; the first chunk follows.
pub(super) const FILE_HEADER_LEN: u64 = 4096;
/// The length of a chunk.
pub(super) const CHUNK_LEN: usize = 1 << 16;
/// The length of a chunk's header with its tables; the first record follows.
pub(super) const CHUNK_HEADER_LEN: usize = 512;
/// The signature of a record.
pub(super) const RECORD_MAGIC: [u8; 4] = *b"\x2a\x2a\0\0";
/// The length of the copy of a record's length at its end.
pub(super) const RECORD_TRAILER_LEN: usize = 4;

/// The beginning of the file.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct FileHeader {
    /// `ElfFile` and NUL.
    pub(super) magic: [u8; 8],
    pub(super) first_chunk_number: U64,
    pub(super) last_chunk_number: U64,
    pub(super) next_record_id: U64,
    pub(super) header_size: U32,
    pub(super) minor_version: U16,
    pub(super) major_version: U16,
    pub(super) header_block_size: U16,
    pub(super) chunk_count: U16,
    pub(super) unused: [u8; 76],
    /// Bit 0: the log was not closed.
    pub(super) flags: U32,
    /// CRC-32 of the first 120 bytes.
    pub(super) checksum: U32,
}

/// The beginning of a chunk.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct ChunkHeader {
    /// `ElfChnk` and NUL.
    pub(super) magic: [u8; 8],
    pub(super) first_record_number: U64,
    pub(super) last_record_number: U64,
    pub(super) first_record_id: U64,
    pub(super) last_record_id: U64,
    pub(super) header_size: U32,
    /// From the start of the chunk.
    pub(super) last_record_offset: U32,
    /// From the start of the chunk; the end of its last record.
    pub(super) free_space_offset: U32,
    pub(super) records_checksum: U32,
}

/// The beginning of a record.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(super) struct RecordHeader {
    pub(super) magic: [u8; 4],
    /// The length of the record with this header and the copy of the length at its end.
    pub(super) size: U32,
    pub(super) id: U64,
    /// FILETIME in UTC.
    pub(super) written: U64,
}

pub(super) const FILE_MAGIC: [u8; 8] = *b"ElfFile\0";
pub(super) const CHUNK_MAGIC: [u8; 8] = *b"ElfChnk\0";
/// The flag of a file header: the log was not closed.
pub(super) const DIRTY: u32 = 1;

const _: () = assert!(size_of::<FileHeader>() == 128);
const _: () = assert!(size_of::<ChunkHeader>() == 56);
const _: () = assert!(size_of::<RecordHeader>() == 24);
