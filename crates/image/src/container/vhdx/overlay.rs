//! The file in the state after its log was replayed, without writing to it (MS-VHDX 2.3.3 and its
//! note 5).

use diskmend_base::count::to_usize;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use diskmend_base::bytes;
use zerocopy::FromZeros;

use super::format::LOG_SECTOR;
use crate::device::{Device, Medium, range};

/// The number of bytes that are written at once when a range is zeroed.
const ZEROS: u64 = 1 << 20;

/// The changes of a log.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    /// The minimum length that the file must have.
    pub(super) len: u64,
    /// Start and end of ranges of zeros, except where there is a sector; the ranges are not
    /// adjacent.
    zeros: BTreeMap<u64, u64>,
    /// Sectors by their offset in the file.
    sectors: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    /// Replaces the sector at `offset`.
    pub(super) fn write(&mut self, offset: u64, sector: Vec<u8>) {
        self.len = self.len.max(offset.saturating_add(LOG_SECTOR));
        self.sectors.insert(offset, sector);
    }

    /// Makes a range zero. Both of its ends are multiples of [`LOG_SECTOR`].
    pub(super) fn zero(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        self.len = self.len.max(range.end);
        let hidden: Vec<u64> = self
            .sectors
            .range(range.clone())
            .map(|(at, _)| *at)
            .collect();
        for at in hidden {
            self.sectors.remove(&at);
        }
        let Range { mut start, mut end } = range;
        while let Some((from, to)) = self.zeros.range(..=end).next_back().map(|(a, b)| (*a, *b))
            && to >= start
        {
            self.zeros.remove(&from);
            start = start.min(from);
            end = end.max(to);
        }
        self.zeros.insert(start, end);
    }

    /// The maximum number of bytes of the file that it changes.
    pub(super) fn changed(&self) -> u64 {
        let sectors = (self.sectors.len() as u64).saturating_mul(LOG_SECTOR);
        self.zeros.iter().fold(sectors, |sum, (start, end)| {
            sum.saturating_add(end.saturating_sub(*start))
        })
    }

    /// Applies the changes to `buf`, which was read at `offset`.
    fn apply(&self, buf: &mut [u8], offset: u64) {
        let end = offset.saturating_add(buf.len() as u64);
        // The ranges do not overlap, so going backwards from the last one before `end`, they end
        // earlier too.
        let zeros = self.zeros.range(..end).rev();
        for (from, to) in zeros.take_while(|(_, to)| **to > offset) {
            let from = position((*from).max(offset), offset);
            let to = position((*to).min(end), offset);
            if let Some(part) = buf.get_mut(from..to) {
                part.zero();
            }
        }
        let first = offset.saturating_sub(LOG_SECTOR.saturating_sub(1));
        for (at, sector) in self.sectors.range(first..end) {
            let from = (*at).max(offset);
            let to = at.saturating_add(LOG_SECTOR).min(end);
            let len = position(to, from);
            if let Some(part) = bytes::slice_mut(buf, position(from, offset), len)
                && let Some(source) = bytes::slice(sector, position(from, *at), len)
            {
                part.copy_from_slice(source);
            }
        }
    }

    /// Writes the changes to the file and waits until they are durable.
    fn persist(&self, medium: &dyn Medium) -> io::Result<()> {
        let old_len = medium.len();
        if old_len < self.len {
            medium.set_len(self.len)?;
        }
        let zeros = vec![0; position(ZEROS, 0)];
        for (start, end) in &self.zeros {
            let mut at = *start;
            // The part beyond the old end is zero already.
            let end = (*end).min(old_len);
            while at < end {
                let len = position(end.saturating_sub(at).min(ZEROS), 0);
                medium.write_all_at(zeros.get(..len).unwrap_or(&zeros), at)?;
                at = at.saturating_add(ZEROS);
            }
        }
        for (at, sector) in &self.sectors {
            medium.write_all_at(sector, *at)?;
        }
        medium.sync()
    }
}

/// The distance of two offsets that are both within one buffer of memory.
fn position(at: u64, from: u64) -> usize {
    to_usize(at.saturating_sub(from))
}

/// The file with the changes of its log.
#[derive(Debug)]
pub(super) struct View {
    medium: Arc<dyn Medium>,
    overlay: RwLock<Option<Overlay>>,
}

impl View {
    pub(super) fn new(medium: Arc<dyn Medium>, overlay: Option<Overlay>) -> Self {
        Self {
            medium,
            overlay: RwLock::new(overlay),
        }
    }

    /// Updates the file, so that from here on it equals the view.
    pub(super) fn persist(&self) -> io::Result<()> {
        let mut overlay = self.overlay.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(changes) = &*overlay {
            changes.persist(&*self.medium)?;
            *overlay = None;
        }
        Ok(())
    }
}

impl Device for View {
    fn len(&self) -> u64 {
        let overlay = self.overlay.read().unwrap_or_else(PoisonError::into_inner);
        let grown = overlay.as_ref().map_or(0, |overlay| overlay.len);
        self.medium.len().max(grown)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let overlay = self.overlay.read().unwrap_or_else(PoisonError::into_inner);
        let Some(changes) = &*overlay else {
            return self.medium.read_exact_at(buf, offset);
        };
        let file_len = self.medium.len();
        range(offset, buf.len(), file_len.max(changes.len))?;
        let in_file = position(file_len, offset).min(buf.len());
        let (start, rest) = buf.split_at_mut(in_file);
        if !start.is_empty() {
            self.medium.read_exact_at(start, offset)?;
        }
        rest.zero();
        changes.apply(buf, offset);
        Ok(())
    }

    /// Writes beneath the changes: allowed only after [`View::persist`].
    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        self.medium.write_all_at(data, offset)
    }

    fn keep(&self, offset: u64, len: usize) -> io::Result<()> {
        self.medium.keep(offset, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.medium.sync()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorder::Recorder;

    #[test]
    fn later_changes_hide_earlier_ones() {
        let memory = Arc::new(Recorder::new(vec![1; 6 * 4096]));
        let mut overlay = Overlay::default();
        overlay.write(4096, vec![2; 4096]);
        overlay.write(2 * 4096, vec![3; 4096]);
        overlay.zero(4096..2 * 4096);
        overlay.zero(5 * 4096..7 * 4096);
        overlay.zero(4 * 4096..5 * 4096);
        overlay.write(6 * 4096, vec![4; 4096]);
        assert_eq!(overlay.zeros.len(), 2);
        assert_eq!(overlay.changed(), 6 * 4096);
        let mut expected = vec![1; 4096];
        for byte in [0, 3, 1, 0, 0, 4] {
            expected.resize(expected.len() + 4096, byte);
        }
        let view = View::new(memory.clone(), Some(overlay));
        assert_eq!(view.len(), 7 * 4096);
        for (offset, len) in [
            (0, 7 * 4096),
            (5000, 3),
            (4095, 2),
            (8191, 4100),
            (28671, 1),
        ] {
            let mut found = vec![9; len];
            view.read_exact_at(&mut found, offset as u64)
                .expect("inside");
            assert_eq!(found, expected[offset..offset + len], "{offset} {len}");
        }
        view.read_exact_at(&mut [0; 2], 28671).expect_err("outside");
        view.persist().expect("written");
        let mut found = vec![9; 7 * 4096];
        memory.read_exact_at(&mut found, 0).expect("inside");
        assert_eq!(found, expected);
        let steps = [
            "length 28672",
            "write 4096 at 4096",
            "write 8192 at 16384",
            "write 4096 at 8192",
            "write 4096 at 24576",
            "sync",
        ];
        assert_eq!(
            memory.steps(),
            steps,
            "zeros beyond the old end need no writing"
        );
    }
}
