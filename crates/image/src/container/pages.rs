//! A small cache for the tables of a container, which are read one entry at a time.

use diskmend_base::count::to_usize;
use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use diskmend_base::bytes;

use crate::device::{Device, range};

/// The length and alignment of each read.
const PAGE: u64 = 4096;
/// The number of pages in the cache: 4 MiB.
const KEPT: usize = 1024;

/// A cache of pages of one file.
///
/// Only tables may be read through it, and code that writes to the file must call
/// [`Pages::forget`].
#[derive(Debug, Default)]
pub(super) struct Pages {
    kept: Mutex<HashMap<u64, Vec<u8>>>,
}

impl Pages {
    /// Fills `buf` from `offset` of `file` on.
    pub(super) fn read(&self, file: &dyn Device, buf: &mut [u8], offset: u64) -> io::Result<()> {
        range(offset, buf.len(), file.len())?;
        // The lock is held while reading, so that a page that was read before a write is not
        // inserted after it.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in super::pieces::pieces(offset, buf.len(), PAGE) {
            let index = piece.block.0;
            let part = buf
                .get_mut(piece.range)
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            let within = to_usize(piece.within);
            let known = kept.get(&index);
            if let Some(found) = known.and_then(|page| bytes::slice(page, within, part.len())) {
                part.copy_from_slice(found);
                continue;
            }
            let start = index.saturating_mul(PAGE);
            if file.len().saturating_sub(start) < PAGE {
                // The end of the file moves, so the last part is not cached.
                file.read_exact_at(part, start.saturating_add(piece.within))?;
                continue;
            }
            let mut page = vec![0; usize::try_from(PAGE).map_err(io::Error::other)?];
            file.read_exact_at(&mut page, start)?;
            let found = bytes::slice(&page, within, part.len());
            part.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert(index, page);
        }
        Ok(())
    }

    /// Drops the cached pages of `len` bytes at `offset`, after these were written.
    pub(super) fn forget(&self, offset: u64, len: usize) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in super::pieces::pieces(offset, len, PAGE) {
            kept.remove(&piece.block.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Medium;
    use crate::testing::Memory;

    #[test]
    fn written_bytes_are_read_again_after_they_left_the_cache() {
        let memory = Memory::new(vec![1; 10_000]);
        let pages = Pages::default();
        let read = |offset| {
            let mut found = [9; 2];
            pages.read(&memory, &mut found, offset).map(|()| found)
        };
        for offset in [0, 4095, 8191, 9998] {
            assert_eq!(read(offset).expect("inside"), [1; 2]);
        }
        read(9999).expect_err("outside");
        memory.write_all_at(&[2; 4], 4094).expect("inside");
        assert_eq!(read(4095).expect("inside"), [1; 2], "kept");
        pages.forget(4094, 4);
        assert_eq!(read(4095).expect("inside"), [2; 2]);
        memory.set_len(20_000).expect("grows");
        assert_eq!(read(9999).expect("inside"), [1, 0], "the end was not kept");
    }
}
