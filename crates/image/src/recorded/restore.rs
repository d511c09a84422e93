//! Whether a medium is as a record left it, and giving it back what it was before.

use diskmend_base::count::to_usize;
use std::ops::Range;

use diskmend_base::bytes;

use super::changes::{Change, Changes};
use super::medium::MOST_PENDING;
use super::ranges::Ranges;
use super::record::Index;
use super::sectors::{SECTOR, SECTOR_LEN, Sector, Sectors};
use super::{RecordError, RecordFile, RecordedMedium, State};

/// What was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The number of changes undone.
    pub changes: u64,
    /// Bytes given back, whether they had to be written or not.
    pub bytes: u64,
}

/// What somebody else has written to a medium since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedSince {
    /// Ranges of offsets, in ascending order.
    pub ranges: Vec<Range<u64>>,
    /// The length of the medium in bytes, if that has changed.
    pub other_len: Option<u64>,
}

/// How far the run got that a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// To its end: every change was made.
    Ended,
    /// It was killed, or its restoration was: any of the changes may have been made.
    Killed,
}

impl RecordedMedium {
    /// Whether the medium is as a record's run left it, so that restoring it destroys nothing that
    /// came later.
    ///
    /// # Errors
    /// If the record is damaged, or what the system reported.
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

    /// Which of the bytes that the frames have changed hold neither what was there before nor
    /// anything that a frame has put there, in ascending order; and the length of the medium, if
    /// that is none that the frames gave it.
    ///
    /// # Errors
    /// If the record is damaged, or what the system reported.
    pub fn changed_since(&self, record: &RecordFile) -> Result<ChangedSince, RecordError> {
        let index = Index::of(record)?;
        let len = self.medium.len();
        let known = (index.medium_len..=index.len_after).contains(&len);
        Ok(ChangedSince {
            ranges: self.unexplained(record, &index)?,
            other_len: (!known).then_some(len),
        })
    }

    /// Whether the medium is as the last of these frames left it.
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

    /// Whether there is a last frame and the medium holds nothing of it.
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

    /// Gives every changed byte of the medium back what it was, and the medium its length. What
    /// waits to be written is forgotten. Being killed at this is no worse than having been killed
    /// before: it can begin again.
    ///
    /// # Errors
    /// If the record is damaged, what the system reported, or [`RecordError::Damaged`] where what
    /// is read back is not what was there before.
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
                // All changes of a sector follow each other: it is not written with a part of them.
                if sectors.len() >= MOST_PENDING && !sectors.has(change.offset / SECTOR_LEN) {
                    self.write_sectors(&sectors)?;
                    sectors.clear();
                }
                self.take_back(&mut sectors, old, change.offset)?;
                restored.changes += 1;
                restored.bytes += old.len() as u64;
            }
            self.write_sectors(&sectors)?;
            // What a later frame changed once more must not be given back after an earlier one.
            self.medium.sync()?;
        }
        // What lies behind the end that the changes gave the medium is not theirs.
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
                what: "reading the disk back at this offset of it",
                expected: "the old bytes".to_owned(),
                found: "others".to_owned(),
            }),
        }
    }

    /// Puts old bytes into the sectors they belong to: these are written as a whole, so that none
    /// is left with a part of its changes.
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

    /// A sector as it is on the medium; zeros from the end of that on.
    fn sector(&self, number: u64) -> Result<Sector, RecordError> {
        let mut old = [0; SECTOR];
        let start = number.saturating_mul(SECTOR_LEN);
        let readable = self.inside(&(start..start.saturating_add(SECTOR_LEN)));
        if let Some(readable) = old.get_mut(..readable) {
            self.medium.read_exact_at(readable, start)?;
        }
        Ok(Sector { old, new: old })
    }

    /// Bytes of a range that lie before the end of the medium.
    fn inside(&self, range: &Range<u64>) -> usize {
        let end = range.end.min(self.medium.len());
        to_usize(end.saturating_sub(range.start))
    }

    /// The first byte of the medium that is not what the changes made it last, or found it first.
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

    /// The changed bytes of the medium that are what no change has found or made them.
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

    /// What is on the medium where a change is, as far as the medium reaches.
    fn content(&self, change: &Change<'_>) -> Result<Vec<u8>, RecordError> {
        let mut content = vec![0; self.inside(&change.range())];
        if !content.is_empty() {
            self.medium.read_exact_at(&mut content, change.offset)?;
        }
        Ok(content)
    }
}

/// The part of bytes that begin at an offset which is in a range; empty if none does.
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
