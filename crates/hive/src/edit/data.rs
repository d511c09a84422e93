//! Stores and frees value data: inline, in one cell, or as big data (regf spec, Big data).

use crate::format::{BigData, CellHeader, KeyValue};
use crate::offset::CellOffset;
use crate::value::{DataPlace, Value};

use super::EditError;
use super::heap::Heap;

/// The content of a value's `data_size` and `data` fields.
pub(super) struct StoredData {
    pub(super) size: u32,
    pub(super) field: u32,
}

/// The maximum length of data in a hive of this minor version: without big data, the data must fit
/// one cell.
fn max_len(minor: u32) -> usize {
    if minor >= BigData::MIN_MINOR {
        usize::from(u16::MAX) * BigData::SEGMENT_LEN
    } else {
        CellHeader::MAX_SIZE - CellHeader::LEN
    }
}

/// Refuses data that are longer than the format can hold.
pub(super) fn check_len(heap: &Heap, len: usize) -> Result<(), EditError> {
    let max = max_len(heap.minor());
    if len > max {
        return Err(EditError::DataTooLong { len, max });
    }
    Ok(())
}

/// Stores data of a length that has been checked.
pub(super) fn store(heap: &mut Heap, data: &[u8]) -> Result<StoredData, EditError> {
    let len = data.len();
    let size = len as u32;
    if len <= KeyValue::MAX_INLINE {
        let mut field = [0; 4];
        for (to, from) in field.iter_mut().zip(data) {
            *to = *from;
        }
        return Ok(StoredData {
            size: size | KeyValue::INLINE,
            field: u32::from_le_bytes(field),
        });
    }
    let at = if is_big(heap, len) {
        store_big(heap, data)?
    } else {
        heap.store(data)?
    };
    Ok(StoredData {
        size,
        field: at.get(),
    })
}

fn is_big(heap: &Heap, len: usize) -> bool {
    len > BigData::SEGMENT_LEN && heap.minor() >= BigData::MIN_MINOR
}

fn store_big(heap: &mut Heap, data: &[u8]) -> Result<CellOffset, EditError> {
    let mut list = Vec::new();
    for segment in data.chunks(BigData::SEGMENT_LEN) {
        // As in Windows's own hives, the cell of the last segment is as long as the others: hivex
        // reads a shorter segment without its last four bytes.
        let cell = heap.allocate(BigData::SEGMENT_LEN)?;
        heap.write(cell, 0, segment)?;
        list.extend(cell.get().to_le_bytes());
    }
    let count = (list.len() / 4) as u16;
    let list = heap.store(&list)?;
    let record = BigData {
        signature: BigData::SIGNATURE,
        segment_count: count.into(),
        segment_list: list.get().into(),
    };
    heap.store(zerocopy::IntoBytes::as_bytes(&record))
}

/// Frees the cells that hold a value's data.
pub(super) fn free(heap: &mut Heap, value: CellOffset) -> Result<(), EditError> {
    match Value::at(heap.bins(), value)?.place()? {
        DataPlace::Inline(_) => Ok(()),
        DataPlace::Cell(cell, _) => heap.free(cell),
        DataPlace::BigData {
            record,
            list,
            segments,
            ..
        } => {
            let segments: Vec<_> = segments.cells().collect();
            for segment in segments {
                heap.free(segment)?;
            }
            heap.free(list)?;
            heap.free(record)
        }
    }
}

/// Replaces a value's data. If old and new data fit one cell, and the cell can be resized, the cell
/// is reused.
pub(super) fn replace(
    heap: &mut Heap,
    value: CellOffset,
    data: &[u8],
) -> Result<StoredData, EditError> {
    let place = Value::at(heap.bins(), value)?.place()?;
    if let DataPlace::Cell(cell, _) = place
        && data.len() > KeyValue::MAX_INLINE
        && !is_big(heap, data.len())
        && heap.resize(cell, data.len())?
    {
        heap.write(cell, 0, data)?;
        return Ok(StoredData {
            size: data.len() as u32,
            field: cell.get(),
        });
    }
    free(heap, value)?;
    store(heap, data)
}
