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
    /// The greatest number of a record that any page has.
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
        let mut copies = BTreeMap::new();
        for at in shape.copies().step_by(to_usize(shape.page_len)) {
            if let Some(page) = pages.valid(at)? {
                pages.take_copy(at, page, &mut copies)?;
            }
        }
        for at in (shape.first_page()..shape.len).step_by(to_usize(shape.page_len)) {
            let found = pages.valid(at)?;
            let real = found.as_deref().and_then(|page| age(page, shape));
            let last_lsn = found
                .as_deref()
                .and_then(header)
                .map(|page| page.last_lsn.get());
            if let Some((copy, age)) = copies.remove(&at)
                && real.is_none_or(|real| real < age)
            {
                pages.newer.insert(at, copy);
            }
            for lsn in real
                .map(|real| real.last_end_lsn)
                .into_iter()
                .chain(last_lsn)
            {
                pages.greatest_lsn = pages.greatest_lsn.max(lsn);
            }
        }
        if let Some(at) = copies.keys().next() {
            return Err(odd("page of a copy", *at, "one with records", "none"));
        }
        Ok(pages)
    }

    /// Keeps a copy if it is the newest of its page.
    fn take_copy(
        &mut self,
        at: u64,
        page: Vec<u8>,
        copies: &mut BTreeMap<u64, (Vec<u8>, Age)>,
    ) -> Result<(), JournalError> {
        let (Some(header), Some(age)) = (header(&page), age(&page, self.shape)) else {
            return Ok(());
        };
        let (last_lsn, last_end_lsn) = (header.last_lsn.get(), header.last_end_lsn.get());
        let page_of = if self.shape.version.0 >= 2 {
            self.greatest_lsn = self.greatest_lsn.max(last_lsn);
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
        self.greatest_lsn = self.greatest_lsn.max(last_end_lsn);
        // Where a copy belongs in which no record begins is not known. If it is the newest page, no
        // other page has its last record, and reading fails for that reason.
        let Some(page_of) = page_of else {
            return Ok(());
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
        Ok(())
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

    /// Appends `len` bytes of the record at an offset to `data`. Returns the offset after them.
    pub(super) fn data(
        &mut self,
        mut at: u64,
        len: usize,
        data: &mut Vec<u8>,
    ) -> Result<u64, JournalError> {
        let mut left = len;
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
            let lost = || odd("page of a record", page_at, "one that is whole", "none");
            let rest = match self.page(page_at)? {
                Some(page) => page.get(in_page..).ok_or_else(lost)?,
                None => return Err(lost()),
            };
            let taken = rest.get(..left.min(rest.len())).unwrap_or(rest);
            data.extend_from_slice(taken);
            left = left.saturating_sub(taken.len());
            at = at.saturating_add(to_u64(taken.len()));
        }
        Ok(at)
    }
}

fn header(page: &[u8]) -> Option<&RecordPage> {
    bytes::view::<RecordPage>(page, 0)
}

fn age(page: &[u8], shape: Shape) -> Option<Age> {
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
