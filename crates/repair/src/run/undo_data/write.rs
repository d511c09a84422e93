//! Writing undo data.

use std::io;
use std::ops::RangeInclusive;

use super::format::{
    HEADER_LEN, MAGIC, MAX_RECORD, PreImage, RECORD_HEADER_LEN, VERSION, checksum_of,
};

/// The number of bytes that are collected before they are written.
const PIECE: usize = 1 << 20;

/// The bytes that a write puts at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PostImage<'a> {
    /// Offset in the file.
    pub(crate) offset: u64,
    /// The bytes; their number is not limited.
    pub(crate) bytes: &'a [u8],
}

/// The content of undo data: everything that a run finds in one file and writes to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Images<'a> {
    /// The bytes that each write overwrites or cuts off, in order.
    pub(crate) before: Vec<PreImage>,
    /// The bytes that each write leaves, in order.
    pub(crate) after: Vec<PostImage<'a>>,
    /// The least and the greatest length of the file during the run.
    pub(crate) lengths: RangeInclusive<u64>,
}

impl Images<'_> {
    /// The length of the undo data in bytes.
    pub(crate) fn len(&self) -> u64 {
        let before = self.before.iter().map(|image| record_len(&image.bytes));
        let after = self.pieces().map(|(_, bytes)| record_len(bytes));
        before
            .chain(after)
            .fold(HEADER_LEN as u64, u64::saturating_add)
    }

    /// The new bytes in pieces that fit a record.
    fn pieces(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.after.iter().flat_map(|image| {
            let offsets = (image.offset..).step_by(MAX_RECORD);
            offsets.zip(image.bytes.chunks(MAX_RECORD))
        })
    }

    /// Encodes the undo data, and calls `write` with each piece.
    pub(crate) fn encode(&self, mut write: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut piece = Vec::with_capacity(HEADER_LEN);
        piece.extend(MAGIC);
        piece.extend(VERSION.to_le_bytes());
        piece.extend(0u32.to_le_bytes());
        let after = self.pieces().count() as u64;
        let (least, greatest) = (*self.lengths.start(), *self.lengths.end());
        for number in [self.before.len() as u64, after, least, greatest] {
            piece.extend(number.to_le_bytes());
        }
        let checksum = xxhash_rust::xxh3::xxh3_64(&piece);
        piece.extend(checksum.to_le_bytes());
        let before = self.before.iter();
        let before = before.map(|image| (image.offset, image.bytes.as_slice()));
        for (offset, bytes) in before.chain(self.pieces()) {
            if piece.len().saturating_add(bytes.len()) > PIECE {
                write(&piece)?;
                piece.clear();
            }
            piece.extend(offset.to_le_bytes());
            piece.extend((bytes.len() as u64).to_le_bytes());
            piece.extend(checksum_of(offset, bytes).to_le_bytes());
            piece.extend(bytes);
        }
        write(&piece)
    }
}

fn record_len(bytes: &[u8]) -> u64 {
    RECORD_HEADER_LEN as u64 + bytes.len() as u64
}
