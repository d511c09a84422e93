//! A small cache for the tables of a container, which are read an entry at a time.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use crate::bytes;
use crate::device::{Device, range};

/// Length and alignment of what is read at once.
const PAGE: u64 = 4096;
/// How many pages are kept: 4 MiB.
const KEPT: usize = 1024;

/// Pages of one file that were read before.
///
/// Only tables may be read through it, and whoever writes to the file must say so by
/// [`Pages::forget`].
#[derive(Debug, Default)]
pub(super) struct Pages {
    kept: Mutex<HashMap<u64, Vec<u8>>>,
}

impl Pages {
    /// Fills `buf` from `offset` of `file` on.
    pub(super) fn read(&self, file: &dyn Device, buf: &mut [u8], offset: u64) -> io::Result<()> {
        range(offset, buf.len(), file.len())?;
        // Held while reading, so that no page is kept that was read before a write and is
        // inserted after it.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in super::pieces::pieces(offset, buf.len(), PAGE) {
            let index = piece.block.0;
            if !kept.contains_key(&index) {
                if kept.len() >= KEPT {
                    kept.clear();
                }
                let start = index.saturating_mul(PAGE);
                let len = file.len().saturating_sub(start).min(PAGE);
                let mut page = vec![0; usize::try_from(len).unwrap_or(0)];
                file.read_exact_at(&mut page, start)?;
                kept.insert(index, page);
            }
            let within = usize::try_from(piece.within).unwrap_or(usize::MAX);
            let found = kept
                .get(&index)
                .and_then(|page| bytes::slice(page, within, piece.range.len()))
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            if let Some(part) = buf.get_mut(piece.range) {
                part.copy_from_slice(found);
            }
        }
        Ok(())
    }

    /// Drops what was kept of `len` bytes at `offset`, after they were written.
    pub(super) fn forget(&self, offset: u64, len: usize) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in super::pieces::pieces(offset, len, PAGE) {
            kept.remove(&piece.block.0);
        }
    }

    /// Drops everything.
    pub(super) fn clear(&self) {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}
