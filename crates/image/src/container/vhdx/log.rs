//! The log of a VHDX: finds the active sequence of entries and replays it in memory (MS-VHDX 2.3).

use diskmend_base::count::to_usize;
use std::ops::Range;

use diskmend_base::Guid;
use diskmend_base::bytes;

use super::format::{DataSector, Descriptor, Header, LOG_SECTOR, LogEntryHeader, checksum};
use super::overlay::Overlay;
use crate::container::error::ContainerError;
use crate::container::notice::Replay;
use crate::device::Device;

/// The maximum length of a log that is replayed; 1 MiB is usual. The whole log is held in memory.
const MAX_LOG: u64 = 64 << 20;
/// The maximum number of times that each byte of the log is summed. In a sound log, each byte
/// belongs to one entry.
const MAX_SUMS: u64 = 16;
/// The maximum length of a file: a disk of 64 TiB and its structures need less.
const MAX_FILE: u64 = 128 << 40;
/// The maximum number of bytes that a log may change; the tables of the largest disk are smaller.
const MAX_CHANGE: u64 = 1 << 30;

/// Replays the valid part of `log`.
pub(super) fn replay(
    file: &dyn Device,
    log: &Range<u64>,
    guid: Guid,
) -> Result<(Overlay, Replay), ContainerError> {
    let len = log.end.saturating_sub(log.start);
    let refuse = |reason: String| ContainerError::Log {
        offset: log.start,
        reason,
    };
    if len > MAX_LOG {
        return Err(refuse(format!("it has {len} bytes, more than {MAX_LOG}")));
    }
    let mut ring = Ring::read(file, log, guid)?;
    let sequence = ring
        .active_sequence()
        .map_err(|()| refuse("its entries overlap too often".to_owned()))?;
    let Some(head) = sequence.last() else {
        let reason = format!("it has no complete sequence of entries for its identifier {guid}");
        return Err(refuse(reason));
    };
    if file.len() < head.flushed {
        let (has, needs) = (file.len(), head.flushed);
        return Err(refuse(format!(
            "the file was cut: it has {has} bytes, and had at least {needs}"
        )));
    }
    let mut overlay = Overlay::default();
    for entry in &sequence {
        ring.apply(entry, log, &mut overlay).map_err(refuse)?;
    }
    overlay.len = overlay.len.max(head.last);
    if overlay.len > MAX_FILE {
        let needs = overlay.len;
        return Err(refuse(format!(
            "it would lengthen the file to {needs} bytes"
        )));
    }
    let bytes = overlay.changed();
    if bytes > MAX_CHANGE {
        return Err(refuse(format!("it would change {bytes} bytes")));
    }
    let replay = Replay {
        entries: sequence.len() as u64,
        sequence_number: head.sequence_number,
        bytes,
    };
    Ok((overlay, replay))
}

/// The needed parts of a valid entry.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The offset in the log, like all offsets here.
    at: u64,
    len: u64,
    tail: u64,
    sequence_number: u64,
    flushed: u64,
    last: u64,
}

/// The log as a ring: its end is followed by its start.
struct Ring {
    data: Vec<u8>,
    guid: Guid,
    /// For each sector: the entry that was found there, if it was searched for.
    known: Vec<Option<Option<Entry>>>,
    /// The number of bytes that may still be summed.
    budget: u64,
}

impl Ring {
    fn read(file: &dyn Device, log: &Range<u64>, guid: Guid) -> Result<Self, ContainerError> {
        let len = log.end.saturating_sub(log.start);
        let mut data = vec![0; to_usize(len)];
        file.read_exact_at(&mut data, log.start)?;
        Ok(Self {
            known: vec![None; data.len() / size_of::<DataSector>()],
            data,
            guid,
            budget: len.saturating_mul(MAX_SUMS),
        })
    }

    fn len(&self) -> u64 {
        self.data.len() as u64
    }

    /// `len` bytes from `at` on, continuing at the start after the end.
    fn bytes(&self, at: u64, len: u64) -> Option<Vec<u8>> {
        let at = usize::try_from(at).ok()?;
        let len = usize::try_from(len).ok()?;
        if len > self.data.len() {
            return None;
        }
        let (start, rest) = self.data.split_at_checked(at)?;
        let mut found = rest.get(..len).unwrap_or(rest).to_vec();
        found.extend_from_slice(start.get(..len.checked_sub(found.len())?)?);
        Some(found)
    }

    /// The steps of MS-VHDX 2.3.3. An error means that the budget is used up.
    fn active_sequence(&mut self) -> Result<Vec<Entry>, ()> {
        let len = self.len();
        let mut candidate: Vec<Entry> = Vec::new();
        let mut tail = 0;
        while tail < len {
            let mut sequence: Vec<Entry> = Vec::new();
            let mut total = 0_u64;
            // A sequence can't be longer than the ring, because it would reach its own start.
            while total < len
                && let Some(entry) = self.entry(tail.saturating_add(total) % len)?
                && sequence.last().is_none_or(|last| {
                    last.sequence_number.checked_add(1) == Some(entry.sequence_number)
                })
            {
                total = total.saturating_add(entry.len);
                sequence.push(entry);
            }
            let start = sequence
                .last()
                .and_then(|head| sequence.iter().position(|entry| entry.at == head.tail));
            let Some(start) = start.filter(|_| total <= len) else {
                tail = tail.saturating_add(LOG_SECTOR);
                continue;
            };
            // If there is no entry, there is no number, which counts as less than any number.
            let number = |sequence: &[Entry]| sequence.last().map(|entry| entry.sequence_number);
            if number(&sequence) > number(&candidate) {
                candidate = sequence.split_off(start);
            }
            tail = tail.saturating_add(total);
        }
        Ok(candidate)
    }

    /// The valid entry at `at`, if there is one.
    fn entry(&mut self, at: u64) -> Result<Option<Entry>, ()> {
        let slot = to_usize(at / LOG_SECTOR);
        if let Some(Some(known)) = self.known.get(slot) {
            return Ok(*known);
        }
        let found = match self.header(at) {
            Some(header) => {
                let len = u64::from(header.entry_length.get());
                self.budget = self.budget.checked_sub(len).ok_or(())?;
                self.check(at, &header)
            }
            None => None,
        };
        if let Some(known) = self.known.get_mut(slot) {
            *known = Some(found);
        }
        Ok(found)
    }

    /// A possible header of an entry.
    fn header(&self, at: u64) -> Option<LogEntryHeader> {
        let raw = self.bytes(at, LOG_SECTOR)?;
        let header: &LogEntryHeader = bytes::view(&raw, 0)?;
        let len = u64::from(header.entry_length.get());
        let tail = u64::from(header.tail.get());
        let valid = header.signature == LogEntryHeader::SIGNATURE
            && header.log_guid == self.guid
            && header.sequence_number.get() != 0
            && len.is_multiple_of(LOG_SECTOR)
            && (LOG_SECTOR..=self.len()).contains(&len)
            && tail.is_multiple_of(LOG_SECTOR)
            && tail < self.len();
        valid.then(|| header.clone())
    }

    fn check(&self, at: u64, header: &LogEntryHeader) -> Option<Entry> {
        let len = u64::from(header.entry_length.get());
        let raw = self.bytes(at, len)?;
        if checksum(&raw) != header.checksum.get() {
            return None;
        }
        changes(&raw, header)?;
        Some(Entry {
            at,
            len,
            tail: header.tail.get().into(),
            sequence_number: header.sequence_number.get(),
            flushed: header.flushed_file_offset.get(),
            last: header.last_file_offset.get(),
        })
    }

    /// Adds the changes of `entry`; the error says why this is not possible.
    fn apply(&self, entry: &Entry, log: &Range<u64>, overlay: &mut Overlay) -> Result<(), String> {
        let number = entry.sequence_number;
        let damaged = || format!("its entry {number} is damaged");
        let raw = self.bytes(entry.at, entry.len).ok_or_else(damaged)?;
        let header: &LogEntryHeader = bytes::view(&raw, 0).ok_or_else(damaged)?;
        let changes = changes(&raw, header).ok_or_else(damaged)?;
        for change in changes {
            let at = change.at;
            let end = at
                .checked_add(change.len)
                .filter(|end| *end <= MAX_FILE)
                .ok_or_else(|| {
                    format!("its entry {number} changes offset {at}, out of all reason")
                })?;
            let [_, second] = Header::OFFSETS;
            let headers = second.saturating_add(size_of::<Header>() as u64);
            if at < headers || (at < log.end && log.start < end) {
                return Err(format!(
                    "its entry {number} changes offset {at}, where the headers or the log itself are"
                ));
            }
            match change.sector {
                Some(sector) => overlay.write(at, sector),
                None => overlay.zero(at..end),
            }
        }
        Ok(())
    }
}

/// One change of the file.
struct Change {
    at: u64,
    len: u64,
    /// `None`: zeros.
    sector: Option<Vec<u8>>,
}

/// The changes that an entry describes; `None` if a descriptor or a data sector is not valid.
fn changes(raw: &[u8], header: &LogEntryHeader) -> Option<Vec<Change>> {
    let number = header.sequence_number.get();
    let count = usize::try_from(header.descriptor_count.get()).ok()?;
    let descriptors = count.checked_mul(size_of::<Descriptor>())?;
    let start = size_of::<LogEntryHeader>();
    let raw_descriptors = bytes::slice(raw, start, descriptors)?;
    let sector = size_of::<DataSector>();
    let mut data_at = start
        .checked_add(descriptors)?
        .checked_next_multiple_of(sector)?;
    let mut changes = Vec::with_capacity(count);
    for raw_descriptor in raw_descriptors.as_chunks::<{ size_of::<Descriptor>() }>().0 {
        let descriptor: &Descriptor = bytes::view(raw_descriptor, 0)?;
        let at = descriptor.file_offset.get();
        if descriptor.sequence_number.get() != number || !at.is_multiple_of(LOG_SECTOR) {
            return None;
        }
        let change = match descriptor.signature {
            Descriptor::ZERO => {
                let len = u64::from_le_bytes(descriptor.leading_bytes);
                Change {
                    at,
                    len: Some(len).filter(|len| len.is_multiple_of(LOG_SECTOR))?,
                    sector: None,
                }
            }
            Descriptor::DATA => {
                let data: &DataSector = bytes::view(raw, data_at)?;
                data_at = data_at.checked_add(sector)?;
                let halves = (data.sequence_high.get(), data.sequence_low.get());
                let found = u64::from(halves.0) << 32 | u64::from(halves.1);
                if data.signature != DataSector::SIGNATURE || found != number {
                    return None;
                }
                let parts: [&[u8]; 3] = [
                    &descriptor.leading_bytes,
                    &data.data,
                    &descriptor.trailing_bytes,
                ];
                Change {
                    at,
                    len: LOG_SECTOR,
                    sector: Some(parts.concat()),
                }
            }
            _ => return None,
        };
        changes.push(change);
    }
    Some(changes)
}
