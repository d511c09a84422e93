//! The medium itself: what is written waits in memory for the next flush.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zerocopy::IntoBytes;

use super::changes::add_sector;
use super::format::{FrameHeader, Header};
use super::record::Index;
use super::sectors::{SECTOR, SECTOR_LEN, Sector, Sectors};
use super::{RecordError, RecordFile, State};
use crate::device::{Device, Medium, range};

/// Most bytes that one step of a write takes.
const PIECE: usize = 64 << 10;
/// Sectors that wait before they are flushed without having been asked for: 16 MiB, old and new.
pub(super) const MOST_PENDING: usize = 1 << 14;

/// A medium whose changes are recorded before they are made.
///
/// Without a record it can only be read.
#[derive(Debug)]
pub struct RecordedMedium {
    pub(super) medium: Arc<dyn Medium>,
    state: Mutex<Waiting>,
}

/// What waits for the next flush.
#[derive(Default)]
pub(super) struct Waiting {
    pending: Sectors,
    /// Length as seen by readers.
    len: u64,
    /// Length of the medium itself.
    len_on_medium: u64,
    record: Option<Record>,
    /// A flush has failed: what is durable is not known.
    failed: bool,
}

/// The record that changes go to.
struct Record {
    file: Box<dyn RecordFile>,
    end: u64,
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
    /// Of a medium that nobody else changes.
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

    /// Records changes in an empty file from here on.
    ///
    /// # Errors
    /// What the system reported.
    pub fn begin(&self, file: Box<dyn RecordFile>) -> io::Result<()> {
        let mut file = file;
        let mut state = self.state();
        let header = Header::new(state.len_on_medium);
        file.write_all_at(header.as_bytes(), 0)?;
        file.sync()?;
        let end = size_of::<Header>() as u64;
        state.record = Some(Record { file, end });
        Ok(())
    }

    /// Goes on with the record of a run that was killed between two flushes: the medium holds all
    /// of the last one or none of it. Otherwise nothing is recorded, and the run can only be taken
    /// back.
    ///
    /// # Errors
    /// Where the record is damaged, or what the system reported.
    pub fn resume(&self, file: Box<dyn RecordFile>) -> Result<State, RecordError> {
        let mut file = file;
        let mut index = Index::of(file.as_ref())?;
        let mut state = self.as_left_by(file.as_ref(), &index)?;
        if state != State::AsRecorded && self.lacks_last(file.as_ref(), &index)? {
            index.forget_last();
            state = self.as_left_by(file.as_ref(), &index)?;
        }
        if state != State::AsRecorded {
            return Ok(state);
        }
        if file.len()? > index.end {
            file.set_len(index.end)?;
            file.sync()?;
        }
        let end = index.end;
        self.state().record = Some(Record { file, end });
        Ok(state)
    }

    /// Flushes what waits, and records nothing any more: the medium can only be read again.
    ///
    /// # Errors
    /// As [`Device::sync`].
    pub fn end(&self) -> io::Result<()> {
        let mut state = self.state();
        let flushed = self.flush(&mut state);
        state.record = None;
        flushed
    }

    /// Forgets what waits; the medium can only be read again, and is as it lies on disk.
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

    /// Reads what readers see; zeros from the end on.
    fn read(&self, state: &Waiting, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let on_medium = state.len_on_medium.saturating_sub(offset);
        let readable = usize::try_from(on_medium)
            .unwrap_or(usize::MAX)
            .min(buf.len());
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

    /// Puts one piece of what is written among what waits, as far as it changes anything.
    fn put(&self, state: &mut Waiting, data: &[u8], offset: u64) -> io::Result<()> {
        let lead = usize::try_from(offset % SECTOR_LEN).unwrap_or_default();
        let first = offset / SECTOR_LEN;
        let whole = lead.saturating_add(data.len()).next_multiple_of(SECTOR);
        let mut before = vec![0; whole];
        self.read(state, &mut before, first.saturating_mul(SECTOR_LEN))?;
        let (before, _) = before.as_chunks::<SECTOR>();
        for (before, number) in before.iter().zip(first..) {
            let mut after = *before;
            overlay(&mut after, number.saturating_mul(SECTOR_LEN), offset, data);
            if after == *before {
                continue;
            }
            match state.pending.new_mut(number) {
                Some(new) => *new = after,
                // What is not pending yet was read from the medium.
                None => state.pending.add(
                    number,
                    Sector {
                        old: *before,
                        new: after,
                    },
                ),
            }
        }
        Ok(())
    }

    /// Records what waits, and writes it.
    fn flush(&self, state: &mut Waiting) -> io::Result<()> {
        state.usable()?;
        if state.pending.is_empty() && state.len == state.len_on_medium {
            return Ok(());
        }
        let flushed = self.try_flush(state);
        state.failed = flushed.is_err();
        flushed
    }

    fn try_flush(&self, state: &mut Waiting) -> io::Result<()> {
        let payload = payload(state);
        let Some(record) = &mut state.record else {
            return Err(not_recorded());
        };
        let (before, after) = (state.len_on_medium, state.len);
        let header = FrameHeader::new(record.end, &payload, before, after)
            .ok_or_else(|| io::Error::other("too much is changed at once"))?;
        let frame = [header.as_bytes(), &payload].concat();
        record.file.write_all_at(&frame, record.end)?;
        record.file.sync()?;
        record.end = record.end.saturating_add(frame.len() as u64);
        if after != before {
            self.medium.set_len(after)?;
            state.len_on_medium = after;
        }
        self.write_sectors(&state.pending)?;
        state.pending.clear();
        self.medium.sync()
    }

    /// Writes sectors, neighbours together, as far as the medium reaches.
    pub(super) fn write_sectors(&self, sectors: &Sectors) -> io::Result<()> {
        let len = self.medium.len();
        for (start, content) in runs(sectors) {
            let fits = usize::try_from(len.saturating_sub(start)).unwrap_or(usize::MAX);
            let content = content.get(..fits).unwrap_or(&content);
            self.medium.write_all_at(content, start)?;
        }
        Ok(())
    }
}

impl Waiting {
    fn usable(&self) -> io::Result<()> {
        match self.failed {
            true => Err(io::Error::other(
                "an earlier flush has failed, after which nothing is known to be durable",
            )),
            false => Ok(()),
        }
    }
}

/// The payload of the frame for what waits.
fn payload(state: &Waiting) -> Vec<u8> {
    let mut payload = Vec::new();
    for (number, sector) in state.pending.iter() {
        let at = number.saturating_mul(SECTOR_LEN);
        add_sector(&mut payload, at, &sector.old, &sector.new);
    }
    payload
}

/// What sectors are to hold, in runs of neighbours: the offset of each, and its bytes.
fn runs(sectors: &Sectors) -> impl Iterator<Item = (u64, Vec<u8>)> {
    let mut sectors = sectors.iter().peekable();
    std::iter::from_fn(move || {
        let (first, sector) = sectors.next()?;
        let mut run = sector.new.to_vec();
        let mut next = first.saturating_add(1);
        while run.len() < PIECE
            && let Some((_, sector)) = sectors.next_if(|(number, _)| *number == next)
        {
            run.extend_from_slice(&sector.new);
            next = next.saturating_add(1);
        }
        Some((first.saturating_mul(SECTOR_LEN), run))
    })
}

/// Copies what lies in both: `buf` from `offset` on, `content` from `at` on.
pub(super) fn overlay(buf: &mut [u8], offset: u64, at: u64, content: &[u8]) {
    let skip = usize::try_from(offset.saturating_sub(at)).unwrap_or(usize::MAX);
    let start = usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX);
    let source = content.get(skip..).unwrap_or_default();
    let target = buf.get_mut(start..).unwrap_or_default();
    let len = source.len().min(target.len());
    if let (Some(target), Some(source)) = (target.get_mut(..len), source.get(..len)) {
        target.copy_from_slice(source);
    }
}

fn not_recorded() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "the disk is open for reading only: no record of changes is kept",
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
                self.flush(&mut state)?;
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.flush(&mut self.state())
    }
}

impl Medium for RecordedMedium {
    /// Only lengthens it.
    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.usable()?;
        if state.record.is_none() {
            return Err(not_recorded());
        }
        if len < state.len {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "a disk is not cut off",
            ));
        }
        state.len = len;
        Ok(())
    }
}
