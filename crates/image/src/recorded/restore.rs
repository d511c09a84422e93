//! Comparing a medium with its record, and restoring its old bytes.

use diskmend_base::count::to_usize;
use std::ops::Range;

use diskmend_base::bytes;

use super::changes::{Change, Changes};
use super::medium::MOST_PENDING;
use super::record::Index;
use super::sectors::{SECTOR, SECTOR_LEN, Sector, Sectors};
use super::{RecordError, RecordFile, RecordedMedium, State};
use crate::ranges::Ranges;

/// The result of restoring a medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The number of undone changes.
    pub changes: u64,
    /// The number of restored bytes, including those that already were as before.
    pub bytes: u64,
}

/// What somebody else has since changed on a medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedSince {
    /// Ranges of offsets, in ascending order.
    pub ranges: Vec<Range<u64>>,
    /// The length of the medium in bytes, if somebody else has changed it.
    pub other_len: Option<u64>,
}

/// How far the recorded run got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It ended: every change was made.
    Ended,
    /// It was killed, or restoring it was: any of the changes may have been made.
    Killed,
}

impl RecordedMedium {
    /// Says if the medium still is as the recorded run left it. If so, restoring it destroys
    /// nothing newer.
    ///
    /// # Errors
    /// If the record is damaged, or an error of the system.
    pub fn state_by(&self, record: &RecordFile, progress: Progress) -> Result<State, RecordError> {
        let index = Index::of(record)?;
        match progress {
            Progress::Ended => {
                index.is_complete(record)?;
                self.as_left_by(record, &index)
            }
            Progress::Killed => {
                let len = self.medium.len();
                if !(index.medium_len..=index.len_after).contains(&len) {
                    let offset = len.min(index.len_after);
                    return Ok(State::ChangedSince { offset });
                }
                let unexplained = self.unexplained(record, &index)?;
                Ok(State::of(unexplained.first().map(|range| range.start)))
            }
        }
    }

    /// The changed bytes that hold neither their old content nor anything that a frame wrote, in
    /// ascending order, and the length of the medium if no frame gave it that length.
    ///
    /// # Errors
    /// If the record is damaged, or an error of the system.
    pub fn changed_since(&self, record: &RecordFile) -> Result<ChangedSince, RecordError> {
        let index = Index::of(record)?;
        let len = self.medium.len();
        let known = (index.medium_len..=index.len_after).contains(&len);
        Ok(ChangedSince {
            ranges: self.unexplained(record, &index)?,
            other_len: (!known).then_some(len),
        })
    }

    /// Says if the medium is as the last of these frames left it.
    pub(super) fn as_left_by(
        &self,
        record: &RecordFile,
        index: &Index,
    ) -> Result<State, RecordError> {
        let len = self.medium.len();
        if len != index.len_after {
            let offset = len.min(index.len_after);
            return Ok(State::ChangedSince { offset });
        }
        let odd = self.first_odd(record, index, Order::NewestFirst)?;
        Ok(State::of(odd))
    }

    /// True if there is a last frame and the medium holds none of its changes.
    pub(super) fn lacks_last(
        &self,
        record: &RecordFile,
        index: &Index,
    ) -> Result<bool, RecordError> {
        let Some(last) = index.frames().checked_sub(1) else {
            return Ok(false);
        };
        let payload = index.payload(record, last)?;
        for change in Changes::of(&payload) {
            let content = self.content(&change)?;
            if change.old.get(..content.len()) != Some(&content) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Restores the old content of every changed byte and the length of the medium. Waiting writes
    /// are dropped. If the process is killed meanwhile, restoring can simply start again.
    ///
    /// # Errors
    /// If the record is damaged, if what is read back differs from the old bytes
    /// ([`RecordError::Damaged`]), or an error of the system.
    pub fn restore(&self, record: &RecordFile) -> Result<Restored, RecordError> {
        self.abandon();
        let index = Index::of(record)?;
        let mut restored = Restored {
            changes: 0,
            bytes: 0,
        };
        for frame in (0..index.frames()).rev() {
            let payload = index.payload(record, frame)?;
            let mut sectors = Sectors::default();
            for change in Changes::of(&payload) {
                let inside = self.inside(&change.range());
                let (old, _) = change.old.split_at(inside.min(change.old.len()));
                // A sector's changes follow each other, so a sector is never written with only a
                // part of them.
                if sectors.len() >= MOST_PENDING && !sectors.has(change.offset / SECTOR_LEN) {
                    self.write_sectors(&sectors)?;
                    sectors.clear();
                }
                self.take_back(&mut sectors, old, change.offset)?;
                restored.changes += 1;
                restored.bytes += old.len() as u64;
            }
            self.write_sectors(&sectors)?;
            // These bytes must be on the disk before those of an earlier frame, which may change
            // them again.
            self.medium.sync()?;
        }
        // If the medium is longer than the changes made it, the rest isn't theirs.
        let len = self.medium.len();
        if len > index.medium_len && len <= index.len_after {
            self.medium.set_len(index.medium_len)?;
            self.medium.sync()?;
        }
        self.abandon();
        match self.first_odd(record, &index, Order::OldestFirst)? {
            None => Ok(restored),
            Some(offset) => Err(RecordError::Damaged {
                offset,
                what: "reading back the disk at this offset",
                expected: "the old bytes".to_owned(),
                found: "other bytes".to_owned(),
            }),
        }
    }

    /// Puts old bytes into their sectors. Sectors are written whole, so none is left with only a
    /// part of its changes.
    fn take_back(&self, sectors: &mut Sectors, old: &[u8], offset: u64) -> Result<(), RecordError> {
        let (mut rest, mut at) = (old, offset);
        while !rest.is_empty() {
            let number = at / SECTOR_LEN;
            let within = to_usize(at % SECTOR_LEN);
            let (part, after) = rest.split_at(rest.len().min(SECTOR.saturating_sub(within)));
            if !sectors.has(number) {
                sectors.add(number, self.sector(number)?);
            }
            let place = sectors.new_mut(number);
            if let Some(place) = place.and_then(|new| bytes::slice_mut(new, within, part.len())) {
                place.copy_from_slice(part);
            }
            at = at.saturating_add(part.len() as u64);
            rest = after;
        }
        Ok(())
    }

    /// A sector's bytes on the medium; zeros after the medium's end.
    fn sector(&self, number: u64) -> Result<Sector, RecordError> {
        let mut old = [0; SECTOR];
        let start = number.saturating_mul(SECTOR_LEN);
        let readable = self.inside(&(start..start.saturating_add(SECTOR_LEN)));
        if let Some(readable) = old.get_mut(..readable) {
            self.medium.read_exact_at(readable, start)?;
        }
        Ok(Sector {
            old,
            new: old,
            is_kept: false,
        })
    }

    /// The number of a range's bytes that come before the end of the medium.
    fn inside(&self, range: &Range<u64>) -> usize {
        let end = range.end.min(self.medium.len());
        to_usize(end.saturating_sub(range.start))
    }

    /// The first changed byte of the medium that isn't what the last change made it
    /// ([`Order::NewestFirst`]) or what it was before the first change ([`Order::OldestFirst`]).
    fn first_odd(
        &self,
        record: &RecordFile,
        index: &Index,
        order: Order,
    ) -> Result<Option<u64>, RecordError> {
        let mut seen = Ranges::default();
        for step in 0..index.frames() {
            let frame = match order {
                Order::NewestFirst => index.frames() - 1 - step,
                Order::OldestFirst => step,
            };
            let payload = index.payload(record, frame)?;
            for change in Changes::of(&payload) {
                let content = self.content(&change)?;
                let wanted = match order {
                    Order::NewestFirst => change.new,
                    Order::OldestFirst => change.old,
                };
                let (wanted, _) = wanted.split_at(content.len().min(wanted.len()));
                for part in seen.missing(change.range()) {
                    let found = piece(&content, change.offset, &part);
                    let wanted = piece(wanted, change.offset, &part);
                    let same = found.iter().zip(wanted).take_while(|(a, b)| a == b);
                    let same = same.count();
                    if same < found.len().max(wanted.len()) {
                        return Ok(Some(part.start.saturating_add(same as u64)));
                    }
                }
                seen.insert(change.range());
            }
        }
        Ok(None)
    }

    /// The changed bytes of the medium that hold neither the old nor the new bytes of any change.
    fn unexplained(
        &self,
        record: &RecordFile,
        index: &Index,
    ) -> Result<Vec<Range<u64>>, RecordError> {
        let (mut changed, mut explained) = (Ranges::default(), Ranges::default());
        for frame in 0..index.frames() {
            let payload = index.payload(record, frame)?;
            for change in Changes::of(&payload) {
                let content = self.content(&change)?;
                let end = change.offset.saturating_add(content.len() as u64);
                changed.insert(change.offset..end);
                let known = |at: usize| {
                    let found = content.get(at);
                    found == change.old.get(at) || found == change.new.get(at)
                };
                let mut at = 0;
                while at < content.len() {
                    let run = (at..content.len()).take_while(|at| known(*at)).count();
                    let start = change.offset.saturating_add(at as u64);
                    explained.insert(start..start.saturating_add(run as u64));
                    at += run + 1;
                }
            }
        }
        Ok(changed.outside(&explained).collect())
    }

    /// The bytes on the medium in a change's range, up to the medium's end.
    fn content(&self, change: &Change<'_>) -> Result<Vec<u8>, RecordError> {
        let mut content = vec![0; self.inside(&change.range())];
        if !content.is_empty() {
            self.medium.read_exact_at(&mut content, change.offset)?;
        }
        Ok(content)
    }
}

/// The part of `bytes` that is in a range. `bytes` start at `offset`. Empty if there is none.
pub(super) fn piece<'a>(bytes: &'a [u8], offset: u64, range: &Range<u64>) -> &'a [u8] {
    let index = |at: u64| to_usize(at.saturating_sub(offset));
    let end = index(range.end).min(bytes.len());
    match bytes.get(index(range.start)..end) {
        Some(part) => part,
        None => &[],
    }
}

#[derive(Clone, Copy)]
enum Order {
    NewestFirst,
    OldestFirst,
}
