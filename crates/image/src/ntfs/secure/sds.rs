//! `$SDS`: the descriptors themselves, each stored twice (Linux-NTFS, $Secure). A block of 256 KiB
//! with entries is followed by a block with their second copies.

use diskmend_base::count::{to_u64, to_usize};
use std::collections::BTreeMap;

use diskmend_base::bytes;
use zerocopy::IntoBytes;

use super::error::SecurityError;
use super::format::SdsHeader;

/// The maximum number of blocks after the last indexed entry that are searched.
const MAX_UNNAMED_BLOCKS: u32 = 8;
/// Entries start at multiples of this many bytes.
const UNIT: usize = 16;
/// The alignment of entries, for offsets.
const ALIGN: u64 = 16;

/// The source of the bytes of `$SDS`.
pub(super) trait Source {
    /// The number of bytes that it has and that have been written.
    fn written(&self) -> u64;
    /// The `len` bytes at `at`.
    fn read(&self, at: u64, len: usize) -> Result<Vec<u8>, SecurityError>;
}

/// The hash of a descriptor, by which `$SDH` is ordered.
pub(super) fn hash(descriptor: &[u8]) -> u32 {
    let (words, _) = descriptor.as_chunks();
    words.iter().fold(0u32, |hash, word| {
        u32::from_le_bytes(*word).wrapping_add(hash.rotate_left(3))
    })
}

/// Reads the descriptor at this place, from the second copy if the first is damaged or can't be
/// read.
pub(super) fn read(source: &impl Source, place: &SdsHeader) -> Result<Vec<u8>, SecurityError> {
    check_place(place)?;
    let len = to_usize(place.length.get());
    let first = place.offset.get();
    let mut unread = None;
    for at in [first, first.saturating_add(SdsHeader::BLOCK)] {
        let past_end = at.saturating_add(place.length.get().into()) > source.written();
        if past_end {
            continue;
        }
        match source.read(at, len) {
            Ok(entry) => {
                if let Some(descriptor) = sound(&entry, place) {
                    return Ok(descriptor.to_vec());
                }
            }
            Err(error) => {
                unread.get_or_insert(error);
            }
        }
    }
    Err(unread.unwrap_or_else(|| {
        let expected = format!(
            "id {:#x}, hash {:#010x}, length {} in one of two copies",
            place.security_id, place.hash, place.length
        );
        fault(first, expected, "something else in both")
    }))
}

/// The descriptor in the bytes of an entry, if they match `place`.
fn sound<'a>(entry: &'a [u8], place: &SdsHeader) -> Option<&'a [u8]> {
    let header: &SdsHeader = bytes::view(entry, 0)?;
    let descriptor = entry.get(size_of::<SdsHeader>()..)?;
    (header == place && hash(descriptor) == place.hash.get()).then_some(descriptor)
}

/// Checks that an entry can be at the place that an index names.
fn check_place(place: &SdsHeader) -> Result<(), SecurityError> {
    let (at, len) = (place.offset.get(), place.length.get());
    let fits = (at % SdsHeader::BLOCK).saturating_add(len.into()) <= SdsHeader::BLOCK;
    let even = (at / SdsHeader::BLOCK).is_multiple_of(2);
    let bounded = len > SdsHeader::LEN && len <= SdsHeader::LEN + SdsHeader::MAX_DESCRIPTOR;
    // Twice the block size keeps the end of the second copy a valid offset.
    let reachable = at.checked_add(SdsHeader::BLOCK * 2).is_some();
    if at.is_multiple_of(ALIGN) && fits && even && bounded && reachable {
        return Ok(());
    }
    Err(fault(
        at,
        "the place of an entry within a block of first copies",
        format!("offset {at:#x}, length {len}"),
    ))
}

fn fault(offset: u64, expected: impl Into<String>, actual: impl Into<String>) -> SecurityError {
    SecurityError::Corrupt {
        index: "$SDS",
        part: "entry",
        offset,
        expected: expected.into(),
        actual: actual.into(),
    }
}

/// What new entries need to know about `$SDS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tail {
    /// The end of the last entry's first copy.
    pub(super) end: u64,
    /// The highest assigned id.
    pub(super) last_id: u32,
}

impl Tail {
    /// The tail before the first entry.
    pub(super) const EMPTY: Self = Self {
        end: 0,
        last_id: SdsHeader::FIRST_ID - 1,
    };

    /// Includes an indexed entry.
    pub(super) fn take(&mut self, place: &SdsHeader) -> Result<(), SecurityError> {
        check_place(place)?;
        let end = place.offset.get().saturating_add(place.length.get().into());
        self.end = self.end.max(end);
        self.last_id = self.last_id.max(place.security_id.get());
        Ok(())
    }

    /// Includes sound entries after the last indexed one: a crash came before the indexes were
    /// written. They stay, and their ids are not assigned again, because a check of the volume
    /// rebuilds the indexes from what it finds here.
    pub(super) fn take_unnamed(&mut self, source: &impl Source) -> Result<(), SecurityError> {
        let mut damaged = None;
        let mut blocks: u32 = 0;
        let mut next = align(self.end);
        while let Some(start) = next.filter(|start| *start < source.written()) {
            blocks = blocks.saturating_add(1);
            if blocks > MAX_UNNAMED_BLOCKS {
                return Err(fault(start, "the end near the last entry", "more bytes"));
            }
            let end = block_end(start);
            let first = read_to(source, start, end)?;
            let second_end = end.saturating_add(SdsHeader::BLOCK);
            let second = read_to(source, start.saturating_add(SdsHeader::BLOCK), second_end)?;
            self.take_from_block(start, [&first, &second], &mut damaged)?;
            next = next_block(next);
        }
        Ok(())
    }

    /// Includes the entries of a block from `start` on, which has two copies; `damaged` is an
    /// earlier place with something that is not an entry.
    fn take_from_block(
        &mut self,
        start: u64,
        copies: [&[u8]; 2],
        damaged: &mut Option<u64>,
    ) -> Result<(), SecurityError> {
        let mut at: usize = 0;
        while at < copies[0].len() {
            let offset = start.saturating_add(to_u64(at));
            let entry = copies.iter().find_map(|copy| entry_at(copy, at, offset));
            let len = match (entry, *damaged) {
                (Some(place), None) => {
                    self.take(place)?;
                    to_usize(place.length.get())
                }
                (Some(_), Some(damaged)) => {
                    return Err(fault(damaged, "an entry or zeros", "other bytes"));
                }
                (None, _) => {
                    let unit = copies.map(|copy| bytes::slice(copy, at, UNIT));
                    if unit.iter().flatten().any(|unit| **unit != [0; UNIT]) {
                        damaged.get_or_insert(offset);
                    }
                    UNIT
                }
            };
            at = at.saturating_add(len.checked_next_multiple_of(UNIT).unwrap_or(len));
        }
        Ok(())
    }
}

/// The sound entry at `at` in the bytes of a block, which is at `offset` in `$SDS`.
fn entry_at(block: &[u8], at: usize, offset: u64) -> Option<&SdsHeader> {
    let place: &SdsHeader = bytes::view(block, at)?;
    let possible = place.offset.get() == offset
        && place.security_id.get() >= SdsHeader::FIRST_ID
        && check_place(place).is_ok();
    let len = usize::try_from(place.length.get()).ok()?;
    let entry = possible.then(|| bytes::slice(block, at, len)).flatten()?;
    sound(entry, place).map(|_| place)
}

/// The bytes of `$SDS` from `from` to `to`.
fn read_to(source: &impl Source, from: u64, to: u64) -> Result<Vec<u8>, SecurityError> {
    match to.min(source.written()).checked_sub(from) {
        None | Some(0) => Ok(Vec::new()),
        Some(len) => source.read(from, to_usize(len)),
    }
}

/// The next multiple of 16 that is in a block of first copies.
fn align(end: u64) -> Option<u64> {
    let at = end.checked_next_multiple_of(ALIGN)?;
    if (at / SdsHeader::BLOCK).is_multiple_of(2) {
        Some(at)
    } else {
        at.checked_next_multiple_of(SdsHeader::BLOCK * 2)
    }
}

/// The start of the block of first copies after the one that contains `at`.
fn next_block(at: Option<u64>) -> Option<u64> {
    at?.checked_add(1)?
        .checked_next_multiple_of(SdsHeader::BLOCK * 2)
}

/// Entries to be written after the last one.
#[derive(Debug)]
pub(super) struct Append {
    /// Their places, in the given order.
    pub(super) entries: Vec<SdsHeader>,
    /// The bytes to be written, in both copies, by position.
    pub(super) writes: BTreeMap<u64, Vec<u8>>,
    /// The length that `$SDS` must have afterwards.
    pub(super) len: u64,
}

impl Append {
    /// Places `descriptors` after the tail. Their lengths must be within
    /// [`SdsHeader::MAX_DESCRIPTOR`].
    pub(super) fn new(
        source: &impl Source,
        mut tail: Tail,
        descriptors: &[&[u8]],
    ) -> Result<Self, SecurityError> {
        let start = tail.end;
        if descriptors.is_empty() {
            return Ok(Self {
                entries: Vec::new(),
                writes: BTreeMap::new(),
                len: source.written(),
            });
        }
        let mut entries = Vec::new();
        let mut writes: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for descriptor in descriptors {
            let place = place(tail, descriptor)?;
            let entry = [place.as_bytes(), descriptor].concat();
            for copy in [0, SdsHeader::BLOCK] {
                put(&mut writes, place.offset.get().saturating_add(copy), &entry);
            }
            tail.take(&place)?;
            entries.push(place);
        }
        if start > source.written() {
            return Err(fault(
                start,
                format!("entries within {} bytes", source.written()),
                "an entry that ends here",
            ));
        }
        clear(source, start, tail.end, &mut writes)?;
        let len = source
            .written()
            .max(tail.end.saturating_add(SdsHeader::BLOCK));
        Ok(Self {
            entries,
            writes,
            len,
        })
    }
}

/// The header of a descriptor that is placed after the tail.
fn place(tail: Tail, descriptor: &[u8]) -> Result<SdsHeader, SecurityError> {
    let id = tail
        .last_id
        .checked_add(1)
        .ok_or(SecurityError::IdsUsedUp)?;
    let len = u32::try_from(descriptor.len())
        .ok()
        .filter(|len| *len <= SdsHeader::MAX_DESCRIPTOR)
        .ok_or_else(|| SecurityError::NotADescriptor {
            max: SdsHeader::MAX_DESCRIPTOR,
            actual: format!("one of {} bytes", descriptor.len()),
        })?;
    let length = len.saturating_add(SdsHeader::LEN);
    let at = align(tail.end);
    let fits =
        at.filter(|at| (at % SdsHeader::BLOCK).saturating_add(length.into()) <= SdsHeader::BLOCK);
    let offset = fits.or_else(|| next_block(at));
    let offset = offset.ok_or_else(|| fault(tail.end, "room for an entry", "the last offset"))?;
    Ok(SdsHeader {
        hash: hash(descriptor).into(),
        security_id: id.into(),
        offset: offset.into(),
        length: length.into(),
    })
}

/// Adds bytes to the writes. If a write ends at their start, they are appended to it.
fn put(writes: &mut BTreeMap<u64, Vec<u8>>, at: u64, bytes: &[u8]) {
    if let Some((start, before)) = writes.range_mut(..at).next_back()
        && let Ok(gap) = usize::try_from(at.saturating_sub(end_of(*start, before)))
        && gap < size_of::<SdsHeader>()
    {
        before.resize(before.len().saturating_add(gap), 0);
        before.extend_from_slice(bytes);
        return;
    }
    writes.insert(at, bytes.to_vec());
}

fn end_of(start: u64, bytes: &[u8]) -> u64 {
    start.saturating_add(to_u64(bytes.len()))
}

/// Adds zeros over unreferenced bytes that would be taken for entries: after the last entries of
/// the blocks that are written, and in parts that the new length includes but that were never
/// written.
fn clear(
    source: &impl Source,
    start: u64,
    end: u64,
    writes: &mut BTreeMap<u64, Vec<u8>>,
) -> Result<(), SecurityError> {
    let written: Vec<(u64, u64)> = writes
        .iter()
        .map(|(at, bytes)| (*at, end_of(*at, bytes)))
        .collect();
    let mut zero = Vec::new();
    let mut from = align(start).unwrap_or(end);
    while from < end {
        let to = block_end(from);
        for copy in [0, SdsHeader::BLOCK] {
            let (from, to) = (from.saturating_add(copy), to.saturating_add(copy));
            zero.extend(remains(source, from, to)?);
        }
        from = to.saturating_add(SdsHeader::BLOCK);
    }
    zero.push((source.written(), end.saturating_add(SdsHeader::BLOCK)));
    for (mut from, to) in zero {
        for (start, end) in written.iter().chain([&(to, to)]) {
            let gap = (*start).min(to).saturating_sub(from);
            if let Some(gap) = usize::try_from(gap).ok().filter(|gap| *gap > 0) {
                writes.insert(from, vec![0; gap]);
            }
            from = from.max(*end);
        }
    }
    Ok(())
}

/// The bytes of `$SDS` from `from` to `to`, up to the last byte that is not zero.
fn remains(source: &impl Source, from: u64, to: u64) -> Result<Option<(u64, u64)>, SecurityError> {
    let found = read_to(source, from, to)?;
    let used = found.iter().rposition(|byte| *byte != 0);
    let used = used.and_then(|last| u64::try_from(last).ok());
    Ok(used.map(|last| (from, from.saturating_add(last).saturating_add(1))))
}

/// The end of the block that contains the byte at `at`.
fn block_end(at: u64) -> u64 {
    (at / SdsHeader::BLOCK)
        .saturating_add(1)
        .saturating_mul(SdsHeader::BLOCK)
}

#[cfg(test)]
mod tests;
