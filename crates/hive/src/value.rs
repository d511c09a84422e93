//! Values and their data: inline, in one cell, or as big data (regf spec, Key value, Big data).

use std::borrow::Cow;

use diskmend_base::bytes;

use crate::bins::{Bins, expect_signature};
use crate::error::Corruption;
use crate::format::{BigData, IndexElement, KeyValue};
use crate::name::Name;
use crate::offset::CellOffset;
use crate::value_type::ValueType;

/// A value of a key.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    bins: Bins<'a>,
    cell: CellOffset,
    raw: &'a KeyValue,
    name: Name<'a>,
}

/// The place of a value's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataPlace<'a> {
    /// In the value itself, up to four bytes.
    Inline(&'a [u8]),
    /// In one cell.
    Cell(CellOffset, &'a [u8]),
    /// In the segments that a big data record lists; `len` bytes in all.
    BigData {
        /// The cell of the big data record.
        record: CellOffset,
        /// The cell of the list of segments.
        list: CellOffset,
        /// The segments' cells.
        segments: BigSegments<'a>,
        /// The length of the data in bytes.
        len: usize,
    },
}

/// The segments of a big data record.
#[derive(Clone, Copy)]
pub struct BigSegments<'a>(&'a [IndexElement]);

impl BigSegments<'_> {
    /// The segments' cells, in the order of the data.
    pub(crate) fn cells(&self) -> impl Iterator<Item = CellOffset> + '_ {
        self.0.iter().map(|e| CellOffset::new(e.cell.get()))
    }
}

impl std::fmt::Debug for BigSegments<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.cells()).finish()
    }
}

impl PartialEq for BigSegments<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cells().eq(other.cells())
    }
}

impl Eq for BigSegments<'_> {}

impl<'a> Value<'a> {
    /// Reads the value in the cell at `cell`.
    ///
    /// # Errors
    /// If the cell, its signature or its name is wrong.
    pub(crate) fn at(bins: Bins<'a>, cell: CellOffset) -> Result<Self, Corruption> {
        let (raw, payload) = bins.structure::<KeyValue>(cell, "key value")?;
        expect_signature(
            "key value signature",
            cell,
            KeyValue::SIGNATURE,
            raw.signature,
        )?;
        let len = usize::from(raw.name_len.get());
        let stored = bytes::slice(payload, KeyValue::LEN, len).ok_or_else(|| {
            Corruption::new(
                "value name length",
                cell,
                format!("at most {}", payload.len() - KeyValue::LEN),
                len.to_string(),
            )
        })?;
        let compressed = raw.flags.get() & KeyValue::FLAG_COMPRESSED_NAME != 0;
        let name = Name::stored(stored, compressed).map_err(|error| {
            Corruption::new("value name", cell, "whole UTF-16 units", error.to_string())
        })?;
        Ok(Self {
            bins,
            cell,
            raw,
            name,
        })
    }

    /// The offset of its cell.
    #[must_use]
    pub fn cell(&self) -> CellOffset {
        self.cell
    }

    /// The structure as stored.
    #[cfg(test)]
    pub(crate) fn raw(&self) -> &'a KeyValue {
        self.raw
    }

    /// Its name; empty for the default value.
    #[must_use]
    pub fn name(&self) -> Name<'a> {
        self.name
    }

    /// The type of its data.
    #[must_use]
    pub fn data_type(&self) -> ValueType {
        ValueType(self.raw.data_type.get())
    }

    /// The length of its data in bytes.
    #[must_use]
    pub fn data_len(&self) -> usize {
        (self.raw.data_size.get() & !KeyValue::INLINE) as usize
    }

    /// The place of its data.
    ///
    /// # Errors
    /// If the data's cells contain fewer bytes than the value says.
    pub fn place(&self) -> Result<DataPlace<'a>, Corruption> {
        let len = self.data_len();
        if self.raw.data_size.get() & KeyValue::INLINE != 0 {
            let field = zerocopy::IntoBytes::as_bytes(&self.raw.data);
            return field.get(..len).map(DataPlace::Inline).ok_or_else(|| {
                Corruption::new(
                    "inline data length",
                    self.cell,
                    "at most 4",
                    len.to_string(),
                )
            });
        }
        if len == 0 {
            return Ok(DataPlace::Inline(&[]));
        }
        let at = CellOffset::new(self.raw.data.get());
        if len > BigData::SEGMENT_LEN && self.bins.minor() >= BigData::MIN_MINOR {
            return self.big_data(at, len);
        }
        let payload = self.bins.cell(at)?;
        let data = payload.get(..len).ok_or_else(|| {
            Corruption::new(
                "value data",
                at,
                format!("a cell of at least {len} bytes"),
                payload.len().to_string(),
            )
        })?;
        Ok(DataPlace::Cell(at, data))
    }

    fn big_data(&self, at: CellOffset, len: usize) -> Result<DataPlace<'a>, Corruption> {
        let (record, _) = self.bins.structure::<BigData>(at, "big data record")?;
        expect_signature(
            "big data signature",
            at,
            BigData::SIGNATURE,
            record.signature,
        )?;
        let count = usize::from(record.segment_count.get());
        let needed = len.div_ceil(BigData::SEGMENT_LEN);
        if count != needed {
            return Err(Corruption::new(
                "big data segment count",
                at,
                format!("{needed} for {len} bytes"),
                count.to_string(),
            ));
        }
        let list = CellOffset::new(record.segment_list.get());
        let payload = self.bins.cell(list)?;
        let segments = bytes::view_many::<IndexElement>(payload, 0, count).ok_or_else(|| {
            Corruption::new(
                "big data segment list",
                list,
                format!("a cell of at least {} bytes", count * 4),
                payload.len().to_string(),
            )
        })?;
        Ok(DataPlace::BigData {
            record: at,
            list,
            segments: BigSegments(segments),
            len,
        })
    }

    /// Its data.
    ///
    /// # Errors
    /// If the data's cells contain fewer bytes than the value says.
    pub fn data(&self) -> Result<Cow<'a, [u8]>, Corruption> {
        match self.place()? {
            DataPlace::Inline(data) | DataPlace::Cell(_, data) => Ok(Cow::Borrowed(data)),
            DataPlace::BigData { segments, len, .. } => {
                let mut data = Vec::new();
                for cell in segments.cells() {
                    data.extend_from_slice(self.segment(cell, len - data.len())?);
                }
                Ok(Cow::Owned(data))
            }
        }
    }

    /// The bytes of the next segment of big data; `left` bytes of the data are not read yet.
    pub(crate) fn segment(&self, cell: CellOffset, left: usize) -> Result<&'a [u8], Corruption> {
        let payload = self.bins.cell(cell)?;
        let len = left.min(BigData::SEGMENT_LEN);
        payload.get(..len).ok_or_else(|| {
            Corruption::new(
                "big data segment",
                cell,
                format!("a cell of at least {len} bytes"),
                payload.len().to_string(),
            )
        })
    }
}
