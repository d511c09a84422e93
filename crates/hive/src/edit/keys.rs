//! Creates and deletes keys.

use zerocopy::IntoBytes;

use crate::format::KeyNode;
use crate::key::{Key, Position};
use crate::name::NameBuf;
use crate::offset::CellOffset;
use crate::time::Filetime;

use super::heap::Heap;
use super::{EditError, security, subkeys, values};

/// Creates a key below `parent`; it shares the parent's security cell.
pub(super) fn create(
    heap: &mut Heap,
    parent: CellOffset,
    position: Position,
    name: &NameBuf,
    now: Filetime,
) -> Result<CellOffset, EditError> {
    let name = name.as_name();
    let parent_node = Key::at(heap.bins(), parent)?.node().clone();
    let compressed = if name.is_compressed() {
        KeyNode::FLAG_COMPRESSED_NAME
    } else {
        0
    };
    let nil = CellOffset::NIL.get();
    let node = KeyNode {
        signature: KeyNode::SIGNATURE,
        flags: compressed.into(),
        last_written: now.0.into(),
        access_bits: 0,
        layered: 0,
        reserved: [0; 2],
        parent: parent.get().into(),
        subkey_count: 0.into(),
        volatile_subkey_count: 0.into(),
        subkey_list: nil.into(),
        volatile_subkey_list: nil.into(),
        value_count: 0.into(),
        value_list: nil.into(),
        security: parent_node.security,
        class: nil.into(),
        max_subkey_name_len: 0.into(),
        user_flags: 0,
        debug: 0,
        max_class_len: 0.into(),
        max_value_name_len: 0.into(),
        max_value_data_len: 0.into(),
        work_var: 0.into(),
        name_len: (name.bytes().len() as u16).into(),
        class_len: 0.into(),
    };
    let mut payload = node.as_bytes().to_vec();
    payload.extend_from_slice(name.bytes());
    security::share(heap, CellOffset::new(parent_node.security.get()))?;
    let child = heap.store(&payload)?;
    subkeys::insert(heap, parent, position, child, name)?;
    let len = name.utf16_len() as u16;
    heap.update(parent, "key node", |node: &mut KeyNode| {
        node.max_subkey_name_len = node.max_subkey_name_len.get().max(len).into();
    })?;
    touch(heap, parent, now)?;
    Ok(child)
}

/// Sets a key's last-written time.
pub(super) fn touch(heap: &mut Heap, key: CellOffset, now: Filetime) -> Result<(), EditError> {
    heap.update(key, "key node", |node: &mut KeyNode| {
        node.last_written = now.0.into();
    })
}

/// Deletes a key with everything below it.
pub(super) fn delete(
    heap: &mut Heap,
    parent: CellOffset,
    key: CellOffset,
    now: Filetime,
) -> Result<(), EditError> {
    subkeys::remove(heap, parent, key)?;
    let mut pending = vec![key];
    while let Some(key) = pending.pop() {
        // If a cycle reaches a key again, the key has been freed, so that reading it fails.
        for child in Key::at(heap.bins(), key)?.subkeys()? {
            pending.push(child?.cell());
        }
        free_one(heap, key)?;
    }
    touch(heap, parent, now)
}

/// Frees a key's cells, but not its subkeys.
fn free_one(heap: &mut Heap, key: CellOffset) -> Result<(), EditError> {
    values::free_all(heap, key)?;
    subkeys::free_list(heap, key)?;
    let node = Key::at(heap.bins(), key)?.node().clone();
    let class = CellOffset::new(node.class.get());
    if !class.is_nil() && node.class_len.get() > 0 {
        heap.free(class)?;
    }
    heap.free(key)?;
    security::release(heap, CellOffset::new(node.security.get()))
}
