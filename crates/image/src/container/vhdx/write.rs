//! Writing to a VHDX.
//!
//! Before the first write, these steps are made, each followed by a sync: the table is checked;
//! both headers get new identifiers; the changes of the log are written to their places; both
//! headers record that the log is empty (MS-VHDX 2.2.2, 2.3.3). If a crash happens before the last
//! step, the log is still valid, and replaying it again has an identical result.
//!
//! A block that is in the file is written in place. A new block is added at the end of the file:
//! the file is lengthened and the data are written, then, after a sync, its entry in the block
//! allocation table. The specification requires that entries are changed through the log, which
//! protects against an entry that is half written. That can't happen here: the eight bytes that
//! change are within one sector of any disk, which is written as a whole or not at all. Each block
//! has one entry, and nothing else must agree with the entry, so the block is there or not; in the
//! second case some bytes at the end of the file are unused, which the format allows. The log stays
//! empty, and a program that opens the disk after a crash has nothing to replay.

use std::io;
use std::sync::PoisonError;

use super::Vhdx;
use super::bat::{BlockStart, Place};
use super::format::{BatEntry, MIB};
use super::header::Current;
use crate::container::error::ContainerError;
use crate::container::pieces::{Piece, is_zero, pieces};
use crate::device::{Device, range};

/// The state that writing changes.
#[derive(Debug)]
pub(super) struct State {
    pub(super) header: Current,
    pub(super) stage: Stage,
}

/// The progress of the preparations for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing was written.
    Opened,
    /// The headers have new identifiers.
    Announced {
        /// End of the last block in the file.
        end_of_blocks: u64,
    },
    /// The log is empty.
    Ready {
        /// End of the last block in the file.
        end_of_blocks: u64,
    },
}

impl Vhdx {
    /// Writes `data` at `offset` of the disk.
    pub(crate) fn write(&self, data: &[u8], offset: u64) -> io::Result<()> {
        range(offset, data.len(), self.metadata.disk_size)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let end_of_blocks = self.prepare(&mut state)?;
        let mut fresh = Vec::new();
        for piece in pieces(offset, data.len(), self.metadata.block_size.get()) {
            let part = part(data, &piece)?;
            match self.place(piece.block)? {
                Place::File(start) => {
                    self.view
                        .write_all_at(part, start.0.saturating_add(piece.within))?;
                }
                Place::Zero if is_zero(part) => {}
                Place::Zero | Place::Undefined => fresh.push(piece),
            }
        }
        if fresh.is_empty() {
            return Ok(());
        }
        self.allocate(end_of_blocks, &fresh, data)
    }

    /// Checks whether it may be written.
    pub(crate) fn check_writable(&self) -> Result<(), ContainerError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.stage {
            Stage::Opened => self.check_table().map(drop),
            Stage::Announced { .. } | Stage::Ready { .. } => Ok(()),
        }
    }

    /// Does what must be done once before the first write; returns the end of the last block.
    fn prepare(&self, state: &mut State) -> Result<u64, ContainerError> {
        if state.stage == Stage::Opened {
            let end_of_blocks = self.check_table()?;
            state.header.begin_writing(&*self.medium)?;
            state.stage = Stage::Announced { end_of_blocks };
        }
        match state.stage {
            Stage::Announced { end_of_blocks } => {
                if state.header.log_guid().is_some() {
                    self.view.persist()?;
                    state.header.clear_log(&*self.medium)?;
                }
                state.stage = Stage::Ready { end_of_blocks };
                Ok(end_of_blocks)
            }
            Stage::Ready { end_of_blocks } => Ok(end_of_blocks),
            Stage::Opened => Ok(0),
        }
    }

    /// Adds the blocks of `fresh`; their bytes are in `data`.
    fn allocate(&self, end_of_blocks: u64, fresh: &[Piece], data: &[u8]) -> io::Result<()> {
        let too_long = || io::Error::from(io::ErrorKind::FileTooLarge);
        let mut next = self
            .medium
            .len()
            .max(end_of_blocks)
            .checked_next_multiple_of(MIB)
            .ok_or_else(too_long)?;
        let mut places = Vec::with_capacity(fresh.len());
        for piece in fresh {
            places.push((piece, BlockStart(next)));
            next = next
                .checked_add(self.metadata.block_size.get())
                .ok_or_else(too_long)?;
        }
        self.medium.set_len(next)?;
        for (piece, start) in &places {
            // The rest of the block is new in the file, so it is zero.
            let at = start.0.saturating_add(piece.within);
            self.medium.write_all_at(part(data, piece)?, at)?;
        }
        self.medium.sync()?;
        for (piece, start) in &places {
            let entry = BatEntry::present(start.0).0.to_le_bytes();
            let at = self.entry_at(piece.block);
            let written = self.medium.write_all_at(&entry, at);
            self.pages.forget(at, entry.len());
            written?;
        }
        Ok(())
    }
}

/// The caller's bytes for `piece`.
fn part<'a>(data: &'a [u8], piece: &Piece) -> io::Result<&'a [u8]> {
    data.get(piece.range.clone())
        .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
