//! Writing to a VHD: when it is refused, and how a dynamic VHD grows.
//!
//! A new block replaces the footer, in steps with a sync after each. After a crash at any moment,
//! the disk can be opened and contains the old or the new bytes:
//!
//! 1. The file is lengthened and the footer is written at its new end. A crash may leave the old
//!    footer, or no footer at the end, but the copy at offset 0 is there.
//! 2. The bitmap and the data are written over the old footer: no entry of the table refers to them
//!    yet.
//! 3. The entry of the table is written: four bytes within one sector, so the block is there or
//!    not.
//!
//! For a sector that was never written, the data are written first, and its bit after a sync.

use diskmend_base::count::to_usize;
use std::io;
use std::sync::PoisonError;

use zerocopy::IntoBytes;

use super::dynamic::{Bitmap, BlockStart, Dynamic, State};
use super::format::{Footer, SECTOR, UNUSED_ENTRY};
use crate::container::error::ContainerError;
use crate::container::pieces::{Block, Piece, is_zero, pieces};
use crate::device::range;

/// The maximum number of blocks in the file of a disk that is to be written: the checks need four
/// bytes for each.
const MAX_BLOCKS: usize = 1 << 23;
/// The number of bytes of the table that are checked at once.
const TABLE_CHUNK: u64 = 1 << 16;

impl Dynamic {
    /// Writes `data` at `offset` of the disk.
    pub(crate) fn write(&self, data: &[u8], offset: u64) -> io::Result<()> {
        range(offset, data.len(), self.size)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.prepare(&mut state)?;
        let mut fresh = Vec::new();
        for piece in pieces(offset, data.len(), self.block_size) {
            let part = part(data, &piece)?;
            match self.located(piece.block)? {
                Some(start) => self.write_block(start, &piece, part)?,
                None if is_zero(part) => {}
                None => fresh.push(piece),
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        self.allocate(&mut state, &fresh, data)
    }

    /// Checks whether it may be written.
    pub(crate) fn check_writable(&self) -> Result<(), ContainerError> {
        self.check(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn check(&self, state: &mut State) -> Result<(), ContainerError> {
        if state.checked {
            return Ok(());
        }
        refuse_suspended(&self.footer)?;
        if state.footers.last_is_sound && !self.medium.len().is_multiple_of(SECTOR) {
            return Err(unwritable(
                "its length is not a multiple of 512; convert it first, with \
                 `qemu-img convert -f vpc -O raw IN OUT`",
            ));
        }
        self.check_table(state)?;
        state.checked = true;
        Ok(())
    }

    /// Before the first write: checks the table, and writes a missing footer.
    fn prepare(&self, state: &mut State) -> Result<(), ContainerError> {
        self.check(state)?;
        if !state.footers.last_is_sound {
            let at = self.medium.len().checked_next_multiple_of(SECTOR);
            self.write_footer(
                state,
                at.ok_or(io::Error::from(io::ErrorKind::FileTooLarge))?,
            )?;
        }
        if !state.footers.first_is_sound {
            self.put(self.footer.as_bytes(), 0)?;
            self.medium.sync()?;
            state.footers.first_is_sound = true;
        }
        Ok(())
    }

    /// Lengthens the file so that the footer is at `at`, and writes it there.
    fn write_footer(&self, state: &mut State, at: u64) -> io::Result<()> {
        state.footers.last_is_sound = false;
        let end = at
            .checked_add(Footer::LEN)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        self.medium.set_len(end)?;
        self.put(self.footer.as_bytes(), at)?;
        self.medium.sync()?;
        state.footers.last_is_sound = true;
        Ok(())
    }

    /// Blocks must not overlap each other or the tables; otherwise writing to one would change
    /// another.
    fn check_table(&self, state: &State) -> Result<(), ContainerError> {
        let mut end = self.medium.len();
        if state.footers.last_is_sound {
            end = end.saturating_sub(Footer::LEN);
        }
        let blocks = self.size.div_ceil(self.block_size);
        let table = self.table.start..self.entry_at(Block(blocks));
        let mut starts: Vec<u32> = Vec::new();
        let mut block = Block(0);
        let mut chunk = Vec::new();
        let mut at = table.start;
        while at < table.end {
            let len = table.end.saturating_sub(at).min(TABLE_CHUNK);
            chunk.resize(to_usize(len), 0);
            self.medium.read_exact_at(&mut chunk, at)?;
            for entry in chunk.as_chunks::<4>().0 {
                let entry = u32::from_be_bytes(*entry);
                if self.checked_start(block, entry, end)?.is_some() {
                    if starts.len() >= MAX_BLOCKS {
                        return Err(unwritable("it has more blocks than can be checked"));
                    }
                    starts.push(entry);
                }
                block = Block(block.0.saturating_add(1));
            }
            at = at.saturating_add(len);
        }
        starts.sort_unstable();
        let sectors = self.stored_len() / SECTOR;
        let overlap = starts
            .iter()
            .zip(starts.iter().skip(1))
            .find(|(one, next)| u64::from(**next).saturating_sub(u64::from(**one)) < sectors);
        if let Some((one, next)) = overlap {
            return Err(ContainerError::corrupt(
                "the VHD block allocation table",
                self.table.start,
                "blocks that do not overlap",
                format_args!("blocks at sectors {one} and {next} of {sectors} sectors each"),
            ));
        }
        Ok(())
    }

    fn write_block(&self, start: BlockStart, piece: &Piece, part: &[u8]) -> io::Result<()> {
        let mut bitmap = self.bitmap(start, piece)?;
        let mut first_written = false;
        for run in bitmap.runs()? {
            let bytes = part
                .get(run.bytes.clone())
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            let within = piece.within.saturating_add(run.bytes.start as u64);
            if run.written {
                self.put(bytes, self.data_at(start, within))?;
            } else if !is_zero(bytes) {
                let (sectors, before) = whole_sectors(bytes, within)?;
                let within = within.saturating_sub(before);
                self.put(&sectors, self.data_at(start, within))?;
                bitmap.set(&run)?;
                first_written = true;
            }
        }
        if first_written {
            self.set_bits(&bitmap)?;
        }
        Ok(())
    }

    fn set_bits(&self, bitmap: &Bitmap) -> io::Result<()> {
        self.medium.sync()?;
        self.put(&bitmap.bits, bitmap.at)
    }

    /// Adds the blocks of `fresh`; their bytes are in `data`.
    fn allocate(&self, state: &mut State, fresh: &[Piece], data: &[u8]) -> io::Result<()> {
        let first = self.medium.len().saturating_sub(Footer::LEN);
        let mut places = Vec::with_capacity(fresh.len());
        let mut next = first;
        for piece in fresh {
            let sector = u32::try_from(next / SECTOR)
                .ok()
                .filter(|sector| *sector != UNUSED_ENTRY)
                .ok_or_else(|| unwritable("the file would be longer than a VHD can be"))?;
            places.push((piece, BlockStart(next), sector));
            next = next.saturating_add(self.stored_len());
        }
        self.write_footer(state, next)?;
        let bitmap = vec![u8::MAX; usize::try_from(self.bitmap_len).map_err(io::Error::other)?];
        for (piece, start, _) in &places {
            // The rest of the block is new in the file, so it is zero.
            self.put(&bitmap, start.0)?;
            self.put(part(data, piece)?, self.data_at(*start, piece.within))?;
        }
        self.medium.sync()?;
        for (piece, _, sector) in &places {
            self.put(&sector.to_be_bytes(), self.entry_at(piece.block))?;
        }
        Ok(())
    }

    fn put(&self, data: &[u8], at: u64) -> io::Result<()> {
        let written = self.medium.write_all_at(data, at);
        self.pages.forget(at, data.len());
        written
    }
}

/// The caller's bytes for `piece`.
fn part<'a>(data: &'a [u8], piece: &Piece) -> io::Result<&'a [u8]> {
    data.get(piece.range.clone())
        .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// `bytes` at `within`, padded with zeros to whole sectors, and the length of the padding before
/// them.
fn whole_sectors(bytes: &[u8], within: u64) -> io::Result<(Vec<u8>, u64)> {
    let before = within % SECTOR;
    let mut sectors = vec![0; usize::try_from(before).map_err(io::Error::other)?];
    sectors.extend_from_slice(bytes);
    let sector = usize::try_from(SECTOR).map_err(io::Error::other)?;
    sectors.resize(sectors.len().next_multiple_of(sector), 0);
    Ok((sectors, before))
}

/// A suspended virtual machine still has in memory what it read from the disk.
pub(super) fn refuse_suspended(footer: &Footer) -> Result<(), ContainerError> {
    if footer.saved_state == 1 {
        return Err(unwritable(
            "it is in use by a suspended virtual machine; resume the machine and shut it down, or \
             discard its saved state, first",
        ));
    }
    Ok(())
}

fn unwritable(reason: &str) -> ContainerError {
    ContainerError::Unwritable {
        format: "VHD",
        reason: reason.to_owned(),
    }
}
