//! Creates, changes and deletes values of a key.

use crate::format::{CellHeader, IndexElement, KeyNode, KeyValue};
use crate::key::Key;
use crate::name::NameBuf;
use crate::offset::CellOffset;
use crate::value::Value;
use crate::value_type::ValueType;

use super::heap::Heap;
use super::{EditError, Outcome, data};

/// The maximum number of values of a key: their list must fit the largest cell that Windows
/// accepts.
const MAX_VALUES: usize = (CellHeader::MAX_SIZE - CellHeader::LEN) / size_of::<IndexElement>();

/// Sets a value's type and data, creating the value if it is missing.
pub(super) fn set(
    heap: &mut Heap,
    key: CellOffset,
    name: &NameBuf,
    value_type: ValueType,
    bytes: &[u8],
) -> Result<Outcome, EditError> {
    data::check_len(heap, bytes.len())?;
    let found = Key::at(heap.bins(), key)?.find_value(name.as_name())?;
    if let Some((_, value)) = found {
        if value.data_type() == value_type
            && value.data_len() == bytes.len()
            && value.data()? == bytes
        {
            return Ok(Outcome::Unchanged);
        }
        let cell = value.cell();
        let stored = data::replace(heap, cell, bytes)?;
        heap.update(cell, "key value", |raw: &mut KeyValue| {
            raw.data_size = stored.size.into();
            raw.data = stored.field.into();
            raw.data_type = value_type.0.into();
            raw.flags = (raw.flags.get() & !KeyValue::FLAG_TOMBSTONE).into();
        })?;
    } else {
        create(heap, key, name, value_type, bytes)?;
    }
    let len = bytes.len() as u32;
    heap.update(key, "key node", |node: &mut KeyNode| {
        node.max_value_data_len = node.max_value_data_len.get().max(len).into();
    })?;
    Ok(Outcome::Changed)
}

fn create(
    heap: &mut Heap,
    key: CellOffset,
    name: &NameBuf,
    value_type: ValueType,
    bytes: &[u8],
) -> Result<(), EditError> {
    let count = Key::at(heap.bins(), key)?.value_cells()?.len();
    if count >= MAX_VALUES {
        return Err(EditError::TooManyValues { count });
    }
    let name = name.as_name();
    let compressed = name.is_compressed() && !name.is_empty();
    let stored = data::store(heap, bytes)?;
    let raw = KeyValue {
        signature: KeyValue::SIGNATURE,
        name_len: (name.bytes().len() as u16).into(),
        data_size: stored.size.into(),
        data: stored.field.into(),
        data_type: value_type.0.into(),
        flags: u16::from(compressed).into(),
        spare: 0.into(),
    };
    let mut payload = zerocopy::IntoBytes::as_bytes(&raw).to_vec();
    payload.extend_from_slice(name.bytes());
    let value = heap.store(&payload)?;
    append(heap, key, value)?;
    let len = name.utf16_len() as u32;
    heap.update(key, "key node", |node: &mut KeyNode| {
        node.max_value_name_len = node.max_value_name_len.get().max(len).into();
    })
}

/// Appends a value to the key's value list and increments the count.
fn append(heap: &mut Heap, key: CellOffset, value: CellOffset) -> Result<(), EditError> {
    let node = Key::at(heap.bins(), key)?;
    let count = node.value_cells()?.len();
    let old = CellOffset::new(node.node().value_list.get());
    let element = value.get().to_le_bytes();
    let list = if count == 0 {
        heap.store(&element)?
    } else if heap.capacity(old)? >= (count + 1) * 4 || heap.resize(old, (count + 1) * 4)? {
        heap.write(old, count * 4, &element)?;
        old
    } else {
        let mut list = zerocopy::IntoBytes::as_bytes(node_values(heap, key)?).to_vec();
        list.extend(element);
        let room = (list.len() + count.min(64) * 2).min(MAX_VALUES * size_of::<IndexElement>());
        let list_cell = heap.allocate(room)?;
        heap.write(list_cell, 0, &list)?;
        heap.free(old)?;
        list_cell
    };
    heap.update(key, "key node", |node: &mut KeyNode| {
        node.value_list = list.get().into();
        node.value_count = (count as u32 + 1).into();
    })
}

fn node_values(heap: &Heap, key: CellOffset) -> Result<&[crate::format::IndexElement], EditError> {
    Ok(Key::at(heap.bins(), key)?.value_cells()?)
}

/// Deletes a value and its data.
pub(super) fn delete(
    heap: &mut Heap,
    key: CellOffset,
    name: &NameBuf,
) -> Result<Outcome, EditError> {
    let node = Key::at(heap.bins(), key)?;
    let Some((index, value)) = node.find_value(name.as_name())? else {
        return Ok(Outcome::Unchanged);
    };
    let value = value.cell();
    let list = CellOffset::new(node.node().value_list.get());
    let mut cells: Vec<_> = node.value_cells()?.to_vec();
    cells.remove(index);
    data::free(heap, value)?;
    heap.free(value)?;
    let list = if cells.is_empty() {
        heap.free(list)?;
        CellOffset::NIL
    } else {
        let (_, tail) = cells.split_at(index);
        heap.write(list, index * 4, zerocopy::IntoBytes::as_bytes(tail))?;
        list
    };
    heap.update(key, "key node", |node: &mut KeyNode| {
        node.value_list = list.get().into();
        node.value_count = (cells.len() as u32).into();
    })?;
    Ok(Outcome::Changed)
}

/// Frees all values of a key, their data and the value list; the key node is not changed.
pub(super) fn free_all(heap: &mut Heap, key: CellOffset) -> Result<(), EditError> {
    let values: Vec<_> = node_values(heap, key)?
        .iter()
        .map(|element| CellOffset::new(element.cell.get()))
        .collect();
    if values.is_empty() {
        return Ok(());
    }
    for value in values {
        Value::at(heap.bins(), value)?;
        data::free(heap, value)?;
        heap.free(value)?;
    }
    let list = Key::at(heap.bins(), key)?.node().value_list.get();
    heap.free(CellOffset::new(list))
}
