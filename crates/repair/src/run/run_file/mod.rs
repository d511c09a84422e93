//! The file of a run: everything that undo needs, and after it one journal for each state of the
//! run. Nothing is ever overwritten except what a failed flush has left. The file is flushed once
//! for each state.

mod append;
mod format;
mod read;
#[cfg(test)]
mod tests;

use std::io;

use diskmend_disk::File;

pub(crate) use append::Append;
pub(crate) use format::{FRAME_HEADER_LEN, Kind, MAX_FRAMES};
pub(crate) use read::{Frames, RunFileError};

/// A part of a file that is read like a file of its own.
pub(crate) struct Part {
    file: Box<dyn File>,
    start: u64,
    len: u64,
}

impl Part {
    /// All of a file.
    pub(crate) fn whole(file: Box<dyn File>) -> io::Result<Self> {
        let len = file.len()?;
        let start = 0;
        Ok(Self { file, start, len })
    }

    /// The length in bytes.
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buf` with the bytes from `offset` on.
    pub(crate) fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset.checked_add(buf.len() as u64);
        if end.is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.file
            .read_exact_at(buf, self.start.saturating_add(offset))
    }
}

#[cfg(test)]
pub(crate) use tests::{empty, journal_of, parts_of, with_damaged_undo, with_journal};
