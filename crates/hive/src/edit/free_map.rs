//! The free cells of a hive: where to allocate, and with which neighbours a freed cell merges.

use std::collections::{BTreeMap, BTreeSet};

use crate::bytes;
use crate::error::Corruption;
use crate::format::{CellHeader, HiveBin};
use crate::offset::{FileOffset, PAGE_LEN};

/// Free cells from this size on are used up cell by cell, so that what is made together lies
/// together and few pages change.
const ARENA_LEN: u32 = 1024;

/// How many fitting cells are looked at for one that lies in a page that has changed already.
const CANDIDATES: usize = 16;

/// The free cells, by offset and by size.
///
/// Bins are read one by one, when a cell of theirs is freed or no known cell is large enough: an
/// edit of a few values needs to know few of them. Free cells of two bins never touch, since the
/// header of a bin lies between.
pub(super) struct FreeMap {
    by_offset: BTreeMap<u32, u32>,
    by_size: BTreeSet<(u32, u32)>,
    /// Sizes of the bins that have been read, by their offset.
    bins: BTreeMap<u32, u32>,
    /// All bins from here on have been read.
    unread_end: u32,
    arena: Option<u32>,
}

impl FreeMap {
    pub(super) fn new(bins_len: usize) -> Self {
        Self {
            by_offset: BTreeMap::new(),
            by_size: BTreeSet::new(),
            bins: BTreeMap::new(),
            unread_end: narrow(bins_len),
            arena: None,
        }
    }

    /// Reads the bin that holds `at`, unless it is known, and returns where it starts.
    ///
    /// # Errors
    /// Where there is no such bin, or the first cell that does not tile it.
    pub(super) fn read_bin_of(&mut self, data: &[u8], at: u32) -> Result<u32, Corruption> {
        let known = self.bins.range(..=at).next_back();
        if let Some((&start, &size)) = known
            && at - start < size
        {
            return Ok(start);
        }
        let (start, size) = bin_of(data, at as usize)?;
        let mut cells = Vec::new();
        scan_cells(data, start + HiveBin::LEN, start + size, &mut cells)?;
        for (at, size) in cells {
            self.insert(at, size);
        }
        self.bins.insert(narrow(start), narrow(size));
        Ok(narrow(start))
    }

    /// Reads one more bin, the last first; says whether there was one left.
    ///
    /// # Errors
    /// As [`FreeMap::read_bin_of`].
    pub(super) fn read_more(&mut self, data: &[u8]) -> Result<bool, Corruption> {
        let Some(last) = self.unread_end.checked_sub(1) else {
            return Ok(false);
        };
        self.unread_end = self.read_bin_of(data, last)?;
        Ok(true)
    }

    fn insert(&mut self, at: u32, size: u32) {
        self.by_offset.insert(at, size);
        self.by_size.insert((size, at));
    }

    fn remove(&mut self, at: u32) -> Option<u32> {
        let size = self.by_offset.remove(&at)?;
        self.by_size.remove(&(size, at));
        Some(size)
    }

    /// Takes a known free cell of at least `size` bytes, as its offset and size. Prefers the cell that
    /// is being used up, then one for which `changed` says that its page is written anyway, then
    /// a large one, then the smallest that fits.
    pub(super) fn take(&mut self, size: u32, changed: impl Fn(u32) -> bool) -> Option<(u32, u32)> {
        let in_arena = self
            .arena
            .filter(|at| self.by_offset.get(at).is_some_and(|&len| len >= size));
        let at = in_arena
            .or_else(|| {
                self.by_size
                    .range((size, 0)..)
                    .take(CANDIDATES)
                    .map(|&(_, at)| at)
                    .find(|&at| changed(at))
            })
            .or_else(|| {
                let large = size.max(ARENA_LEN);
                Some(self.by_size.range((large, 0)..).next()?.1)
            })
            .or_else(|| Some(self.by_size.range((size, 0)..).next()?.1))?;
        let found = self.remove(at)?;
        Some((at, found))
    }

    /// Gives back what was split off a taken cell; it is used up next.
    pub(super) fn put_rest(&mut self, at: u32, size: u32) {
        self.insert(at, size);
        self.arena = Some(at);
    }

    /// Adds a freed cell, merged with its free neighbours in the same bin; returns the offset and
    /// size of the cell that results.
    pub(super) fn put(&mut self, at: u32, size: u32) -> (u32, u32) {
        let (mut start, mut end) = (at, at + size);
        if let Some(after) = self.remove(end) {
            end += after;
        }
        let before = self.by_offset.range(..at).next_back();
        if let Some((&left, &len)) = before
            && left + len == at
        {
            self.remove(left);
            start = left;
        }
        self.insert(start, end - start);
        (start, end - start)
    }

    /// Takes the free cell that starts at `at`, where there is one of at least `size` bytes.
    pub(super) fn take_at(&mut self, at: u32, size: u32) -> Option<u32> {
        if *self.by_offset.get(&at)? < size {
            return None;
        }
        self.remove(at)
    }

    /// Registers a new bin and its one free cell.
    pub(super) fn add_bin(&mut self, start: u32, size: u32) {
        self.bins.insert(start, size);
        let header = HiveBin::LEN as u32;
        self.insert(start + header, size - header);
        self.arena = Some(start + header);
    }
}

/// The bin that holds `at`, as its offset and size: the nearest page at or before `at` whose header
/// names its own offset.
fn bin_of(bins: &[u8], at: usize) -> Result<(usize, usize), Corruption> {
    let page = at - at % PAGE_LEN;
    let start = (0..=page)
        .rev()
        .step_by(PAGE_LEN)
        .find(|&start| {
            bytes::view::<HiveBin>(bins, start).is_some_and(|header| {
                header.signature == HiveBin::SIGNATURE && header.offset.get() as usize == start
            })
        })
        .unwrap_or(page);
    let size = bin_size(bins, start)?;
    if at - start >= size {
        return Err(Corruption::new(
            "hive bin",
            FileOffset::of_bins(start),
            format!("a size that reaches beyond {at:#x}"),
            format!("{size:#x}"),
        ));
    }
    Ok((start, size))
}

fn bin_size(bins: &[u8], start: usize) -> Result<usize, Corruption> {
    let wrong = |expected: &'static str, actual: String| {
        Corruption::new("hive bin", FileOffset::of_bins(start), expected, actual)
    };
    let header = bytes::view::<HiveBin>(bins, start)
        .ok_or_else(|| wrong("a header of 32 bytes", "the bins' end".to_owned()))?;
    if header.signature != HiveBin::SIGNATURE {
        return Err(wrong(
            "\"hbin\"",
            format!("\"{}\"", header.signature.escape_ascii()),
        ));
    }
    if header.offset.get() as usize != start {
        return Err(wrong("its own offset", header.offset.to_string()));
    }
    let size = header.size.get() as usize;
    if size == 0 || !size.is_multiple_of(PAGE_LEN) || size > bins.len() - start {
        return Err(wrong(
            "a size that is a multiple of 4096 and ends within the bins",
            size.to_string(),
        ));
    }
    Ok(size)
}

fn scan_cells(
    bins: &[u8],
    first: usize,
    end: usize,
    free: &mut Vec<(u32, u32)>,
) -> Result<(), Corruption> {
    let mut at = first;
    while at < end {
        let size = bytes::view::<CellHeader>(bins, at).map_or(0, |cell| cell.size.get());
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
            free.push((narrow(at), narrow(len)));
        }
        at += len;
    }
    Ok(())
}

/// Offsets inside the bins are below 2 GiB: the base block was checked.
fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> FreeMap {
        let mut map = FreeMap {
            by_offset: BTreeMap::new(),
            by_size: BTreeSet::new(),
            bins: BTreeMap::from([(0, 4096), (4096, 4096)]),
            unread_end: 0,
            arena: None,
        };
        map.insert(64, 32);
        map.insert(4064, 32);
        map.insert(4128, 64);
        map
    }

    #[test]
    fn a_freed_cell_merges_with_both_neighbours_but_not_across_bins() {
        let mut map = map();
        assert_eq!(map.put(96, 8), (64, 40));
        assert_eq!(map.put(56, 8), (56, 48));
        assert_eq!(map.put(4032, 32), (4032, 64));
        assert_eq!(map.by_offset.get(&4128), Some(&64));
        assert_eq!(map.by_size.len(), map.by_offset.len());
    }

    #[test]
    fn a_cell_in_a_changed_page_is_preferred() {
        let mut map = map();
        assert_eq!(map.take(24, |at| at == 4064), Some((4064, 32)));
        assert_eq!(map.take(24, |_| false), Some((64, 32)));
        assert_eq!(map.take(65, |_| true), None);
    }
}
