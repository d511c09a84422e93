//! The medium itself. Writes wait in memory for the next flush.

use diskmend_base::count::to_usize;
use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zerocopy::IntoBytes;

use super::changes::add_sector;
use super::format::FrameHeader;
use super::record::{Index, head};
use super::seal::{Seal, seal};
use super::sectors::{Content, SECTOR, SECTOR_LEN, Sector, Sectors};
use super::{RecordError, RecordFile, State};
use crate::device::{Device, Medium, range};

/// The greatest number of bytes that one step of a write takes.
const PIECE: usize = 64 << 10;
/// If at most this number of unchanged sectors separates two changed ones, they are written too.
/// All of them then are in one page of 4096 bytes, and the system writes whole pages.
const NEAR: u64 = 6;
/// If this number of sectors waits, they are written without a request. Old and new bytes together
/// are 4 MiB.
pub(super) const MOST_PENDING: usize = 1 << 12;

/// A medium that records changes before it makes them.
///
/// Without a record it can only be read.
#[derive(Debug)]
pub struct RecordedMedium {
    pub(super) medium: Arc<dyn Medium>,
    state: Mutex<Waiting>,
}

/// The writes that wait for the next flush.
#[derive(Default)]
pub(super) struct Waiting {
    /// The sectors to write.
    pending: Sectors,
    /// The length as readers see it.
    len: u64,
    /// The length that the medium itself has.
    len_on_medium: u64,
    record: Option<Record>,
    /// Something was written that isn't durable yet.
    unsynced: bool,
    /// A flush has failed, so nobody knows what is durable.
    failed: bool,
}

/// The record that changes are written to.
struct Record {
    to: RecordFile,
    end: u64,
    /// The seal of everything that the record already holds.
    last: Seal,
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting")
            .field("pending", &self.pending.len())
            .field("len", &self.len)
            .field("recorded", &self.record.is_some())
            .finish_non_exhaustive()
    }
}

impl RecordedMedium {
    /// For a medium that nobody else changes.
    #[must_use]
    pub fn new(medium: Arc<dyn Medium>) -> Self {
        let len = medium.len();
        let state = Waiting {
            len,
            len_on_medium: len,
            ..Waiting::default()
        };
        Self {
            medium,
            state: Mutex::new(state),
        }
    }

    /// Starts to record changes, in an empty file.
    ///
    /// # Errors
    /// An error of the system.
    pub fn begin(&self, mut record: RecordFile) -> io::Result<()> {
        let mut state = self.state();
        let (head, last) = head(state.len_on_medium, record.key.as_ref());
        record.file.write_all_at(&head, 0)?;
        record.file.sync()?;
        let end = head.len() as u64;
        state.record = Some(Record {
            to: record,
            end,
            last,
        });
        Ok(())
    }

    /// Continues the record of a run that was killed between two flushes, if the medium holds the
    /// whole last flush or nothing of it. Otherwise nothing is recorded, and the run can only be
    /// undone.
    ///
    /// # Errors
    /// If the record is damaged, or an error of the system.
    pub fn resume(&self, mut record: RecordFile) -> Result<State, RecordError> {
        let mut index = Index::of(&record)?;
        index.can_be_continued(&record)?;
        let mut state = self.as_left_by(&record, &index)?;
        if state != State::AsRecorded && self.lacks_last(&record, &index)? {
            index.forget_last();
            state = self.as_left_by(&record, &index)?;
        }
        if state != State::AsRecorded {
            return Ok(state);
        }
        if record.file.len()? > index.end {
            record.file.set_len(index.end)?;
            record.file.sync()?;
        }
        // The process may have been killed before it synced the medium.
        self.medium.sync()?;
        let end = index.end;
        let last = index.last_seal();
        self.state().record = Some(Record {
            to: record,
            end,
            last,
        });
        Ok(state)
    }

    /// Flushes the waiting writes and ends the recording. After that the medium can only be read.
    ///
    /// # Errors
    /// The errors of [`Device::sync`].
    pub fn end(&self) -> io::Result<()> {
        let mut state = self.state();
        let flushed = self.flush(&mut state);
        state.record = None;
        flushed
    }

    /// Drops the waiting writes and ends the recording. After that the medium can only be read, and
    /// readers see what the disk holds.
    pub fn abandon(&self) {
        let mut state = self.state();
        let len = self.medium.len();
        *state = Waiting {
            len,
            len_on_medium: len,
            ..Waiting::default()
        };
    }

    fn state(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the bytes that readers see; zeros after the end.
    fn read(&self, state: &Waiting, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let on_medium = state.len_on_medium.saturating_sub(offset);
        let readable = to_usize(on_medium).min(buf.len());
        let (head, tail) = buf.split_at_mut(readable);
        if !head.is_empty() {
            self.medium.read_exact_at(head, offset)?;
        }
        tail.fill(0);
        let end = offset.saturating_add(buf.len() as u64);
        let sectors = offset / SECTOR_LEN..end.div_ceil(SECTOR_LEN);
        for (number, sector) in state.pending.range(sectors) {
            overlay(buf, offset, number.saturating_mul(SECTOR_LEN), &sector.new);
        }
        Ok(())
    }

    /// Adds a piece of a write to the waiting sectors, if it changes anything.
    fn put(&self, state: &mut Waiting, data: &[u8], offset: u64) -> io::Result<()> {
        let lead = to_usize(offset % SECTOR_LEN);
        let first = offset / SECTOR_LEN;
        let whole = lead.saturating_add(data.len()).next_multiple_of(SECTOR);
        let mut before = vec![0; whole];
        self.read(state, &mut before, first.saturating_mul(SECTOR_LEN))?;
        let (before, _) = before.as_chunks::<SECTOR>();
        for (before, number) in before.iter().zip(first..) {
            let start = number.saturating_mul(SECTOR_LEN);
            let whole = start
                .checked_sub(offset)
                .and_then(|at| usize::try_from(at).ok());
            let composed;
            let after = match whole.and_then(|at| data.get(at..)?.first_chunk::<SECTOR>()) {
                Some(whole) => whole,
                None => {
                    composed = composed_of(before, start, data, offset);
                    &composed
                }
            };
            if after == before {
                continue;
            }
            match state.pending.new_mut(number) {
                Some(new) => *new = *after,
                // A sector that doesn't wait yet was read from the medium.
                None => state.pending.add(
                    number,
                    Sector {
                        old: *before,
                        new: *after,
                        is_kept: false,
                    },
                ),
            }
        }
        Ok(())
    }

    /// Adds a sector that is recorded, but doesn't change, to the waiting ones.
    fn keep_sector(&self, state: &mut Waiting, number: u64) -> io::Result<()> {
        if state.pending.keep(number) {
            return Ok(());
        }
        let mut old = [0; SECTOR];
        self.read(state, &mut old, number.saturating_mul(SECTOR_LEN))?;
        let sector = Sector {
            old,
            new: old,
            is_kept: true,
        };
        state.pending.add(number, sector);
        Ok(())
    }

    /// Records the waiting writes, makes them, and makes them durable.
    fn flush(&self, state: &mut Waiting) -> io::Result<()> {
        self.write(state)?;
        if state.unsynced {
            state.note(self.medium.sync())?;
            state.unsynced = false;
        }
        Ok(())
    }

    /// Records the waiting writes and makes them.
    fn write(&self, state: &mut Waiting) -> io::Result<()> {
        state.usable()?;
        if state.pending.is_empty() && state.len == state.len_on_medium {
            return Ok(());
        }
        let written = self.try_write(state);
        state.note(written)
    }

    fn try_write(&self, state: &mut Waiting) -> io::Result<()> {
        let payload = payload(state);
        let Some(record) = &mut state.record else {
            return Err(not_recorded());
        };
        let (before, after) = (state.len_on_medium, state.len);
        let header = FrameHeader::new(record.end, &payload, before, after)
            .ok_or_else(|| io::Error::other("too many changes in one flush"))?;
        let mut frame = [header.as_bytes(), &payload].concat();
        if let Some(key) = &record.to.key {
            record.last = seal(key, &record.last, record.end, &[&frame]);
            frame.extend_from_slice(&record.last);
        }
        record.to.file.write_all_at(&frame, record.end)?;
        record.to.file.sync()?;
        record.end = record.end.saturating_add(frame.len() as u64);
        state.unsynced = true;
        if after != before {
            self.medium.set_len(after)?;
            state.len_on_medium = after;
        }
        self.write_sectors(&state.pending)?;
        state.pending.clear();
        Ok(())
    }

    /// Writes the sectors that change, up to the end of the medium.
    pub(super) fn write_sectors(&self, sectors: &Sectors) -> io::Result<()> {
        let mut bytes = Vec::new();
        for run in runs(sectors.iter(), NEAR) {
            if self.fill_gaps(&run, &mut bytes).is_ok() {
                self.write_run(sectors, &run, &mut bytes)?;
                continue;
            }
            // What can't be read isn't written either.
            for part in runs(sectors.range(run.numbers), 0) {
                self.fill_gaps(&part, &mut bytes)?;
                self.write_run(sectors, &part, &mut bytes)?;
            }
        }
        Ok(())
    }

    /// Makes room for the bytes of a run and reads the sectors in its gaps.
    fn fill_gaps(&self, run: &Run, bytes: &mut Vec<u8>) -> io::Result<()> {
        let start = run.numbers.start.saturating_mul(SECTOR_LEN);
        let end = run.numbers.end.saturating_mul(SECTOR_LEN);
        let len = end.min(self.medium.len()).saturating_sub(start);
        bytes.resize(to_usize(len), 0);
        if run.has_gaps {
            self.medium.read_exact_at(bytes, start)?;
        }
        Ok(())
    }

    fn write_run(&self, sectors: &Sectors, run: &Run, bytes: &mut [u8]) -> io::Result<()> {
        let start = run.numbers.start.saturating_mul(SECTOR_LEN);
        for (number, sector) in sectors.range(run.numbers.clone()) {
            overlay(bytes, start, number.saturating_mul(SECTOR_LEN), &sector.new);
        }
        self.medium.write_all_at(bytes, start)
    }
}

impl Waiting {
    /// Remembers a failure: after one, nothing is known to be durable.
    fn note(&mut self, done: io::Result<()>) -> io::Result<()> {
        self.failed |= done.is_err();
        done
    }

    fn usable(&self) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other(
                "an earlier flush failed, so nothing is known to be durable",
            ));
        }
        Ok(())
    }
}

/// The payload of a frame with the waiting writes.
fn payload(state: &Waiting) -> Vec<u8> {
    let mut payload = Vec::new();
    for (number, sector) in state.pending.iter() {
        let at = number.saturating_mul(SECTOR_LEN);
        add_sector(&mut payload, at, sector);
    }
    payload
}

/// Sectors that are written at once.
struct Run {
    numbers: Range<u64>,
    /// True if some sectors of the run don't change.
    has_gaps: bool,
}

/// Divides the changed ones of these sorted sectors into runs of at most [`PIECE`] bytes. At most
/// `gap` unchanged sectors separate two changed ones of a run.
fn runs<'a>(
    sectors: impl Iterator<Item = (u64, &'a Sector)>,
    gap: u64,
) -> impl Iterator<Item = Run> {
    // An unchanged part may be a hole, and there may be no room to fill it.
    let changed = sectors.filter(|(_, sector)| sector.new != sector.old);
    let mut numbers = changed.map(|(number, _)| number).peekable();
    std::iter::from_fn(move || {
        let first = numbers.next()?;
        let most = first.saturating_add(PIECE as u64 / SECTOR_LEN);
        let mut end = first.saturating_add(1);
        let mut has_gaps = false;
        while let Some(number) =
            numbers.next_if(|number| *number <= end.saturating_add(gap) && *number < most)
        {
            has_gaps |= number != end;
            end = number.saturating_add(1);
        }
        let numbers = first..end;
        Some(Run { numbers, has_gaps })
    })
}

/// The sector at `start`, with its part of `data` in it. `data` belongs at `offset`.
fn composed_of(sector: &Content, start: u64, data: &[u8], offset: u64) -> Content {
    let mut composed = *sector;
    overlay(&mut composed, start, offset, data);
    composed
}

/// Copies the bytes that both ranges have: `buf` starts at `offset`, and `content` at `at`.
pub(super) fn overlay(buf: &mut [u8], offset: u64, at: u64, content: &[u8]) {
    let skip = to_usize(offset.saturating_sub(at));
    let start = to_usize(at.saturating_sub(offset));
    let (Some(source), Some(target)) = (content.get(skip..), buf.get_mut(start..)) else {
        return;
    };
    let len = source.len().min(target.len());
    target
        .split_at_mut(len)
        .0
        .copy_from_slice(source.split_at(len).0);
}

fn not_recorded() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "the disk is open for reading only, because its changes aren't recorded",
    )
}

impl Device for RecordedMedium {
    fn len(&self) -> u64 {
        self.state().len
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let state = self.state();
        range(offset, buf.len(), state.len)?;
        self.read(&state, buf, offset)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.state();
        state.usable()?;
        range(offset, data.len(), state.len)?;
        if state.record.is_none() {
            return Err(not_recorded());
        }
        for (piece, at) in data.chunks(PIECE).zip((offset..).step_by(PIECE)) {
            self.put(&mut state, piece, at)?;
            if state.pending.len() > MOST_PENDING {
                self.write(&mut state)?;
                state.note(self.medium.begin_sync())?;
            }
        }
        Ok(())
    }

    fn keep(&self, offset: u64, len: usize) -> io::Result<()> {
        let mut state = self.state();
        state.usable()?;
        range(offset, len, state.len)?;
        if state.record.is_none() {
            return Err(not_recorded());
        }
        let end = offset.saturating_add(len as u64);
        for number in offset / SECTOR_LEN..end.div_ceil(SECTOR_LEN) {
            self.keep_sector(&mut state, number)?;
            if state.pending.len() > MOST_PENDING {
                self.write(&mut state)?;
                state.note(self.medium.begin_sync())?;
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.flush(&mut self.state())
    }
}

impl Medium for RecordedMedium {
    /// Makes the medium longer. It can't make it shorter.
    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.usable()?;
        if state.record.is_none() {
            return Err(not_recorded());
        }
        if len < state.len {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "a disk can't be made shorter",
            ));
        }
        state.len = len;
        Ok(())
    }
}
