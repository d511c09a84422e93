//! Allocates cells in an image: every change of a cell's size goes through here.

use diskmend_base::bytes;
use diskmend_base::upcase::CaseTable;

use crate::base_block::MAX_BINS_LEN;
use crate::bins::Bins;
use crate::error::Corruption;
use crate::format::{CellHeader, HiveBin};
use crate::image::Image;
use crate::offset::{CellOffset, PAGE_LEN};

use super::EditError;
use super::free_map::{Change, FreeMap};
#[cfg(test)]
use crate::work;

/// An image with a map of its free cells. The map is created when the first cell is allocated or
/// freed.
pub(super) struct Heap {
    pub(super) image: Image,
    minor: u32,
    table: CaseTable,
    free: Option<FreeMap>,
    /// Security cells that no key node uses according to their counts.
    pub(super) unused_security: Vec<CellOffset>,
}

/// The smallest remainder that becomes a free cell.
const MIN_CELL: u32 = CellHeader::ALIGN as u32;

/// What a free neighbour adds to a cell if there is none.
const NO_NEIGHBOUR: u32 = 0;

impl Heap {
    pub(super) fn new(image: Image) -> Self {
        let minor = image.base_block().minor_version.get();
        let table = image.base_block().case_table();
        Self {
            image,
            minor,
            table,
            free: None,
            unused_security: Vec::new(),
        }
    }

    pub(super) fn bins(&self) -> Bins<'_> {
        Bins::new(self.image.bins(), self.minor, self.table)
    }

    pub(super) fn minor(&self) -> u32 {
        self.minor
    }

    /// The bins, and the map of their free cells, after reading the bin that contains `cell`.
    fn free_map(&mut self, cell: u32) -> Result<(&[u8], &mut FreeMap), Corruption> {
        let bins = self.image.bins();
        let free = self.free.get_or_insert_with(|| FreeMap::new(bins));
        free.read_bin_of(bins, cell)?;
        Ok((bins, free))
    }

    /// Tells the map that cells have changed; their sizes are already written.
    fn changed(&mut self, change: &Change) {
        if let Some(free) = &mut self.free {
            free.update(self.image.bins(), change);
        }
    }

    /// Allocates a cell for `len` bytes of payload. The payload's bytes are undefined.
    pub(super) fn allocate(&mut self, len: usize) -> Result<CellOffset, EditError> {
        let size = cell_size(len)?;
        let (at, found) = match self.find(size)? {
            Some(cell) => cell,
            None => {
                self.add_bin(size)?;
                self.find(size)?.ok_or(EditError::Full)?
            }
        };
        self.split(at, found, size, None)?;
        Ok(CellOffset::new(at))
    }

    /// Finds a free cell; reads bins until one fits.
    fn find(&mut self, size: u32) -> Result<Option<(u32, u32)>, Corruption> {
        let bins = self.image.bins();
        let free = self.free.get_or_insert_with(|| FreeMap::new(bins));
        let dirty = self.image.dirty();
        loop {
            if let Some(cell) = free.find(bins, size, |page| dirty.contains(page)) {
                return Ok(Some(cell));
            }
            if !free.read_more(bins)? {
                return Ok(None);
            }
        }
    }

    /// Allocates a cell and fills its payload.
    pub(super) fn store(&mut self, payload: &[u8]) -> Result<CellOffset, EditError> {
        let at = self.allocate(payload.len())?;
        self.write(at, 0, payload)?;
        Ok(at)
    }

    /// Makes the `found` bytes at `at` an allocated cell of `size` bytes and a free remainder. If
    /// the cell was shorter before, `gone` is the start of its free neighbour.
    fn split(
        &mut self,
        at: u32,
        found: u32,
        size: u32,
        gone: Option<u32>,
    ) -> Result<(), EditError> {
        let rest = found - size;
        let made = (rest >= MIN_CELL).then_some(at + size);
        if let Some(rest_at) = made {
            self.write_size(rest_at, i64::from(rest))?;
            self.write_size(at, -i64::from(size))?;
        } else {
            self.write_size(at, -i64::from(found))?;
        }
        self.changed(&Change {
            start: at,
            end: at + found,
            gone: [gone, None],
            made,
        });
        if let (Some(free), Some(rest)) = (&mut self.free, made) {
            free.use_next(rest);
        }
        Ok(())
    }

    /// Frees a cell and merges it with its free neighbours.
    pub(super) fn free(&mut self, cell: CellOffset) -> Result<(), EditError> {
        let size = self.size(cell)?;
        let at = cell.get();
        let (bins, free) = self.free_map(at)?;
        let before = free.free_before(bins, at)?;
        let after = free.free_at(bins, at + size);
        let start = before.unwrap_or(at);
        let end = at + size + after.unwrap_or(NO_NEIGHBOUR);
        // A cell that becomes part of a merged one must not look allocated any more.
        self.write_size(at, i64::from(size))?;
        self.write_size(start, i64::from(end - start))?;
        self.changed(&Change {
            start,
            end,
            gone: [before.map(|_| at), after.map(|_| at + size)],
            made: None,
        });
        Ok(())
    }

    /// Makes an allocated cell hold `len` bytes without moving it; returns false if that is not
    /// possible.
    pub(super) fn resize(&mut self, cell: CellOffset, len: usize) -> Result<bool, EditError> {
        let size = cell_size(len)?;
        let old = self.size(cell)?;
        if size == old {
            return Ok(true);
        }
        let at = cell.get();
        let (bins, free) = self.free_map(at)?;
        // Refuses an offset at which no cell starts.
        free.free_before(bins, at)?;
        let after = free.free_at(bins, at + old);
        if size > old {
            let Some(after) = after.filter(|&after| after >= size - old) else {
                return Ok(false);
            };
            self.split(at, old + after, size, Some(at + old))?;
            return Ok(true);
        }
        let end = at + old + after.unwrap_or(NO_NEIGHBOUR);
        self.write_size(at + size, i64::from(end - at - size))?;
        self.write_size(at, -i64::from(size))?;
        self.changed(&Change {
            start: at,
            end,
            gone: [after.map(|_| at + old), None],
            made: Some(at + size),
        });
        Ok(true)
    }

    /// Size of an allocated cell in bytes, its size field included.
    fn size(&self, cell: CellOffset) -> Result<u32, EditError> {
        let payload = self.bins().cell(cell)?;
        u32::try_from(payload.len() + CellHeader::LEN).map_err(|_| EditError::Full)
    }

    /// Bytes that the cell can hold.
    pub(super) fn capacity(&self, cell: CellOffset) -> Result<usize, EditError> {
        Ok(self.bins().cell(cell)?.len())
    }

    /// Overwrites bytes of a cell's payload from `at` on.
    pub(super) fn write(
        &mut self,
        cell: CellOffset,
        at: usize,
        data: &[u8],
    ) -> Result<(), EditError> {
        let capacity = self.capacity(cell)?;
        let place = cell.index() + CellHeader::LEN + at;
        if at.checked_add(data.len()).is_none_or(|end| end > capacity) {
            return Err(Corruption::new(
                "cell size",
                cell,
                format!("room for {} bytes at {at}", data.len()),
                capacity.to_string(),
            )
            .into());
        }
        self.image.write(place, data).ok_or(EditError::Full)
    }

    /// Changes the structure at the start of a cell's payload.
    pub(super) fn update<T>(
        &mut self,
        cell: CellOffset,
        what: &'static str,
        change: impl FnOnce(&mut T),
    ) -> Result<(), EditError>
    where
        T: zerocopy::FromBytes
            + zerocopy::IntoBytes
            + zerocopy::KnownLayout
            + zerocopy::Immutable
            + zerocopy::Unaligned,
    {
        self.bins().structure::<T>(cell, what)?;
        let structure = self.image.payload_mut::<T>(cell).ok_or(EditError::Full)?;
        change(structure);
        Ok(())
    }

    fn write_size(&mut self, at: u32, size: i64) -> Result<(), EditError> {
        let size = i32::try_from(size).map_err(|_| EditError::Full)?;
        self.image
            .write(at as usize, &size.to_le_bytes())
            .ok_or(EditError::Full)
    }

    /// Appends a bin that holds a cell of at least `size` bytes.
    fn add_bin(&mut self, size: u32) -> Result<(), EditError> {
        let start = self.image.bins_len();
        let len = (size as usize + HiveBin::LEN).next_multiple_of(PAGE_LEN);
        let end = start + len;
        if end > MAX_BINS_LEN {
            return Err(EditError::Full);
        }
        self.image
            .set_bins_len(end)
            .map_err(|_| EditError::OutOfMemory { len: end })?;
        self.image.zero(start, len).ok_or(EditError::Full)?;
        let (start, len) = (start as u32, len as u32);
        let header = HiveBin {
            signature: HiveBin::SIGNATURE,
            offset: start.into(),
            size: len.into(),
            reserved: [0; 8],
            timestamp: 0.into(),
            spare: 0.into(),
        };
        self.image
            .write(start as usize, zerocopy::IntoBytes::as_bytes(&header))
            .ok_or(EditError::Full)?;
        let first = start + HiveBin::LEN as u32;
        self.write_size(first, i64::from(len - HiveBin::LEN as u32))?;
        self.image.base_block_mut().bins_len = (end as u32).into();
        if let Some(free) = &mut self.free {
            free.add_bin(start, len);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn assert_map_is_right(&self) {
        let free = self.free.as_ref().expect("in use");
        free.assert_is_right(self.image.bins());
    }

    /// The number of key nodes that refer to each of some security cells, which are in ascending
    /// order, found by reading every cell. It may count data that look like a key node, but never
    /// misses a key node.
    pub(super) fn count_security_users(&self, security: &[CellOffset]) -> Vec<u32> {
        use crate::format::KeyNode;
        let bins = self.image.bins();
        let mut users = vec![0_u32; security.len()];
        let mut at = 0;
        while at < bins.len() {
            if at.is_multiple_of(PAGE_LEN)
                && bytes::slice(bins, at, 4) == Some(HiveBin::SIGNATURE.as_slice())
            {
                at += HiveBin::LEN;
                continue;
            }
            let Some(cell) = bytes::view::<CellHeader>(bins, at) else {
                break;
            };
            let size = cell.size.get();
            #[cfg(test)]
            work::count();
            if size < 0
                && let Some(node) = bytes::view::<KeyNode>(bins, at + CellHeader::LEN)
                && node.signature == KeyNode::SIGNATURE
                && let Ok(index) = security.binary_search(&CellOffset::new(node.security.get()))
                && let Some(users) = users.get_mut(index)
            {
                *users += 1;
            }
            at += (size.unsigned_abs() as usize).max(CellHeader::ALIGN);
        }
        users
    }
}

/// The size of a cell for `len` bytes of payload: with its size field, a multiple of 8. Windows
/// loads no hive in which something refers to a larger cell than this allows.
pub(super) fn cell_size(len: usize) -> Result<u32, EditError> {
    len.checked_add(CellHeader::LEN)
        .and_then(|size| size.checked_next_multiple_of(CellHeader::ALIGN))
        .filter(|&size| size <= CellHeader::MAX_SIZE)
        .and_then(|size| u32::try_from(size).ok())
        .ok_or(EditError::CellTooLong { len })
}
