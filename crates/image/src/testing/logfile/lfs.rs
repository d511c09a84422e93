//! The log file service: places records in pages, and pages in the log, as Windows does.
//!
//! A record begins with a header of [`HEADER`] bytes, which is never divided between pages; its
//! data may be. Records and pages are counted without end here: [`Cursor`] says where each is in
//! the file, which is used in a circle.

use std::collections::BTreeMap;

use super::bytes::{put, put_u16, put_u32};
use crate::ntfs::fixup;

/// The length of a page, which is also that of a restart page.
pub(super) const PAGE: usize = 4096;
/// Offset of the first record in a page.
pub(super) const FIRST: usize = 0x40;
/// The length of a record's header.
pub(super) const HEADER: usize = 0x30;
/// `LFS_RECORD_PAGE_HEADER.Flags`: a record ends in the page.
const RECORD_ENDS: u32 = 1;
/// `LFS_RECORD_HEADER.Flags`: the record ends in a later page.
const MULTI_PAGE: u16 = 1;
/// `RecordType` of an ordinary record.
const CLIENT_RECORD: u32 = 1;
/// `RecordType` of a restart record.
const RESTART_RECORD: u32 = 2;
/// `LFS_RESTART_AREA.Flags`: the volume was dismounted.
const CLEAN: u16 = 2;
/// The number of pages in each of the two banks of copies in version 2.0.
const BANK: u64 = 16;

/// The version of a log, and of the tables in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// 1.1 with tables of version 0: Windows 7 and before.
    V1,
    /// 1.1 with tables of version 1: Windows 8 and later, on a volume that was dismounted before.
    V1NewTables,
    /// 2.0: Windows 8 and later.
    V2,
}

impl Version {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::V1, Self::V1NewTables, Self::V2];

    /// Version of the log, the parts before and after the dot.
    const fn numbers(self) -> (u16, u16) {
        match self {
            Self::V1 | Self::V1NewTables => (1, 1),
            Self::V2 => (2, 0),
        }
    }

    /// The number of the first page that is used in a circle.
    const fn first_page(self) -> u64 {
        match self {
            Self::V1 | Self::V1NewTables => 4,
            Self::V2 => 2 + 2 * BANK,
        }
    }
}

/// A record as the log stores it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) lsn: u64,
    pub(super) previous: u64,
    pub(super) undo_next: u64,
    /// `None` for a restart record.
    pub(super) transaction: Option<u32>,
    /// `LFS_RECORD_HEADER.Flags` besides [`MULTI_PAGE`].
    pub(super) flags: u16,
    pub(super) data: Vec<u8>,
    /// Where it begins, and where it ends, counted without end.
    pub(super) span: (u64, u64),
}

/// The place for the next record.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    version: Version,
    /// The length of the log in bytes.
    pub(super) len: u64,
    /// The number of times that the log was filled before the first record.
    sequence: u64,
    /// The next byte, counted without end from the first page of the circle.
    at: u64,
}

impl Cursor {
    /// A log of `len` bytes whose first record is in the page `start` of the circle.
    pub(super) fn new(version: Version, len: u64, sequence: u64, start: u64) -> Self {
        let mut cursor = Self {
            version,
            len,
            sequence,
            at: 0,
        };
        cursor.at = start % cursor.pages() * PAGE as u64 + FIRST as u64;
        cursor
    }

    /// The number of pages that are used in a circle.
    pub(super) fn pages(&self) -> u64 {
        self.len / PAGE as u64 - self.version.first_page()
    }

    /// `LFS_RESTART_AREA.SeqNumberBits`: an LSN is the number of the round and, in the other bits,
    /// the offset in the file in units of 8 bytes.
    fn sequence_bits(&self) -> u32 {
        self.len.leading_zeros() + 3
    }

    /// The offset in the file of a page.
    fn page_offset(&self, page: u64) -> u64 {
        (self.version.first_page() + page % self.pages()) * PAGE as u64
    }

    fn lsn(&self, at: u64) -> u64 {
        let page = at / PAGE as u64;
        let round = self.sequence + page / self.pages();
        let offset = self.page_offset(page) + at % PAGE as u64;
        (round << (64 - self.sequence_bits())) | (offset >> 3)
    }

    /// The page with the next record, counted without end.
    pub(super) fn page(&self) -> u64 {
        self.place() / PAGE as u64
    }

    /// Where the next record begins: not in the last bytes of a page, which have no room for a
    /// header.
    fn place(&self) -> u64 {
        let left = PAGE as u64 - self.at % PAGE as u64;
        if left < HEADER as u64 || left == PAGE as u64 {
            let page = self.at / PAGE as u64 + u64::from(left < PAGE as u64);
            return page * PAGE as u64 + FIRST as u64;
        }
        self.at
    }

    /// The place of a record with `len` bytes of data.
    pub(super) fn take(&mut self, len: usize) -> (u64, (u64, u64)) {
        let start = self.place();
        let mut end = start + HEADER as u64;
        let mut left = len as u64;
        loop {
            let here = (PAGE as u64 - end % PAGE as u64) % PAGE as u64;
            if left <= here {
                break;
            }
            left -= here;
            end += here + FIRST as u64;
        }
        end = (end + left).next_multiple_of(8);
        self.at = end;
        (self.lsn(start), (start, end))
    }
}

/// What a restart page says.
#[derive(Clone, Debug)]
pub(super) struct Restart {
    /// The restart record.
    pub(super) lsn: u64,
    /// Its length.
    pub(super) len: usize,
    /// The oldest record that is needed.
    pub(super) oldest: u64,
}

/// How the end of the log was written when the system stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// All pages are at their place, and each copy is older.
    InPlace,
    /// The last pages are only in copies, the newest ones: in version 1.1 the last page alone, in
    /// version 2.0 so many pages, up to 16.
    InCopy(u64),
    /// The newest copy of the last page is torn; older bytes of this page are in the other copy.
    Torn,
}

/// Pages of a log, by their number without end.
pub(super) struct Pages<'a> {
    pub(super) cursor: &'a Cursor,
    pub(super) records: &'a [Record],
    /// The client's sequence number, part of each record's header.
    pub(super) stale: bool,
}

impl Pages<'_> {
    /// The whole log: restart pages, copies of the last pages, and the circle.
    pub(super) fn build(&self, restarts: &[Restart], tail: Tail, clean: bool) -> Vec<u8> {
        let mut log = vec![0xFF; self.cursor.len as usize];
        let pages = self.pages(self.records);
        let first = pages.keys().next().copied().unwrap_or(0);
        let last = pages.keys().next_back().copied().unwrap_or(0);
        if self.stale {
            self.put_stale(&mut log, first, last);
        }
        let (copied, in_place) = self.copied(tail, last, first);
        for (number, page) in &pages {
            if *number <= in_place {
                self.put_page(&mut log, self.cursor.page_offset(*number), page);
            }
        }
        self.put_copies(&mut log, &pages, copied, tail);
        let newest = restarts.iter().rev().take(2).rev();
        for (number, restart) in newest.enumerate() {
            // The two pages take turns.
            let slot = if restarts.len().is_multiple_of(2) {
                number
            } else {
                1 - number
            };
            let page = self.restart_page(restart, clean);
            put(&mut log, slot * PAGE, &page);
            if restarts.len() == 1 {
                put(&mut log, (1 - slot) * PAGE, &page);
            }
        }
        log
    }

    /// The pages that contain `records`, without update sequence numbers.
    fn pages(&self, records: &[Record]) -> BTreeMap<u64, Vec<u8>> {
        let mut pages: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let page_len = PAGE as u64;
        for record in records {
            let (start, end) = record.span;
            let mut header = vec![0; HEADER];
            put(&mut header, 0, &record.lsn.to_le_bytes());
            put(&mut header, 8, &record.previous.to_le_bytes());
            put(&mut header, 0x10, &record.undo_next.to_le_bytes());
            put_u32(&mut header, 0x18, record.data.len() as u32);
            let kind = record.transaction.map_or(RESTART_RECORD, |_| CLIENT_RECORD);
            put_u32(&mut header, 0x20, kind);
            put_u32(&mut header, 0x24, record.transaction.unwrap_or(0));
            let last_page = (end - 1) / page_len;
            let multi = u16::from(last_page != start / page_len) * MULTI_PAGE;
            put_u16(&mut header, 0x28, record.flags | multi);
            let mut rest: &[u8] = &[header, record.data.clone()].concat();
            let mut at = start;
            for number in start / page_len..=last_page {
                let page = pages.entry(number).or_insert_with(|| new_page(number));
                let offset = (at % page_len) as usize;
                let (here, after) = rest.split_at(rest.len().min(PAGE - offset));
                put(page, offset, here);
                rest = after;
                at = (number + 1) * page_len + FIRST as u64;
                put(page, 8, &record.lsn.to_le_bytes());
                if number == last_page {
                    put_u32(page, 0x10, RECORD_ENDS);
                    let next = end - number * page_len;
                    put_u16(page, 0x18, next as u16);
                    put(page, 0x20, &record.lsn.to_le_bytes());
                }
            }
        }
        pages
    }

    fn put_page(&self, log: &mut [u8], offset: u64, page: &[u8]) {
        let mut page = page.to_vec();
        // The numbers and the array fit by construction.
        if fixup::protect(&mut page, *b"RCRD", offset).is_ok() {
            put(log, offset as usize, &page);
        }
    }

    /// The first page that the newest copies contain, and the last page that is at its place.
    fn copied(&self, tail: Tail, last: u64, first: u64) -> (u64, u64) {
        match tail {
            Tail::InPlace => (last, last),
            Tail::Torn => (last, last.saturating_sub(1)),
            Tail::InCopy(pages) => {
                let most = match self.cursor.version {
                    Version::V1 | Version::V1NewTables => 1,
                    Version::V2 => pages.clamp(1, BANK),
                };
                let copied = (last + 1).saturating_sub(most).max(first + 1).min(last);
                (copied, copied.saturating_sub(1))
            }
        }
    }

    /// The copies: in one bank the pages of the last write, in the other an older state of the last
    /// page.
    fn put_copies(&self, log: &mut [u8], pages: &BTreeMap<u64, Vec<u8>>, copied: u64, tail: Tail) {
        let Some((&last, _)) = pages.last_key_value() else {
            return;
        };
        let mut banks = match self.cursor.version {
            Version::V1 | Version::V1NewTables => [2, 3],
            Version::V2 => [2, 2 + BANK],
        };
        if last % 2 == 1 {
            banks.reverse();
        }
        let (older_number, older) = self.older(last, pages);
        if let Some(older) = older {
            self.put_copy(log, banks[0], older_number, &older);
        }
        for (number, page) in pages.range(copied..) {
            let mut page = page.clone();
            put_u16(&mut page, 0x14, (last - copied + 1) as u16);
            put_u16(&mut page, 0x16, (number - copied + 1) as u16);
            self.put_copy(log, banks[1] + number - copied, *number, &page);
        }
        if tail == Tail::Torn {
            let at = banks[1] as usize * PAGE;
            // The second half was not written.
            put(log, at + PAGE / 2, &[0xFF; PAGE / 2]);
        }
    }

    /// The last page as it was written before its last record, or the page before it.
    fn older(&self, last: u64, pages: &BTreeMap<u64, Vec<u8>>) -> (u64, Option<Vec<u8>>) {
        let page = self.records.split_last().and_then(|(_, before)| {
            let begins = |record: &&Record| record.span.0 / PAGE as u64 >= last;
            let from = before.iter().filter(begins).count();
            (from > 0)
                .then(|| self.pages(before).remove(&last))
                .flatten()
        });
        match page {
            Some(page) => (last, Some(page)),
            None => {
                let number = last.saturating_sub(1);
                (number, pages.get(&number).cloned())
            }
        }
    }

    /// A copy says where the page belongs: version 1.1 instead of the last LSN, version 2.0 at the
    /// end of the header.
    fn put_copy(&self, log: &mut [u8], slot: u64, number: u64, page: &[u8]) {
        let mut page = page.to_vec();
        let place = self.cursor.page_offset(number);
        match self.cursor.version {
            Version::V1 | Version::V1NewTables => put(&mut page, 8, &place.to_le_bytes()),
            Version::V2 => put_u32(&mut page, 0x3C, place as u32),
        }
        self.put_page(log, slot * PAGE as u64, &page);
    }

    /// Pages of the round before, which the log still contains after its end.
    fn put_stale(&self, log: &mut [u8], first: u64, last: u64) {
        let cursor = self.cursor;
        for number in last + 1..first + cursor.pages() {
            let mut old = cursor.clone();
            if old.sequence == 0 {
                return;
            }
            old.sequence -= 1;
            old.at = number * PAGE as u64 + FIRST as u64;
            let mut data = vec![0; 0x28];
            put_u16(&mut data, 4, 0x28);
            put_u16(&mut data, 8, 0x28);
            let mut records = Vec::new();
            for _ in 0..3 {
                let (lsn, span) = old.take(data.len());
                records.push(Record {
                    lsn,
                    previous: 0,
                    undo_next: 0,
                    transaction: Some(0x18),
                    flags: 0,
                    data: data.clone(),
                    span,
                });
            }
            for (number, page) in self.pages(&records) {
                self.put_page(log, cursor.page_offset(number), &page);
            }
        }
    }

    fn restart_page(&self, restart: &Restart, clean: bool) -> Vec<u8> {
        const AREA: usize = 0x30;
        const CLIENT: usize = AREA + 0x40;
        const NO_CLIENT: u16 = 0xFFFF;
        let cursor = self.cursor;
        let (major, minor) = cursor.version.numbers();
        let mut page = vec![0; PAGE];
        put(&mut page, 0, b"RSTR");
        put_u16(&mut page, 4, 0x1E);
        put_u16(&mut page, 6, 9);
        put_u32(&mut page, 0x10, PAGE as u32);
        put_u32(&mut page, 0x14, PAGE as u32);
        put_u16(&mut page, 0x18, AREA as u16);
        put_u16(&mut page, 0x1A, minor);
        put_u16(&mut page, 0x1C, major);
        put(&mut page, AREA, &restart.lsn.to_le_bytes());
        put_u16(&mut page, AREA + 8, 1);
        put_u16(&mut page, AREA + 0xA, NO_CLIENT);
        put_u16(&mut page, AREA + 0xE, u16::from(clean) * CLEAN);
        put_u32(&mut page, AREA + 0x10, cursor.sequence_bits());
        put_u16(&mut page, AREA + 0x14, 0xE0);
        put_u16(&mut page, AREA + 0x16, 0x40);
        put(&mut page, AREA + 0x18, &cursor.len.to_le_bytes());
        put_u32(&mut page, AREA + 0x20, restart.len as u32);
        put_u16(&mut page, AREA + 0x24, HEADER as u16);
        put_u16(&mut page, AREA + 0x26, FIRST as u16);
        put_u32(&mut page, AREA + 0x28, 0x5EED_5EED);
        put(&mut page, CLIENT, &restart.oldest.to_le_bytes());
        put(&mut page, CLIENT + 8, &restart.lsn.to_le_bytes());
        put_u16(&mut page, CLIENT + 0x10, NO_CLIENT);
        put_u16(&mut page, CLIENT + 0x12, NO_CLIENT);
        put_u32(&mut page, CLIENT + 0x1C, 8);
        put(&mut page, CLIENT + 0x20, b"N\0T\0F\0S\0");
        // The array fits by construction.
        let _ = fixup::protect(&mut page, *b"RSTR", 0);
        page
    }
}

/// A page without records.
fn new_page(number: u64) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    put(&mut page, 0, b"RCRD");
    put_u16(&mut page, 4, 0x28);
    put_u16(&mut page, 6, 9);
    put_u16(&mut page, 0x14, 1);
    put_u16(&mut page, 0x16, 1);
    put_u16(&mut page, 0x18, FIRST as u16);
    put_u16(&mut page, 0x28, number as u16);
    page
}
