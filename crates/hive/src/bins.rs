//! The hive bins as a space of cells, for reading.

use diskmend_base::bytes;
use diskmend_base::upcase::CaseTable;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::error::Corruption;
use crate::format::CellHeader;
use crate::offset::CellOffset;

/// The hive bins of one hive, and the minor version, which determines how some cells are read.
#[derive(Clone, Copy)]
pub(crate) struct Bins<'a> {
    data: &'a [u8],
    minor: u32,
    table: CaseTable,
}

impl<'a> Bins<'a> {
    pub(crate) const fn new(data: &'a [u8], minor: u32, table: CaseTable) -> Self {
        Self { data, minor, table }
    }

    /// The upper-case table of the Windows that the hive belongs to.
    pub(crate) const fn case_table(self) -> CaseTable {
        self.table
    }

    /// The minor version of the format.
    #[must_use]
    pub(crate) const fn minor(self) -> u32 {
        self.minor
    }

    /// The payload of the allocated cell at `at`: the bytes after its size field.
    ///
    /// # Errors
    /// If there is no allocated cell of a valid size (regf spec, Cell).
    pub(crate) fn cell(self, at: CellOffset) -> Result<&'a [u8], Corruption> {
        #[cfg(test)]
        crate::work::count();
        if !at.get().is_multiple_of(CellHeader::ALIGN as u32) {
            return Err(Corruption::new(
                "cell offset",
                at,
                "a multiple of 8",
                at.to_string(),
            ));
        }
        let Some(header) = bytes::view::<CellHeader>(self.data, at.index()) else {
            return Err(Corruption::new(
                "cell offset",
                at,
                format!("below the bins' end at {:#x}", self.data.len()),
                at.to_string(),
            ));
        };
        let size = header.size.get();
        let len = size.unsigned_abs() as usize;
        if size >= 0 || !len.is_multiple_of(CellHeader::ALIGN) {
            return Err(Corruption::new(
                "cell size",
                at,
                "a negative multiple of 8, an allocated cell",
                size.to_string(),
            ));
        }
        bytes::slice(
            self.data,
            at.index() + CellHeader::LEN,
            len - CellHeader::LEN,
        )
        .ok_or_else(|| {
            Corruption::new(
                "cell size",
                at,
                format!("an end below {:#x}", self.data.len()),
                size.to_string(),
            )
        })
    }

    /// The structure at the start of the cell at `at`, and the whole payload.
    ///
    /// # Errors
    /// If the cell is not allocated or is shorter than the structure.
    pub(crate) fn structure<T: FromBytes + KnownLayout + Immutable + Unaligned>(
        self,
        at: CellOffset,
        what: &'static str,
    ) -> Result<(&'a T, &'a [u8]), Corruption> {
        let payload = self.cell(at)?;
        match bytes::view(payload, 0) {
            Some(structure) => Ok((structure, payload)),
            None => Err(Corruption::new(
                what,
                at,
                format!("a cell of at least {} bytes", size_of::<T>()),
                payload.len().to_string(),
            )),
        }
    }
}

/// Refuses a cell with another signature than the expected one.
pub(crate) fn expect_signature(
    what: &'static str,
    at: CellOffset,
    expected: [u8; 2],
    actual: [u8; 2],
) -> Result<(), Corruption> {
    if actual == expected {
        return Ok(());
    }
    Err(Corruption::new(
        what,
        at,
        format!("\"{}\"", expected.escape_ascii()),
        format!("\"{}\"", actual.escape_ascii()),
    ))
}
