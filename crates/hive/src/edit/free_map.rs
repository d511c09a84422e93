//! The free cells of a hive: finds room for new cells, and the neighbours of a freed cell.

use diskmend_base::bytes;

use crate::base_block::MAX_BINS_LEN;
use crate::error::Corruption;
use crate::format::{CellHeader, HiveBin};
use crate::offset::{CellOffset, FileOffset, PAGE_LEN};

use super::largest::Largest;

/// Free cells of at least this size are filled one after the other, so that cells that are created
/// together are adjacent and few pages change.
const ARENA_LEN: u32 = 1024;

/// The number of pages with a fitting cell that are searched for one that has changed already.
const CANDIDATES: usize = 16;

/// An index of the free cells by page: for each page it stores the first cell and the size of the
/// largest free one. Which cells are free, and how large they are, is read from the hive itself.
/// Therefore the length of the index depends only on the number of pages.
///
/// Bins are read one by one, when one of their cells is freed or no known cell is large enough: an
/// edit of a few values needs to read only few of them. Free cells of two bins are never adjacent,
/// because the header of a bin is in between.
pub(super) struct FreeMap {
    pages: Vec<Page>,
    /// Size of the largest free cell that starts in each page.
    largest: Largest,
    /// All pages from here on have been read.
    unread_end: usize,
    arena: Option<u32>,
}

/// What is known about the cells that start in a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    /// Nothing, not even whether its bin is valid.
    Unread,
    /// Only that a bin starts there.
    UnreadBin,
    /// No cell starts there.
    Empty,
    /// The first cell starts at this place, in units of 8 bytes.
    First(u16),
}

impl Page {
    /// The page that has its first cell at `at`.
    const fn starting(at: u32) -> Self {
        Self::First((at as usize % PAGE_LEN / CellHeader::ALIGN) as u16)
    }

    const fn is_read(self) -> bool {
        matches!(self, Self::Empty | Self::First(_))
    }
}

/// A cell that was found in a page.
#[derive(Clone, Copy)]
struct Cell {
    at: u32,
    len: u32,
    free: bool,
}

/// A change of the cells in a stretch.
#[derive(Default)]
pub(super) struct Change {
    /// The start of the stretch; a cell starts there before and after.
    pub(super) start: u32,
    /// The end of the stretch.
    pub(super) end: u32,
    /// Places at which cells started before, but no longer do.
    pub(super) gone: [Option<u32>; 2],
    /// A place at which a cell starts now, but did not before.
    pub(super) made: Option<u32>,
}

const fn page_of(at: u32) -> usize {
    at as usize / PAGE_LEN
}

impl FreeMap {
    /// A map that knows the starts of bins, as far as the bins follow each other.
    pub(super) fn new(data: &[u8]) -> Self {
        let count = data.len() / PAGE_LEN;
        let mut pages = vec![Page::Unread; count];
        let mut start = 0;
        while let Some(page) = pages.get_mut(start / PAGE_LEN) {
            *page = Page::UnreadBin;
            // Pages after a broken header are treated as part of its bin, which is an error when it
            // is read.
            let Ok(size) = bin_size(data, start) else {
                break;
            };
            start += size;
        }
        Self {
            pages,
            largest: Largest::new(count),
            unread_end: count,
            arena: None,
        }
    }

    fn page(&self, page: usize) -> Page {
        self.pages.get(page).copied().unwrap_or(Page::Unread)
    }

    fn set_page(&mut self, page: usize, to: Page) {
        if let Some(page) = self.pages.get_mut(page) {
            *page = to;
        }
    }

    /// Reads the bin that contains `at`, unless it is already known.
    ///
    /// # Errors
    /// If there is no such bin, or at the first invalid cell.
    pub(super) fn read_bin_of(&mut self, data: &[u8], at: u32) -> Result<(), Corruption> {
        let page = page_of(at);
        if self.page(page).is_read() {
            return Ok(());
        }
        let start = (0..=page)
            .rev()
            .find(|&page| self.page(page) == Page::UnreadBin);
        let start = start.unwrap_or(page) * PAGE_LEN;
        let size = bin_size(data, start)?;
        if at as usize - start >= size {
            return Err(wrong_bin(
                start,
                format!("a size that reaches beyond {at:#x}"),
                format!("{size:#x}"),
            ));
        }
        self.read_cells(data, start + HiveBin::LEN, start + size)
    }

    /// Reads one more bin, the last first; returns false if there was none left.
    ///
    /// # Errors
    /// Like [`FreeMap::read_bin_of`].
    pub(super) fn read_more(&mut self, data: &[u8]) -> Result<bool, Corruption> {
        while let Some(last) = self.unread_end.checked_sub(1) {
            if !self.page(last).is_read() {
                self.read_bin_of(data, narrow(last * PAGE_LEN))?;
                return Ok(true);
            }
            self.unread_end = last;
        }
        Ok(false)
    }

    fn read_cells(&mut self, data: &[u8], first: usize, end: usize) -> Result<(), Corruption> {
        let mut at = first;
        for page in first / PAGE_LEN..end / PAGE_LEN {
            let page_end = (page + 1) * PAGE_LEN;
            if at >= page_end {
                self.set_page(page, Page::Empty);
                continue;
            }
            self.set_page(page, Page::starting(narrow(at)));
            let mut largest = 0;
            while at < page_end {
                let size = bytes::view::<CellHeader>(data, at).map_or(0, |cell| cell.size.get());
                let len = size.unsigned_abs() as usize;
                if len == 0 || !len.is_multiple_of(CellHeader::ALIGN) || len > end - at {
                    return Err(Corruption::new(
                        "cell size",
                        FileOffset::of_bins(at),
                        "a multiple of 8 that ends within the bin",
                        size.to_string(),
                    ));
                }
                if size > 0 {
                    largest = largest.max(narrow(len));
                }
                at += len;
            }
            self.largest.set(page, largest);
        }
        Ok(())
    }

    /// The cells that start in a page; none if the page was not read.
    fn cells<'d>(&self, data: &'d [u8], page: usize) -> impl Iterator<Item = Cell> + use<'d> {
        let first = match self.page(page) {
            Page::First(place) => Some(page * PAGE_LEN + usize::from(place) * CellHeader::ALIGN),
            Page::Empty | Page::Unread | Page::UnreadBin => None,
        };
        let mut next = first.map(narrow);
        std::iter::from_fn(move || {
            let at = next.filter(|&at| page_of(at) == page)?;
            let size = bytes::view::<CellHeader>(data, at as usize)?.size.get();
            let len = size.unsigned_abs();
            next = at.checked_add(len).filter(|_| len > 0);
            let free = size > 0;
            Some(Cell { at, len, free })
        })
    }

    /// A known free cell of at least `size` bytes, as its offset and size. Prefers the cell that is
    /// being filled, then a cell in a page that is written anyway according to `changed`, then a
    /// large cell, then the first that fits.
    pub(super) fn find(
        &self,
        data: &[u8],
        size: u32,
        changed: impl Fn(usize) -> bool,
    ) -> Option<(u32, u32)> {
        if let Some(at) = self.arena
            && let Some(len) = self.free_at(data, at)
            && len >= size
        {
            return Some((at, len));
        }
        let large = size.max(ARENA_LEN);
        let mut page = self.largest.first_from(0, size)?;
        for _ in 0..CANDIDATES {
            if changed(page) {
                return self.best_in(data, page, size);
            }
            match self.largest.first_from(page + 1, size) {
                Some(next) => page = next,
                None => break,
            }
        }
        if let Some(page) = self.largest.first_from(0, large) {
            return self.best_in(data, page, large);
        }
        self.best_in(data, self.largest.first_from(0, size)?, size)
    }

    /// The smallest free cell of a page that has at least `size` bytes.
    fn best_in(&self, data: &[u8], page: usize, size: u32) -> Option<(u32, u32)> {
        self.cells(data, page)
            .filter(|cell| cell.free && cell.len >= size)
            .map(|cell| (cell.at, cell.len))
            .min_by_key(|&(_, len)| len)
    }

    /// The size of the free cell that starts at `at`, if there is one. A cell or a bin must end at
    /// `at`.
    pub(super) fn free_at(&self, data: &[u8], at: u32) -> Option<u32> {
        let starts_page = (at as usize).is_multiple_of(PAGE_LEN);
        if starts_page && self.page(page_of(at)) != Page::First(0) {
            return None;
        }
        let size = bytes::view::<CellHeader>(data, at as usize)?.size.get();
        u32::try_from(size).ok().filter(|&size| size > 0)
    }

    /// The offset of the free cell that ends at `at`, if there is one.
    ///
    /// # Errors
    /// If no cell starts at `at`.
    pub(super) fn free_before(&self, data: &[u8], at: u32) -> Result<Option<u32>, Corruption> {
        let no_cell = || {
            let at = CellOffset::new(at);
            Corruption::new(
                "cell offset",
                at,
                "the start of a cell",
                "a place inside one",
            )
        };
        let page = page_of(at);
        let mut before = None;
        for cell in self.cells(data, page) {
            if cell.at == at {
                if before.is_none() {
                    before = self.last_before(data, page);
                }
                let ends_here = |cell: &Cell| cell.free && cell.at + cell.len == at;
                return Ok(before.filter(ends_here).map(|cell| cell.at));
            }
            before = Some(cell);
        }
        Err(no_cell())
    }

    /// The last cell that starts in the pages before `page`, as far as these have been read.
    fn last_before(&self, data: &[u8], page: usize) -> Option<Cell> {
        let mut pages = self.pages.get(..page)?.iter().enumerate().rev();
        let (page, _) = pages.find(|(_, page)| **page != Page::Empty)?;
        self.cells(data, page).last()
    }

    /// Records that cells were split, merged or used; the hive must already contain their sizes.
    pub(super) fn update(&mut self, data: &[u8], change: &Change) {
        let gone = change.gone.iter().flatten().copied();
        for at in gone.clone() {
            let page = page_of(at);
            if self.page(page) == Page::starting(at) {
                // The end of the bin is in a page of its own.
                let next = page_of(change.end) == page;
                self.set_page(
                    page,
                    if next {
                        Page::starting(change.end)
                    } else {
                        Page::Empty
                    },
                );
            }
            self.arena = self.arena.filter(|&arena| arena != at);
        }
        if let Some(at) = change.made {
            let page = page_of(at);
            if page != page_of(change.start) {
                self.set_page(page, Page::starting(at));
            }
        }
        let made = change.made;
        for at in gone.chain(made).chain([change.start]) {
            let page = page_of(at);
            let free = self.cells(data, page).filter(|cell| cell.free);
            // 0 stands for a page without a free cell.
            let largest = free.map(|cell| cell.len).fold(0, u32::max);
            self.largest.set(page, largest);
        }
    }

    /// Makes this free cell the next to be filled.
    pub(super) fn use_next(&mut self, at: u32) {
        self.arena = Some(at);
    }

    /// Registers a new bin at the end of the hive, and its one free cell.
    pub(super) fn add_bin(&mut self, start: u32, size: u32) {
        let first = start + HiveBin::LEN as u32;
        let end = (start + size) as usize / PAGE_LEN;
        self.pages.resize(end, Page::Empty);
        self.set_page(page_of(start), Page::starting(first));
        self.largest.grow(end);
        self.largest.set(page_of(start), size - HiveBin::LEN as u32);
        self.arena = Some(first);
    }
}

fn wrong_bin(start: usize, expected: impl Into<String>, actual: impl Into<String>) -> Corruption {
    let (expected, actual) = (expected.into(), actual.into());
    Corruption::new("hive bin", FileOffset::of_bins(start), expected, actual)
}

fn bin_size(bins: &[u8], start: usize) -> Result<usize, Corruption> {
    let header = bytes::view::<HiveBin>(bins, start)
        .ok_or_else(|| wrong_bin(start, "a header of 32 bytes", "the bins' end"))?;
    if header.signature != HiveBin::SIGNATURE {
        let actual = format!("\"{}\"", header.signature.escape_ascii());
        return Err(wrong_bin(start, "\"hbin\"", actual));
    }
    if header.offset.get() as usize != start {
        let actual = header.offset.to_string();
        return Err(wrong_bin(start, "its own offset", actual));
    }
    let size = header.size.get() as usize;
    if size == 0 || !size.is_multiple_of(PAGE_LEN) || size > bins.len() - start {
        return Err(wrong_bin(
            start,
            "a size that is a multiple of 4096 and ends within the bins",
            size.to_string(),
        ));
    }
    Ok(size)
}

/// An offset inside the bins, which are shorter than 2 GiB: the base block was checked.
fn narrow(at: usize) -> u32 {
    const _: () = assert!(MAX_BINS_LEN <= u32::MAX as usize);
    at as u32
}

#[cfg(test)]
#[path = "free_map/tests.rs"]
mod tests;
