//! Types for the positions inside a hive file, so that no function takes a plain number.

use std::fmt;

/// The length of the base block: the hive bins start at this file offset (regf spec, Base block).
pub const BASE_BLOCK_LEN: usize = 4096;

/// The length of a page: the unit of bins, of dirty tracking and of log entries.
pub const PAGE_LEN: usize = 4096;

/// The offset of a cell, in bytes relative to the start of the hive bins (file offset 4096).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellOffset(u32);

impl CellOffset {
    /// The value that means "no cell".
    pub(crate) const NIL: Self = Self(u32::MAX);

    /// Wraps an offset as stored on disk.
    #[must_use]
    pub const fn new(raw: u32) -> Self {
        Self(raw)
    }

    /// The offset as stored on disk.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// True if this is the value that means "no cell".
    #[must_use]
    pub(crate) const fn is_nil(self) -> bool {
        self.0 == u32::MAX
    }

    /// Position of the cell's size field in the bytes of the hive bins.
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    /// Position in the hive file.
    #[must_use]
    pub const fn in_file(self) -> FileOffset {
        FileOffset(self.0 as u64 + BASE_BLOCK_LEN as u64)
    }
}

impl fmt::Debug for CellOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for CellOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_nil() {
            f.write_str("none")
        } else {
            write!(f, "{:#x}", self.0)
        }
    }
}

/// A byte offset in a hive or log file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileOffset(pub u64);

impl From<CellOffset> for FileOffset {
    fn from(cell: CellOffset) -> Self {
        cell.in_file()
    }
}

impl FileOffset {
    /// The file offset of a byte of the hive bins, `index` bytes after their start.
    #[must_use]
    pub(crate) const fn of_bins(index: usize) -> Self {
        Self(index as u64 + BASE_BLOCK_LEN as u64)
    }
}

impl fmt::Debug for FileOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for FileOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
