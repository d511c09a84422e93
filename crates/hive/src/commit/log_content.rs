//! The bytes of a log (regf spec, Format of transaction log files).

use std::borrow::Cow;

use zerocopy::IntoBytes;

use crate::commit::pages::PageRun;
use crate::format::{BaseBlock, DirtyPageRef, LogEntry};
use crate::offset::PAGE_LEN;
use crate::recover::{DIRTY_VECTOR, Marvin, bitmap_len, data_start, marvin32};

/// The maximum number of pages of one log entry. Entries of Windows were seen with 360 pages; a
/// longer change is split, so that replaying it needs no more memory than replaying Windows's own
/// entries.
const MAX_ENTRY_PAGES: usize = 256;

/// A log's bytes in pieces without gaps, from the start of the file on.
pub(crate) struct LogContent<'a> {
    /// The pieces with their offsets in the log.
    pub(crate) pieces: Vec<(u64, Cow<'a, [u8]>)>,
    /// Length in bytes.
    pub(crate) len: u64,
}

/// Joins small pieces; page runs stay borrowed.
#[derive(Default)]
struct Writer<'a> {
    pieces: Vec<(u64, Cow<'a, [u8]>)>,
    pending: Vec<u8>,
    len: u64,
}

impl<'a> Writer<'a> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        self.len += bytes.len() as u64;
    }

    fn run(&mut self, run: &PageRun<'a>) {
        match &run.data {
            Cow::Owned(bytes) => self.bytes(bytes),
            Cow::Borrowed(bytes) => {
                self.flush();
                self.pieces.push((self.len, Cow::Borrowed(bytes)));
                self.len += bytes.len() as u64;
            }
        }
    }

    fn zeros(&mut self, count: usize) {
        self.pending.resize(self.pending.len() + count, 0);
        self.len += count as u64;
    }

    fn flush(&mut self) {
        if !self.pending.is_empty() {
            let bytes = std::mem::take(&mut self.pending);
            let offset = self.len - bytes.len() as u64;
            self.pieces.push((offset, Cow::Owned(bytes)));
        }
    }

    fn finish(mut self) -> LogContent<'a> {
        self.flush();
        LogContent {
            pieces: self.pieces,
            len: self.len,
        }
    }
}

/// The runs of each log entry that a change needs.
pub(crate) fn entries<'a>(runs: &[PageRun<'a>]) -> Vec<Vec<PageRun<'a>>> {
    let mut entries = Vec::new();
    let mut entry = Vec::new();
    let mut room = MAX_ENTRY_PAGES;
    for run in runs {
        let mut rest = Some(run.clone());
        while let Some(run) = rest {
            let (head, tail) = run.take(room);
            room -= head.iter().map(PageRun::count).sum::<usize>();
            entry.extend(head);
            if room == 0 {
                entries.push(std::mem::take(&mut entry));
                room = MAX_ENTRY_PAGES;
            }
            rest = tail;
        }
    }
    if !entry.is_empty() {
        entries.push(entry);
    }
    entries
}

/// Length in bytes of a log in the new format.
pub(crate) fn new_format_len(entries: &[Vec<PageRun<'_>>]) -> u64 {
    let end = entries.iter().fold(BaseBlock::HEADER_LEN, |at, entry| {
        let pages: usize = entry.iter().map(|run| run.data.len()).sum();
        entry_end(at, page_refs(entry).len(), pages)
    });
    end as u64
}

/// The ranges of an entry. Adjacent runs form one range: Windows rejects an entry without gaps
/// between its ranges, and everything after it in the log.
fn page_refs(runs: &[PageRun<'_>]) -> Vec<DirtyPageRef> {
    let mut refs: Vec<DirtyPageRef> = Vec::new();
    for run in runs {
        let start = (run.first * PAGE_LEN) as u32;
        let len = run.data.len() as u32;
        match refs.last_mut() {
            Some(last) if last.offset.get() + last.size.get() == start => {
                last.size = (last.size.get() + len).into();
            }
            _ => refs.push(DirtyPageRef {
                offset: start.into(),
                size: len.into(),
            }),
        }
    }
    refs
}

/// The end of an entry that starts at `at`: entries of Windows end at multiples of 4096.
const fn entry_end(at: usize, refs: usize, pages: usize) -> usize {
    (at + LogEntry::LEN + refs * size_of::<DirtyPageRef>() + pages).next_multiple_of(PAGE_LEN)
}

/// A log in the new format. `base` is the base block that is backed up in the log; its primary
/// sequence number is that of the first entry.
pub(crate) fn new_format<'a>(base: &BaseBlock, entries: &[Vec<PageRun<'a>>]) -> LogContent<'a> {
    let mut log = Writer::default();
    log.bytes(&header(base, BaseBlock::TYPE_LOG_NEW));
    let mut sequence = base.primary_sequence.get();
    for runs in entries {
        let refs = page_refs(runs);
        let at = log.len as usize;
        let pages: usize = runs.iter().map(|run| run.data.len()).sum();
        let used = at + LogEntry::LEN + size_of_val(refs.as_slice()) + pages;
        let end = entry_end(at, refs.len(), pages);
        let padding = end - used;

        let mut hash = Marvin::new();
        hash.update(refs.as_bytes());
        for run in runs {
            hash.update(&run.data);
        }
        hash.update(vec![0; padding].as_slice());
        let mut head = LogEntry {
            signature: LogEntry::SIGNATURE,
            size: ((end - at) as u32).into(),
            flags: (base.flags.get() & BaseBlock::FLAG_KTM_LOCKED).into(),
            sequence: sequence.into(),
            bins_len: base.bins_len,
            page_count: (refs.len() as u32).into(),
            hash1: hash.finish().into(),
            hash2: 0.into(),
        };
        let (hashed, _) = head.as_bytes().split_at(LogEntry::HASHED_LEN);
        head.hash2 = marvin32(hashed).into();

        log.bytes(head.as_bytes());
        log.bytes(refs.as_bytes());
        for run in runs {
            log.run(run);
        }
        log.zeros(padding);
        sequence = sequence.wrapping_add(1);
    }
    log.finish()
}

/// A log in the old format.
pub(crate) fn old_format<'a>(
    base: &BaseBlock,
    file_type: u32,
    runs: &[PageRun<'a>],
) -> LogContent<'a> {
    let mut log = Writer::default();
    log.bytes(&header(base, file_type));
    log.bytes(&DIRTY_VECTOR);
    let bins_len = base.bins_len.get() as usize;
    let mut bitmap = vec![0; bitmap_len(bins_len)];
    for run in runs {
        // One byte for each page: eight sectors.
        bitmap
            .iter_mut()
            .skip(run.first)
            .take(run.count())
            .for_each(|byte| *byte = 0xFF);
    }
    log.bytes(&bitmap);
    log.zeros(data_start(bins_len) - log.len as usize);
    for run in runs {
        log.run(run);
    }
    log.finish()
}

/// Length in bytes of a log in the old format.
pub(crate) fn old_format_len(bins_len: usize, runs: &[PageRun<'_>]) -> u64 {
    let pages: usize = runs.iter().map(|run| run.data.len()).sum();
    (data_start(bins_len) + pages) as u64
}

fn header(base: &BaseBlock, file_type: u32) -> Vec<u8> {
    let mut base = base.clone();
    base.file_type = file_type.into();
    base.seal();
    base.header().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: usize, pages: usize) -> PageRun<'static> {
        PageRun {
            first,
            data: Cow::Owned(vec![first as u8; pages * PAGE_LEN]),
        }
    }

    /// The first page is a range of its own, because it gets a new timestamp. A commit that also
    /// changed the second page once wrote a log with two adjacent ranges, which Windows rejected as
    /// "not applicable".
    #[test]
    fn the_ranges_of_an_entry_never_touch() {
        let ranges = |runs: &[PageRun<'_>]| -> Vec<(u32, u32)> {
            let refs = page_refs(runs);
            refs.iter()
                .map(|r| (r.offset.get(), r.size.get()))
                .collect()
        };
        let runs = [run(0, 1), run(1, 2), run(4, 1), run(5, 1), run(9, 300)];
        assert_eq!(
            ranges(&runs),
            [(0, 0x3000), (0x4000, 0x2000), (0x9000, 0x12_C000)]
        );
        // A full entry ends between adjacent pages; ranges of different entries may be adjacent.
        let entries = entries(&runs);
        assert_eq!(
            ranges(&entries[0]),
            [(0, 0x3000), (0x4000, 0x2000), (0x9000, 0xFB000)]
        );
        assert_eq!(ranges(&entries[1]), [(0x10_4000, 0x31000)]);
        let base = crate::commit::crash_test::material::Base {
            minor: 5,
            primary: 7,
            secondary: 7,
            time: 1,
            pages: 400,
        };
        let log = new_format(&base.block(), &entries);
        assert_eq!(log.len, new_format_len(&entries));
    }
}
