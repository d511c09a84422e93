//! A dynamic VHD: a table stores the position of each block in the file, if the file contains the
//! block, and a bitmap before each block says which of its sectors were ever written (Block
//! Allocation Table and Data Blocks).
//!
//! A sector with a clear bit was never written, and reads as zero whatever the block contains.

use diskmend_base::count::to_usize;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use zerocopy::FromZeros;

use super::format::{DynamicHeader, ENTRY_LEN, Footer, SECTOR, UNUSED_ENTRY};
use crate::container::error::ContainerError;
use crate::container::pages::Pages;
use crate::container::pieces::{Block, Piece, pieces};
use crate::device::{Medium, range};

/// The limits for the size of a block, in bytes. The format has none; in practice blocks are 2 MiB.
const BLOCK_SIZES: Range<u64> = 4096..(1 << 28) + 1;

/// Offset in the file of the start of a block, with its bitmap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockStart(pub(super) u64);

/// Which footers are sound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Footers {
    /// The one at the end of the file.
    pub(super) last_is_sound: bool,
    /// The copy at the start.
    pub(super) first_is_sound: bool,
}

/// The state that writing changes.
#[derive(Debug)]
pub(super) struct State {
    pub(super) footers: Footers,
    /// The whole table was checked.
    pub(super) checked: bool,
}

/// The disk in a dynamic VHD.
#[derive(Debug)]
pub(crate) struct Dynamic {
    pub(super) medium: Arc<dyn Medium>,
    pub(super) pages: Pages,
    pub(super) footer: Footer,
    /// Size of the disk, in bytes.
    pub(super) size: u64,
    /// The bytes of data in a block.
    pub(super) block_size: u64,
    /// The bytes of the bitmap before the data.
    pub(super) bitmap_len: u64,
    /// Offset of the table in the file.
    pub(super) table: Range<u64>,
    /// Offset of the dynamic disk header in the file.
    header: Range<u64>,
    pub(super) state: Mutex<State>,
}

impl Dynamic {
    pub(super) fn new(
        medium: Arc<dyn Medium>,
        footer: Footer,
        header: &DynamicHeader,
        footers: Footers,
    ) -> Result<Self, ContainerError> {
        let header_at = footer.data_offset.get();
        let field = |at: u64| header_at.saturating_add(at);
        let block_size = u64::from(header.block_size.get());
        if !block_size.is_power_of_two() || !BLOCK_SIZES.contains(&block_size) {
            return Err(ContainerError::corrupt(
                "the block size of the VHD dynamic disk header",
                field(32),
                "a power of two from 4096 to 268435456",
                block_size,
            ));
        }
        let size = footer.current_size.get();
        let blocks = size.div_ceil(block_size);
        let entries = u64::from(header.max_table_entries.get());
        if entries < blocks {
            return Err(ContainerError::corrupt(
                "the number of table entries of the VHD dynamic disk header",
                field(28),
                format_args!("at least {blocks}, for {size} bytes"),
                entries,
            ));
        }
        let table_at = header.table_offset.get();
        let table_len = entries.saturating_mul(ENTRY_LEN).next_multiple_of(SECTOR);
        let table = table_at..table_at.saturating_add(table_len);
        let header = header_at..field(DynamicHeader::LEN);
        if !table.start.is_multiple_of(SECTOR)
            || table.start < Footer::LEN
            || table.end > medium.len()
            || (table.start < header.end && header.start < table.end)
        {
            return Err(ContainerError::corrupt(
                "the table offset of the VHD dynamic disk header",
                field(16),
                format_args!(
                    "a multiple of 512 with room for {table_len} bytes within the file, beside \
                     the other structures"
                ),
                table_at,
            ));
        }
        Ok(Self {
            medium,
            pages: Pages::default(),
            footer,
            size,
            block_size,
            bitmap_len: block_size.div_ceil(SECTOR * 8).next_multiple_of(SECTOR),
            table,
            header,
            state: Mutex::new(State {
                footers,
                checked: false,
            }),
        })
    }

    /// Size of the disk, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The length of a block in the file, with its bitmap.
    pub(super) fn stored_len(&self) -> u64 {
        self.block_size.saturating_add(self.bitmap_len)
    }

    /// The position of the entry of `block` in the table.
    pub(super) fn entry_at(&self, block: Block) -> u64 {
        self.table
            .start
            .saturating_add(block.0.saturating_mul(ENTRY_LEN))
    }

    /// The start of `block`; `None` if the file does not contain it.
    pub(super) fn located(&self, block: Block) -> Result<Option<BlockStart>, ContainerError> {
        let mut entry = [0; 4];
        self.pages
            .read(&*self.medium, &mut entry, self.entry_at(block))?;
        let end = self.medium.len();
        self.checked_start(block, u32::from_be_bytes(entry), end)
    }

    /// The start in a table entry, if the block is outside all other structures, before `end`.
    pub(super) fn checked_start(
        &self,
        block: Block,
        entry: u32,
        end: u64,
    ) -> Result<Option<BlockStart>, ContainerError> {
        if entry == UNUSED_ENTRY {
            return Ok(None);
        }
        let start = u64::from(entry).saturating_mul(SECTOR);
        let found = start..start.saturating_add(self.stored_len());
        let overlaps = |other: &Range<u64>| found.start < other.end && other.start < found.end;
        let taken = [0..Footer::LEN, self.header.clone(), self.table.clone()];
        if found.end > end || taken.iter().any(overlaps) {
            return Err(ContainerError::corrupt(
                "an entry of the VHD block allocation table",
                self.entry_at(block),
                format_args!("a block of {} bytes before {end}", self.stored_len()),
                format_args!("one at {start} that is not, or lies on other structures"),
            ));
        }
        Ok(Some(BlockStart(start)))
    }

    /// The position of the data of a block at `within` in the file.
    pub(super) fn data_at(&self, start: BlockStart, within: u64) -> u64 {
        start
            .0
            .saturating_add(self.bitmap_len)
            .saturating_add(within)
    }

    /// Fills `buf` from `offset` of the disk on.
    pub(crate) fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        range(offset, buf.len(), self.size)?;
        for piece in pieces(offset, buf.len(), self.block_size) {
            let part = buf
                .get_mut(piece.range.clone())
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            match self.located(piece.block)? {
                None => part.zero(),
                Some(start) => self.read_block(start, &piece, part)?,
            }
        }
        Ok(())
    }

    /// Takes bytes of the disk into the record of changes, as far as the file has them.
    pub(crate) fn keep(&self, offset: u64, len: usize) -> io::Result<()> {
        range(offset, len, self.size)?;
        for piece in pieces(offset, len, self.block_size) {
            if let Some(start) = self.located(piece.block)? {
                let at = self.data_at(start, piece.within);
                self.medium.keep(at, piece.range.len())?;
            }
        }
        Ok(())
    }

    fn read_block(&self, start: BlockStart, piece: &Piece, part: &mut [u8]) -> io::Result<()> {
        let bitmap = self.bitmap(start, piece)?;
        for run in bitmap.runs()? {
            let part = part
                .get_mut(run.bytes.clone())
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            if run.written {
                let within = piece.within.saturating_add(run.bytes.start as u64);
                self.medium
                    .read_exact_at(part, self.data_at(start, within))?;
            } else {
                part.zero();
            }
        }
        Ok(())
    }

    /// The bits for the sectors of `piece`.
    pub(super) fn bitmap(&self, start: BlockStart, piece: &Piece) -> io::Result<Bitmap> {
        let len = piece.range.len() as u64;
        let first = piece.within / SECTOR;
        let end = piece.within.saturating_add(len).div_ceil(SECTOR);
        let first_byte = first / 8;
        let bytes = usize::try_from(end.div_ceil(8).saturating_sub(first_byte))
            .map_err(io::Error::other)?;
        let mut bits = vec![0; bytes];
        let at = start.0.saturating_add(first_byte);
        self.pages.read(&*self.medium, &mut bits, at)?;
        Ok(Bitmap {
            bits,
            at,
            within: piece.within,
            len,
        })
    }
}

/// Part of the bitmap of a block.
#[derive(Debug)]
pub(super) struct Bitmap {
    /// The bytes from that with the bit of the first sector on; the highest bit comes first.
    pub(super) bits: Vec<u8>,
    /// The position of `bits` in the file.
    pub(super) at: u64,
    within: u64,
    len: u64,
}

/// Adjacent sectors with equal bits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) written: bool,
    /// Bytes of the piece.
    pub(super) bytes: Range<usize>,
}

impl Bitmap {
    /// The index of the byte with a sector's bit, and the bit in it.
    fn place(&self, sector: u64) -> Option<(usize, u8)> {
        let first = (self.within / SECTOR) / 8;
        let byte = usize::try_from((sector / 8).checked_sub(first)?).ok()?;
        Some((byte, 0x80 >> (sector % 8)))
    }

    fn is_set(&self, sector: u64) -> io::Result<bool> {
        self.place(sector)
            .and_then(|(byte, bit)| Some(self.bits.get(byte)? & bit != 0))
            .ok_or_else(|| without_bit(sector))
    }

    /// Sets the bits of the sectors that `run` touches.
    pub(super) fn set(&mut self, run: &Run) -> io::Result<()> {
        let start = self.within.saturating_add(run.bytes.start as u64);
        let end = self.within.saturating_add(run.bytes.end as u64);
        for sector in start / SECTOR..end.div_ceil(SECTOR) {
            let place = self.place(sector);
            let place = place.and_then(|(byte, bit)| Some((self.bits.get_mut(byte)?, bit)));
            let (bits, bit) = place.ok_or_else(|| without_bit(sector))?;
            *bits |= bit;
        }
        Ok(())
    }

    /// The piece, split where the bits change.
    pub(super) fn runs(&self) -> io::Result<Vec<Run>> {
        let end = self.within.saturating_add(self.len);
        let mut runs: Vec<Run> = Vec::new();
        for sector in self.within / SECTOR..end.div_ceil(SECTOR) {
            let to = sector.saturating_add(1).saturating_mul(SECTOR).min(end);
            let to = to_usize(to.saturating_sub(self.within));
            let written = self.is_set(sector)?;
            match runs.last_mut() {
                Some(last) if last.written == written => last.bytes.end = to,
                last => {
                    let from = last.map_or(0, |last| last.bytes.end);
                    runs.push(Run {
                        written,
                        bytes: from..to,
                    });
                }
            }
        }
        Ok(runs)
    }
}

/// The error for a sector about which a part of a bitmap says nothing.
fn without_bit(sector: u64) -> io::Error {
    io::Error::other(format!(
        "the bitmap of the block has no bit for sector {sector}"
    ))
}
