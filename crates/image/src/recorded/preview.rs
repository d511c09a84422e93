//! The medium as it would be after a record is restored, to look at before restoring.

use diskmend_base::count::to_usize;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use super::changes::Changes;
use super::medium::overlay;
use super::record::Index;
use super::restore::piece;
use super::{RecordError, RecordFile, RecordedMedium};
use crate::device::{Device, Medium, range};
use crate::ranges::Ranges;

/// A medium that shows a record's old bytes. It can only be read.
pub struct Preview {
    medium: Arc<dyn Medium>,
    len: u64,
    /// Old bytes by their offset. They don't overlap.
    old: BTreeMap<u64, Vec<u8>>,
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Preview")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl RecordedMedium {
    /// The medium as [`restore`](Self::restore) would make it. Waiting writes are ignored.
    ///
    /// # Errors
    /// If the record is damaged, or an error of the system.
    pub fn preview(&self, record: &RecordFile) -> Result<Preview, RecordError> {
        let index = Index::of(record)?;
        let mut seen = Ranges::default();
        let mut old = BTreeMap::new();
        for frame in 0..index.frames() {
            let payload = index.payload(record, frame)?;
            for change in Changes::of(&payload) {
                for part in seen.missing(change.range()) {
                    let bytes = piece(change.old, change.offset, &part).to_vec();
                    old.insert(part.start, bytes);
                }
                seen.insert(change.range());
            }
        }
        Ok(Preview {
            medium: Arc::clone(&self.medium),
            len: index.medium_len,
            old,
        })
    }
}

impl Preview {
    /// Shows every range that differs from the medium: its offset, the bytes of the medium, and the
    /// bytes that restoring would write.
    ///
    /// # Errors
    /// An error of the system.
    pub fn differences(&self, mut show: impl FnMut(u64, &[u8], &[u8])) -> io::Result<()> {
        for (at, old) in &self.old {
            let readable = self.medium.len().saturating_sub(*at);
            let len = to_usize(readable).min(old.len());
            let mut now = vec![0; len];
            if !now.is_empty() {
                self.medium.read_exact_at(&mut now, *at)?;
            }
            if now != *old {
                show(*at, &now, old);
            }
        }
        Ok(())
    }
}

impl Device for Preview {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        range(offset, buf.len(), self.len)?;
        self.medium.read_exact_at(buf, offset)?;
        let end = offset.saturating_add(buf.len() as u64);
        let before = self.old.range(..offset).next_back();
        let inside = self.old.range(offset..end);
        for (at, bytes) in before.into_iter().chain(inside) {
            overlay(buf, offset, *at, bytes);
        }
        Ok(())
    }

    fn write_all_at(&self, _data: &[u8], _offset: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Medium for Preview {
    fn set_len(&self, _len: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}
