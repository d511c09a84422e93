//! A hive in memory, with a record of the pages that differ from the file.

use diskmend_base::bytes;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::commit::OnDisk;
use crate::format::BaseBlock;
use crate::offset::{BASE_BLOCK_LEN, CellOffset, PAGE_LEN};
use diskmend_base::Buffer;

/// The primary file's bytes: base block, hive bins and whatever follows them.
///
/// The constructor guarantees that the base block and `bins_len` bytes of bins exist.
pub struct Image {
    buffer: Box<dyn Buffer>,
    bins_len: usize,
    dirty: PageSet,
    disk: OnDisk,
}

impl Image {
    /// Takes a file's bytes. At least the first `4096 + bins_len` must exist.
    ///
    /// # Errors
    /// The buffer, if it is too short.
    pub(crate) fn new(buffer: Box<dyn Buffer>, bins_len: usize) -> Result<Self, Box<dyn Buffer>> {
        let file = buffer.bytes();
        let fits = bins_len
            .checked_add(BASE_BLOCK_LEN)
            .is_some_and(|end| end <= file.len());
        let Some(base) = bytes::view::<BaseBlock>(file, 0).filter(|_| fits) else {
            return Err(buffer);
        };
        let disk = OnDisk::settled(base, file.len());
        Ok(Self {
            buffer,
            bins_len,
            dirty: PageSet::default(),
            disk,
        })
    }

    /// The whole file: base block, bins, slack.
    #[must_use]
    pub fn file(&self) -> &[u8] {
        self.buffer.bytes()
    }

    /// The hive bins, `bins_len` bytes from file offset 4096 on.
    #[must_use]
    pub fn bins(&self) -> &[u8] {
        #[expect(
            clippy::expect_used,
            reason = "the constructor and `set_bins_len` have made sure of the bytes, and a buffer \
                      never gets shorter"
        )]
        bytes::slice(self.buffer.bytes(), BASE_BLOCK_LEN, self.bins_len).expect("all bins")
    }

    /// The bytes from `offset`, which is in the base block, to the end of the bins.
    #[expect(
        clippy::expect_used,
        reason = "the constructor and `set_bins_len` have made sure of the bytes, and a buffer \
                  never gets shorter"
    )]
    pub(crate) fn bytes_from(&self, offset: usize) -> &[u8] {
        let bytes = self.buffer.bytes().get(..BASE_BLOCK_LEN + self.bins_len);
        bytes
            .and_then(|bytes| bytes.get(offset..))
            .expect("all bins")
    }

    /// The length of the hive bins in bytes.
    #[must_use]
    pub fn bins_len(&self) -> usize {
        self.bins_len
    }

    /// The base block.
    #[expect(
        clippy::expect_used,
        reason = "the constructor has made sure of the bytes, and a buffer never gets shorter"
    )]
    #[must_use]
    pub(crate) fn base_block(&self) -> &BaseBlock {
        bytes::view(self.buffer.bytes(), 0).expect("a base block")
    }

    /// The base block, for writing. It is not a page of the bins: a commit always writes it.
    #[expect(
        clippy::expect_used,
        reason = "the constructor has made sure of the bytes, and a buffer never gets shorter"
    )]
    pub(crate) fn base_block_mut(&mut self) -> &mut BaseBlock {
        bytes::view_mut(self.buffer.bytes_mut(), 0).expect("a base block")
    }

    /// Replaces the part of the base block that a commit writes.
    pub(crate) fn set_header(&mut self, base: &BaseBlock) {
        let header = base.header();
        let (place, _) = self
            .base_block_mut()
            .as_mut_bytes()
            .split_at_mut(header.len());
        place.copy_from_slice(header);
    }

    /// The pages of the bins that were edited, without those that a recovery replayed.
    #[must_use]
    pub(crate) fn dirty(&self) -> &PageSet {
        &self.dirty
    }

    /// The state on disk, and what a commit must write before the edit.
    pub(crate) fn disk(&self) -> &OnDisk {
        &self.disk
    }

    /// Declares that edits start from the present state, which is described by `disk`.
    pub(crate) fn settle(&mut self, disk: OnDisk) {
        self.disk = disk;
        self.dirty.clear();
    }

    /// Overwrites bytes of the bins and marks their pages; `None` outside the bins.
    #[must_use]
    pub(crate) fn write(&mut self, at: usize, data: &[u8]) -> Option<()> {
        let end = at.checked_add(data.len())?;
        if end > self.bins_len {
            return None;
        }
        bytes::slice_mut(
            self.buffer.bytes_mut(),
            at.checked_add(BASE_BLOCK_LEN)?,
            data.len(),
        )?
        .copy_from_slice(data);
        self.dirty.mark(at, data.len());
        Some(())
    }

    /// Fills `len` bytes of the bins with zeros and marks their pages.
    #[must_use]
    pub(crate) fn zero(&mut self, at: usize, len: usize) -> Option<()> {
        if at.checked_add(len)? > self.bins_len {
            return None;
        }
        bytes::slice_mut(
            self.buffer.bytes_mut(),
            at.checked_add(BASE_BLOCK_LEN)?,
            len,
        )?
        .fill(0);
        self.dirty.mark(at, len);
        Some(())
    }

    /// The structure in the payload of the cell at `cell`, marked as changed.
    #[must_use]
    pub(crate) fn payload_mut<T>(&mut self, cell: CellOffset) -> Option<&mut T>
    where
        T: FromBytes + IntoBytes + KnownLayout + Immutable + Unaligned,
    {
        let at = cell.index().checked_add(4)?;
        if at.checked_add(size_of::<T>())? > self.bins_len {
            return None;
        }
        self.dirty.mark(at, size_of::<T>());
        bytes::view_mut(self.buffer.bytes_mut(), at.checked_add(BASE_BLOCK_LEN)?)
    }

    /// Makes the hive bins longer, or shorter if a log entry says so: `len` bytes.
    ///
    /// # Errors
    /// If memory is short.
    pub(crate) fn set_bins_len(&mut self, len: usize) -> std::io::Result<()> {
        let end = len
            .checked_add(BASE_BLOCK_LEN)
            .ok_or(std::io::ErrorKind::OutOfMemory)?;
        if end > self.buffer.bytes().len() {
            self.buffer.grow(end)?;
        }
        self.bins_len = len;
        Ok(())
    }
}

/// A set of pages, by their index from the start of the hive bins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageSet {
    words: Vec<u64>,
}

impl PageSet {
    /// Adds the pages that contain `len` bytes at `at`.
    pub(crate) fn mark(&mut self, at: usize, len: usize) {
        if len == 0 {
            return;
        }
        for page in at / PAGE_LEN..=(at + (len - 1)) / PAGE_LEN {
            let word = page / 64;
            if word >= self.words.len() {
                self.words.resize(word + 1, 0);
            }
            if let Some(bits) = self.words.get_mut(word) {
                *bits |= 1 << (page % 64);
            }
        }
    }

    /// True if the page is in the set.
    #[must_use]
    pub(crate) fn contains(&self, page: usize) -> bool {
        self.words
            .get(page / 64)
            .is_some_and(|bits| bits & (1 << (page % 64)) != 0)
    }

    /// The pages in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(word, &bits)| {
            let mut rest = bits;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(word * 64 + bit)
            })
        })
    }

    /// True if the set is empty.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|&w| w == 0)
    }

    /// Removes all pages.
    pub(crate) fn clear(&mut self) {
        self.words.clear();
    }

    /// Runs of adjacent pages, as the first page and the count.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let mut pages = self.iter().peekable();
        std::iter::from_fn(move || {
            let first = pages.next()?;
            let mut count = 1;
            while pages.next_if_eq(&(first + count)).is_some() {
                count += 1;
            }
            Some((first, count))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_listed_once_in_order_and_in_runs() {
        let mut set = PageSet::default();
        set.mark(4096 * 70, 1);
        set.mark(4095, 2);
        set.mark(4096 * 2, 4096);
        set.mark(10, 0);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 1, 2, 70]);
        assert_eq!(set.runs().collect::<Vec<_>>(), [(0, 3), (70, 1)]);
        assert_eq!(set.iter().count(), 4);
    }

    #[test]
    fn a_write_outside_of_the_bins_is_refused_and_marks_nothing() {
        let mut image = Image::new(Box::new(vec![0u8; 3 * 4096]), 4096)
            .ok()
            .expect("long enough");
        assert!(image.write(4090, &[1; 7]).is_none());
        assert!(image.dirty().is_empty());
        assert!(image.write(4090, &[1; 6]).is_some());
        assert_eq!(image.dirty().iter().count(), 1);
    }
}
