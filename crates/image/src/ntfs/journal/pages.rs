//! The pages with records. The last ones may be newer in a copy.

use std::collections::BTreeMap;

use diskmend_base::bytes;
use diskmend_base::count::{to_u64, to_usize};

use super::super::fixup;
use super::error::{JournalError, odd};
use super::format::{RecordHeader, RecordPage};
use super::restart::Shape;
use super::source::Source;

/// The number of bytes that are read at once.
const WINDOW: u64 = 1 << 20;

/// All pages, as they count.
pub(super) struct Pages<'a> {
    source: &'a Source<'a>,
    pub shape: Shape,
    /// The copies that are newer than their pages, by the offsets of these.
    newer: BTreeMap<u64, Vec<u8>>,
    /// The greatest number of a record that ends in any page.
    pub greatest_lsn: u64,
    window: Vec<u8>,
    window_at: u64,
    /// The page that was used last, without its update sequence numbers.
    page: Vec<u8>,
    page_at: u64,
}

/// What a page says of itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Age {
    last_end_lsn: u64,
    next_record_offset: u16,
    /// 0 in version 1, in which copies don't have it.
    last_lsn: u64,
}

impl<'a> Pages<'a> {
    /// Looks at the headers of all pages.
    pub(super) fn read(source: &'a Source<'a>, shape: Shape) -> Result<Self, JournalError> {
        let mut pages = Self {
            source,
            shape,
            newer: BTreeMap::new(),
            greatest_lsn: 0,
            window: Vec::new(),
            window_at: u64::MAX,
            page: Vec::new(),
            page_at: u64::MAX,
        };
        let (mut copies, mut strays) = (BTreeMap::new(), Vec::new());
        for at in shape.copies().step_by(to_usize(shape.page_len)) {
            if let Some(page) = pages.valid(at)? {
                strays.extend(pages.take_copy(at, page, &mut copies)?);
            }
        }
        for at in (shape.first_page()..shape.len).step_by(to_usize(shape.page_len)) {
            let found = pages.valid(at)?;
            let real = found.as_deref().and_then(|page| age_of(page, shape));
            if let Some((copy, age)) = copies.remove(&at)
                && real.is_none_or(|real| real < age)
            {
                pages.newer.insert(at, copy);
            }
            let ended = real.map_or(0, |real| real.last_end_lsn);
            pages.greatest_lsn = pages.greatest_lsn.max(ended);
        }
        if let Some(at) = copies.keys().next() {
            return Err(odd("page of a copy", *at, "one with records", "none"));
        }
        strays.sort_by_key(|(_, age)| *age);
        for (page, age) in strays {
            pages.take_stray(page, age)?;
        }
        Ok(pages)
    }

    /// Keeps a copy of version 2.0 in which a record ends that began in an earlier page, and none
    /// begins, if it is newer than its page.
    fn take_stray(&mut self, page: Vec<u8>, age: Age) -> Result<(), JournalError> {
        let start = self.shape.offset(age.last_end_lsn);
        let (Some(start), Some(record)) = (start, self.header(age.last_end_lsn)?) else {
            return Ok(());
        };
        let Shape {
            page_len,
            data_offset,
            ..
        } = self.shape;
        let first = self.shape.page_of(start);
        let header_end = start.saturating_add(to_u64(size_of::<RecordHeader>()));
        let mut room = first.saturating_add(page_len).saturating_sub(header_end);
        let mut left = u64::from(record.client_data_length.get());
        let mut last = first;
        while left > room {
            left = left.saturating_sub(room);
            room = page_len.saturating_sub(data_offset);
            last = self.shape.page_after(last);
            if last == first {
                return Ok(());
            }
        }
        let end = data_offset.saturating_add(left).next_multiple_of(8);
        if last == first || end != u64::from(age.next_record_offset) {
            return Ok(());
        }
        let shape = self.shape;
        let real = self.page(last)?.and_then(|real| age_of(real, shape));
        if real.is_none_or(|real| real < age) {
            self.newer.insert(last, page);
            self.page_at = u64::MAX;
        }
        Ok(())
    }

    /// Keeps a copy if it is the newest of its page. Returns it if its page is not known yet.
    fn take_copy(
        &mut self,
        at: u64,
        page: Vec<u8>,
        copies: &mut BTreeMap<u64, (Vec<u8>, Age)>,
    ) -> Result<Option<(Vec<u8>, Age)>, JournalError> {
        let (Some(header), Some(age)) = (header(&page), age_of(&page, self.shape)) else {
            return Ok(None);
        };
        let (last_lsn, last_end_lsn) = (header.last_lsn.get(), header.last_end_lsn.get());
        let page_of = if self.shape.version.0 >= 2 {
            let of = |lsn| {
                let offset = self.shape.offset(lsn)?;
                let in_page = offset.checked_rem(self.shape.page_len)?;
                let found = bytes::view::<RecordHeader>(&page, to_usize(in_page))?;
                (found.this_lsn.get() == lsn).then(|| self.shape.page_of(offset))
            };
            of(last_lsn).or_else(|| of(last_end_lsn))
        } else {
            Some(last_lsn)
        };
        self.greatest_lsn = self.greatest_lsn.max(age.last_end_lsn);
        let Some(page_of) = page_of else {
            return Ok(Some((page, age)));
        };
        let is_page = page_of.is_multiple_of(self.shape.page_len)
            && (self.shape.first_page()..self.shape.len).contains(&page_of);
        if !is_page {
            return Err(odd("page of a copy", at, "the offset of a page", page_of));
        }
        match copies.get(&page_of) {
            Some((_, other)) if *other >= age => {}
            _ => drop(copies.insert(page_of, (page, age))),
        }
        Ok(None)
    }

    /// The page at an offset, if it is whole.
    fn valid(&mut self, at: u64) -> Result<Option<Vec<u8>>, JournalError> {
        let window = at.saturating_sub(at.checked_rem(WINDOW).unwrap_or(0));
        if self.window_at != window {
            let len = self.shape.len.saturating_sub(window).min(WINDOW);
            self.window.resize(to_usize(len), 0);
            self.window_at = u64::MAX;
            self.source.read(&mut self.window, window)?;
            self.window_at = window;
        }
        let start = to_usize(at.saturating_sub(window));
        let page = bytes::slice(&self.window, start, to_usize(self.shape.page_len));
        let Some(page) = page.filter(|page| page.starts_with(b"RCRD")) else {
            return Ok(None);
        };
        let mut page = page.to_vec();
        let is_whole = fixup::unprotect(&mut page, *b"RCRD", at).is_ok();
        Ok(is_whole.then_some(page))
    }

    /// The page that counts at an offset, without its update sequence numbers; `None` if it is torn
    /// or was never written.
    pub(super) fn page(&mut self, at: u64) -> Result<Option<&[u8]>, JournalError> {
        if self.page_at != at {
            self.page_at = u64::MAX;
            let found = match self.newer.get(&at) {
                Some(copy) => copy.clone(),
                None => match self.valid(at)? {
                    Some(page) => page,
                    None => return Ok(None),
                },
            };
            self.page = found;
            self.page_at = at;
        }
        Ok(Some(&self.page))
    }

    /// The header of the record with a number, if it is there.
    pub(super) fn header(&mut self, lsn: u64) -> Result<Option<RecordHeader>, JournalError> {
        let Some(offset) = self.shape.offset(lsn) else {
            return Ok(None);
        };
        let page_at = self.shape.page_of(offset);
        let Some(page) = self.page(page_at)? else {
            return Ok(None);
        };
        let found = bytes::view::<RecordHeader>(page, to_usize(offset.saturating_sub(page_at)));
        Ok(found.filter(|found| found.this_lsn.get() == lsn).copied())
    }

    /// Appends the `len` bytes of a record from an offset on to `data`. Returns the offset after
    /// them; `None` if a page is torn or older, so that the record was not written as a whole.
    pub(super) fn data(
        &mut self,
        lsn: u64,
        mut at: u64,
        len: usize,
        data: &mut Vec<u8>,
    ) -> Result<Option<u64>, JournalError> {
        let mut left = len;
        let mut last = self.shape.page_of(at.saturating_sub(1));
        while left > 0 {
            let mut page_at = self.shape.page_of(at);
            // A record that ends with its page goes on in the next one.
            if at == page_at {
                page_at = self
                    .shape
                    .page_after(page_at.saturating_sub(self.shape.page_len));
                at = page_at.saturating_add(self.shape.data_offset);
            }
            let in_page = to_usize(at.saturating_sub(page_at));
            // A copy of version 1 has another field there; it is not older than its page.
            let tells = self.shape.version.0 >= 2 || !self.newer.contains_key(&page_at);
            let page = self.page(page_at)?;
            let is_of_it = |page: &&[u8]| {
                !tells || header(page).is_some_and(|header| header.last_lsn.get() >= lsn)
            };
            let rest = page.filter(is_of_it).and_then(|page| page.get(in_page..));
            let Some(rest) = rest else {
                return Ok(None);
            };
            last = page_at;
            let taken = rest.get(..left.min(rest.len())).unwrap_or(rest);
            data.extend_from_slice(taken);
            left = left.saturating_sub(taken.len());
            at = at.saturating_add(to_u64(taken.len()));
        }
        let shape = self.shape;
        let age = self.page(last)?.and_then(|page| age_of(page, shape));
        let is_ended = age.is_some_and(|age| age.last_end_lsn >= lsn);
        Ok(is_ended.then_some(at))
    }
}

fn header(page: &[u8]) -> Option<&RecordPage> {
    bytes::view::<RecordPage>(page, 0)
}

fn age_of(page: &[u8], shape: Shape) -> Option<Age> {
    let header = header(page)?;
    Some(Age {
        last_end_lsn: if header.flags.get() & RecordPage::RECORD_END != 0 {
            header.last_end_lsn.get()
        } else {
            0
        },
        next_record_offset: header.next_record_offset.get(),
        last_lsn: match shape.version.0 {
            2.. => header.last_lsn.get(),
            _ => 0,
        },
    })
}
