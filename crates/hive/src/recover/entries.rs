//! The new log format: a chain of entries (regf spec, Format of transaction log files, New format).

use diskmend_base::bytes;
use zerocopy::IntoBytes;

use crate::base_block::MAX_BINS_LEN;
use crate::error::Corruption;
use crate::format::{BaseBlock, DirtyPageRef, LogEntry};
use crate::offset::{BASE_BLOCK_LEN, FileOffset, PAGE_LEN};
use crate::recover::marvin::marvin32;

/// The position of the first entry in a log.
pub(crate) const FIRST_ENTRY: usize = BaseBlock::HEADER_LEN;

/// A log entry with correct hashes and lengths.
pub(crate) struct Entry<'a> {
    /// Bit 0 of the base block's flags.
    pub(crate) flags: u32,
    /// The length of the hive bins in bytes.
    pub(crate) bins_len: usize,
    refs: &'a [DirtyPageRef],
    data: &'a [u8],
}

impl<'a> Entry<'a> {
    /// The runs of pages: position in the hive bins, and the bytes.
    pub(crate) fn pages(&self) -> impl Iterator<Item = (usize, &'a [u8])> {
        let mut rest = self.data;
        self.refs.iter().map_while(move |page| {
            let (run, after) = rest.split_at_checked(page.size.get() as usize)?;
            rest = after;
            Some((page.offset.get() as usize, run))
        })
    }
}

/// A run of entries with consecutive sequence numbers.
pub(crate) struct Chain<'a> {
    /// The entries in order.
    pub(crate) entries: Vec<Entry<'a>>,
    /// The number of the last entry; meaningless if there is none.
    pub(crate) last: u32,
    /// The reason why the chain ended: the end of the file, older entries, or a damaged entry.
    pub(crate) end: Corruption,
}

/// The log's entries from the first, which must have the number `sequence`, up to the first invalid
/// one. `max_bins_len` bounds the length of the hive bins.
pub(crate) fn chain(log: &[u8], sequence: u32, max_bins_len: usize) -> Chain<'_> {
    let mut entries = Vec::new();
    let mut at = FIRST_ENTRY;
    let mut next = sequence;
    loop {
        match entry(log, at, next, max_bins_len) {
            Ok((entry, len)) => {
                entries.push(entry);
                at += len;
                next = next.wrapping_add(1);
            }
            Err(end) => {
                return Chain {
                    entries,
                    last: next.wrapping_sub(1),
                    end,
                };
            }
        }
    }
}

/// The number of the last entry of an apparent chain, without checking hashes; `sequence` if there
/// is no entry.
pub(crate) fn last_sequence(log: &[u8], sequence: u32) -> u32 {
    let mut at = FIRST_ENTRY;
    let mut last = sequence;
    let mut next = sequence;
    while let Some(header) = bytes::view::<LogEntry>(log, at)
        && header.signature == LogEntry::SIGNATURE
        && header.sequence.get() == next
        && header.size.get() as usize >= LogEntry::LEN
    {
        last = next;
        next = next.wrapping_add(1);
        at = at.saturating_add(header.size.get() as usize);
    }
    last
}

fn entry(
    log: &[u8],
    at: usize,
    sequence: u32,
    max_bins_len: usize,
) -> Result<(Entry<'_>, usize), Corruption> {
    let wrong = |what, field: usize, expected: String, actual: String| {
        Corruption::new(what, FileOffset((at + field) as u64), expected, actual)
    };
    let Some(header) = bytes::view::<LogEntry>(log, at) else {
        return Err(wrong(
            "log entry",
            0,
            format!("{} bytes", LogEntry::LEN),
            log.len().saturating_sub(at).to_string(),
        ));
    };
    if header.signature != LogEntry::SIGNATURE {
        return Err(wrong(
            "log entry signature",
            0,
            "\"HvLE\"".into(),
            format!("\"{}\"", header.signature.escape_ascii()),
        ));
    }
    if header.sequence.get() != sequence {
        return Err(wrong(
            "log entry sequence number",
            12,
            sequence.to_string(),
            header.sequence.to_string(),
        ));
    }
    let hash = |what, field, computed: u64, stored: u64| {
        if computed == stored {
            return Ok(());
        }
        let (expected, actual) = (format!("{computed:#018x}"), format!("{stored:#018x}"));
        Err(wrong(what, field, expected, actual))
    };
    let (hashed, _) = header.as_bytes().split_at(LogEntry::HASHED_LEN);
    hash("log entry hash 2", 32, marvin32(hashed), header.hash2.get())?;
    // Windows writes multiples of 512, and accepts any size.
    let len = header.size.get() as usize;
    let whole = bytes::slice(log, at, len);
    let Some((_, body)) = whole.and_then(|whole| whole.split_at_checked(LogEntry::LEN)) else {
        return Err(wrong(
            "log entry size",
            4,
            format!("{} to {}", LogEntry::LEN, log.len() - at),
            len.to_string(),
        ));
    };
    hash("log entry hash 1", 24, marvin32(body), header.hash1.get())?;
    let bins_len = header.bins_len.get() as usize;
    let limit = max_bins_len.min(MAX_BINS_LEN);
    if bins_len == 0 || !bins_len.is_multiple_of(PAGE_LEN) || bins_len > limit {
        return Err(wrong(
            "length of the hive bins in a log entry",
            16,
            format!("a multiple of 4096 up to {limit:#x}"),
            format!("{bins_len:#x}"),
        ));
    }
    let count = header.page_count.get() as usize;
    let refs = bytes::view_many::<DirtyPageRef>(body, 0, count).filter(|refs| !refs.is_empty());
    let Some(refs) = refs else {
        return Err(wrong(
            "number of dirty pages in a log entry",
            20,
            format!("1 to {}", body.len() / size_of::<DirtyPageRef>()),
            count.to_string(),
        ));
    };
    let (_, data) = body.split_at(size_of_val(refs));
    let mut left = data.len();
    // Ranges must be in ascending order with a gap before each except the first: Windows rejects an
    // entry with adjacent ranges, even if all its pages are right.
    let mut least = 0;
    for (index, page) in refs.iter().enumerate() {
        let (start, size) = (page.offset.get() as usize, page.size.get() as usize);
        let end = start.checked_add(size).filter(|&end| end <= bins_len);
        let is_whole = start.is_multiple_of(PAGE_LEN) && size.is_multiple_of(PAGE_LEN);
        let rest = left.checked_sub(size);
        let (Some(end), Some(rest), true) = (end, rest, is_whole && size > 0 && start >= least)
        else {
            return Err(wrong(
                "dirty page reference",
                LogEntry::LEN + index * size_of::<DirtyPageRef>(),
                format!(
                    "whole pages from {least:#x} to {bins_len:#x}, at least one, at most {left:#x} \
                     bytes"
                ),
                format!("{size:#x} bytes at {start:#x}"),
            ));
        };
        left = rest;
        least = end + PAGE_LEN;
    }
    Ok((
        Entry {
            flags: header.flags.get(),
            bins_len,
            refs,
            data,
        },
        len,
    ))
}

/// The maximum length of hive bins that a log may require: the content of the primary file plus, at
/// most, the content of all logs. A longer hive could not have been written, and would let a small
/// file claim any amount of memory.
pub(crate) fn max_bins_len(file_len: usize, logs_len: usize) -> usize {
    file_len
        .saturating_sub(BASE_BLOCK_LEN)
        .saturating_add(logs_len)
}
