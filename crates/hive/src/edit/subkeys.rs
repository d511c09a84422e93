//! Inserts into and removes from subkey lists (regf spec, Subkeys list).

use diskmend_base::bytes;
use diskmend_base::upcase::CaseTable;

use crate::error::Corruption;
use crate::format::{IndexElement, KeyNode, ListHeader};
use crate::key::{Key, Position};
use crate::list::{Leaf, LeafKind, SubkeyList};
use crate::name::Name;
use crate::offset::CellOffset;

use super::EditError;
use super::heap::Heap;

/// Leaves of an index root that together contain no more elements than this are merged.
const MERGE_LEN: usize = 253;

/// An element of a leaf: the key node, and the hint or hash of its name.
type Element = (CellOffset, u32);

/// Inserts a key node into its parent's list and increments the count.
pub(super) fn insert(
    heap: &mut Heap,
    parent: CellOffset,
    position: Position,
    child: CellOffset,
    name: Name<'_>,
) -> Result<(), EditError> {
    let key = Key::at(heap.bins(), parent)?;
    let name = Named {
        name,
        table: key.case_table_for(name)?,
    };
    let list = key.subkey_list()?;
    let head = match list {
        None => {
            let kind = new_leaf_kind(heap.minor());
            store_leaf(heap, kind, &[(child, hash_of(kind, name))])?
        }
        Some(SubkeyList::Leaf(leaf)) => {
            let leaves = insert_into_leaf(heap, &leaf_of(leaf), position.index, child, name)?;
            match leaves {
                (first, None) => first,
                (first, Some(second)) => store_root(heap, &[first, second])?,
            }
        }
        Some(SubkeyList::Root { cell, leaves }) => {
            let mut offsets = offsets(leaves);
            let leaf = offsets
                .get(position.leaf)
                .copied()
                .map(|at| read_leaf(heap, at))
                .transpose()?
                .ok_or_else(|| missing_leaf(cell, position.leaf))?;
            let (first, second) = insert_into_leaf(heap, &leaf, position.index, child, name)?;
            let changed = std::iter::once(first).chain(second);
            offsets.splice(position.leaf..=position.leaf, changed);
            rewrite_root(heap, cell, &offsets)?
        }
    };
    heap.update(parent, "key node", |node: &mut KeyNode| {
        node.subkey_list = head.get().into();
        node.subkey_count = node.subkey_count.get().saturating_add(1).into();
    })
}

/// Removes a key node from its parent's list and decrements the count.
pub(super) fn remove(
    heap: &mut Heap,
    parent: CellOffset,
    child: CellOffset,
) -> Result<(), EditError> {
    let key = Key::at(heap.bins(), parent)?;
    let name = Key::at(heap.bins(), child)?.name().to_buf();
    let list = key.subkey_list()?;
    let (leaf_index, index, leaf) = locate(heap, &key, child, name.as_name())?;
    let mut elements = leaf.elements;
    elements.remove(index);
    let head = match list {
        Some(SubkeyList::Root { cell, leaves }) => {
            let mut offsets = offsets(leaves);
            if elements.is_empty() {
                heap.free(leaf.cell)?;
                offsets.remove(leaf_index);
            } else {
                rewrite_tail(heap, leaf.cell, leaf.kind, &elements, index)?;
                if elements.len() < MERGE_LEN {
                    merge_with_next(heap, &mut offsets, leaf_index)?;
                }
            }
            if offsets.is_empty() {
                heap.free(cell)?;
                CellOffset::NIL
            } else {
                rewrite_root(heap, cell, &offsets)?
            }
        }
        _ if elements.is_empty() => {
            heap.free(leaf.cell)?;
            CellOffset::NIL
        }
        _ => {
            rewrite_tail(heap, leaf.cell, leaf.kind, &elements, index)?;
            leaf.cell
        }
    };
    heap.update(parent, "key node", |node: &mut KeyNode| {
        node.subkey_list = head.get().into();
        node.subkey_count = node.subkey_count.get().saturating_sub(1).into();
    })
}

/// Frees the cells of a list, but not the key nodes that it names.
pub(super) fn free_list(heap: &mut Heap, key: CellOffset) -> Result<(), EditError> {
    match Key::at(heap.bins(), key)?.subkey_list()? {
        None => Ok(()),
        Some(SubkeyList::Leaf(leaf)) => {
            let cell = leaf.cell;
            heap.free(cell)
        }
        Some(SubkeyList::Root { cell, leaves }) => {
            for leaf in offsets(leaves) {
                heap.free(leaf)?;
            }
            heap.free(cell)
        }
    }
}

/// A leaf that was copied out of the image, so that the image can change.
struct OwnedLeaf {
    cell: CellOffset,
    kind: LeafKind,
    elements: Vec<Element>,
}

fn leaf_of(leaf: Leaf<'_>) -> OwnedLeaf {
    OwnedLeaf {
        cell: leaf.cell,
        kind: leaf.kind,
        elements: leaf.iter().collect(),
    }
}

fn read_leaf(heap: &Heap, at: CellOffset) -> Result<OwnedLeaf, EditError> {
    match SubkeyList::at(heap.bins(), at)? {
        SubkeyList::Leaf(leaf) => Ok(leaf_of(leaf)),
        SubkeyList::Root { .. } => Err(Corruption::new(
            "subkey list signature",
            at,
            "a leaf below the index root",
            "\"ri\"",
        )
        .into()),
    }
}

fn offsets(leaves: &[IndexElement]) -> Vec<CellOffset> {
    leaves
        .iter()
        .map(|element| CellOffset::new(element.cell.get()))
        .collect()
}

fn missing_leaf(root: CellOffset, index: usize) -> Corruption {
    Corruption::new(
        "index root",
        root,
        format!("a leaf {index}"),
        "fewer leaves",
    )
}

/// The kind of leaf for the format's minor version.
fn new_leaf_kind(minor: u32) -> LeafKind {
    match minor {
        ..3 => LeafKind::Index,
        3..5 => LeafKind::Fast,
        5.. => LeafKind::Hash,
    }
}

/// A new name, and the table with which it is hashed.
#[derive(Clone, Copy)]
struct Named<'n> {
    name: Name<'n>,
    table: CaseTable,
}

fn hash_of(kind: LeafKind, Named { name, table }: Named<'_>) -> u32 {
    match kind {
        LeafKind::Index => 0,
        LeafKind::Fast => u32::from_le_bytes(name.lf_hint()),
        LeafKind::Hash => name.hash_by(table),
    }
}

/// Inserts an element; returns the leaf, and a second one if it had to be split.
fn insert_into_leaf(
    heap: &mut Heap,
    leaf: &OwnedLeaf,
    index: usize,
    child: CellOffset,
    name: Named<'_>,
) -> Result<(CellOffset, Option<CellOffset>), EditError> {
    // A fast leaf that outgrows its limit becomes an index leaf, as on Windows.
    let kind = match leaf.kind {
        LeafKind::Fast if leaf.elements.len() >= ListHeader::MAX_FAST => LeafKind::Index,
        kind => kind,
    };
    let mut elements = leaf.elements.clone();
    let index = index.min(elements.len());
    elements.insert(index, (child, hash_of(kind, name)));
    if elements.len() > ListHeader::MAX_LEAF {
        let upper = elements.split_off(elements.len() / 2);
        let first = rewrite_leaf(heap, leaf.cell, kind, &elements)?;
        let second = store_leaf(heap, kind, &upper)?;
        return Ok((first, Some(second)));
    }
    let fits = heap.capacity(leaf.cell)? >= ListHeader::LEN + elements.len() * kind.element_len();
    if kind == leaf.kind && fits {
        rewrite_tail(heap, leaf.cell, kind, &elements, index)?;
        return Ok((leaf.cell, None));
    }
    Ok((rewrite_leaf(heap, leaf.cell, kind, &elements)?, None))
}

fn encode(kind: LeafKind, elements: &[Element]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(ListHeader::LEN + elements.len() * kind.element_len());
    payload.extend(kind.signature());
    payload.extend((elements.len() as u16).to_le_bytes());
    encode_elements(kind, elements, &mut payload);
    payload
}

fn encode_elements(kind: LeafKind, elements: &[Element], out: &mut Vec<u8>) {
    for (cell, hash) in elements {
        out.extend(cell.get().to_le_bytes());
        if kind != LeafKind::Index {
            out.extend(hash.to_le_bytes());
        }
    }
}

fn store_leaf(
    heap: &mut Heap,
    kind: LeafKind,
    elements: &[Element],
) -> Result<CellOffset, EditError> {
    heap.store(&encode(kind, elements))
}

/// Rewrites a whole leaf, in its cell if it fits, otherwise in a new cell with room to grow.
fn rewrite_leaf(
    heap: &mut Heap,
    cell: CellOffset,
    kind: LeafKind,
    elements: &[Element],
) -> Result<CellOffset, EditError> {
    rewrite_list(heap, cell, &encode(kind, elements), kind.element_len())
}

fn rewrite_list(
    heap: &mut Heap,
    cell: CellOffset,
    payload: &[u8],
    element_len: usize,
) -> Result<CellOffset, EditError> {
    let capacity = heap.capacity(cell)?;
    if payload.len() <= capacity {
        heap.write(cell, 0, payload)?;
        return Ok(cell);
    }
    let roomy = payload.len() + (payload.len() / 4).max(4 * element_len);
    if heap.resize(cell, roomy)? {
        heap.write(cell, 0, payload)?;
        return Ok(cell);
    }
    let moved = heap.allocate(roomy)?;
    heap.write(moved, 0, payload)?;
    heap.free(cell)?;
    Ok(moved)
}

/// Writes a leaf's count and its elements from `from` on; the elements before have not changed.
fn rewrite_tail(
    heap: &mut Heap,
    cell: CellOffset,
    kind: LeafKind,
    elements: &[Element],
    from: usize,
) -> Result<(), EditError> {
    let mut tail = Vec::new();
    let (_, changed) = elements.split_at(from.min(elements.len()));
    encode_elements(kind, changed, &mut tail);
    heap.write(cell, ListHeader::LEN + from * kind.element_len(), &tail)?;
    heap.write(cell, 2, &(elements.len() as u16).to_le_bytes())
}

fn encode_root(leaves: &[CellOffset]) -> Result<Vec<u8>, EditError> {
    let count = u16::try_from(leaves.len()).map_err(|_| EditError::Full)?;
    let mut payload = Vec::with_capacity(ListHeader::LEN + leaves.len() * 4);
    payload.extend(ListHeader::INDEX_ROOT);
    payload.extend(count.to_le_bytes());
    payload.extend(leaves.iter().flat_map(|leaf| leaf.get().to_le_bytes()));
    Ok(payload)
}

fn store_root(heap: &mut Heap, leaves: &[CellOffset]) -> Result<CellOffset, EditError> {
    heap.store(&encode_root(leaves)?)
}

fn rewrite_root(
    heap: &mut Heap,
    cell: CellOffset,
    leaves: &[CellOffset],
) -> Result<CellOffset, EditError> {
    let payload = encode_root(leaves)?;
    let unchanged = bytes::slice(heap.bins().cell(cell)?, 0, payload.len()) == Some(&payload);
    if unchanged {
        return Ok(cell);
    }
    rewrite_list(heap, cell, &payload, size_of::<IndexElement>())
}

/// Merges a leaf of an index root with the next one if both are small.
fn merge_with_next(
    heap: &mut Heap,
    leaves: &mut Vec<CellOffset>,
    index: usize,
) -> Result<(), EditError> {
    let (Some(&left), Some(&right)) = (leaves.get(index), leaves.get(index + 1)) else {
        return Ok(());
    };
    let (left, right) = (read_leaf(heap, left)?, read_leaf(heap, right)?);
    if left.kind != right.kind || left.elements.len() + right.elements.len() > MERGE_LEN {
        return Ok(());
    }
    let mut elements = left.elements;
    elements.extend(right.elements);
    let merged = rewrite_leaf(heap, left.cell, left.kind, &elements)?;
    heap.free(right.cell)?;
    leaves.splice(index..=index + 1, [merged]);
    Ok(())
}

/// Finds the element that names `child`: by its name, or, if the list is out of order or contains
/// the name twice, by searching the whole list.
fn locate(
    heap: &Heap,
    parent: &Key<'_>,
    child: CellOffset,
    name: Name<'_>,
) -> Result<(usize, usize, OwnedLeaf), EditError> {
    let list = parent.subkey_list()?.ok_or_else(|| not_listed(child))?;
    let bins = heap.bins();
    if let Some((cell, position)) = parent.search(name)?
        && cell == child
        && let Some(leaf) = list.leaf(bins, position.leaf)?
    {
        return Ok((position.leaf, position.index, leaf_of(leaf)));
    }
    for index in 0..list.leaf_count() {
        let Some(leaf) = list.leaf(bins, index)? else {
            break;
        };
        let place = (0..leaf.len()).find(|&at| {
            #[cfg(test)]
            crate::work::count();
            leaf.key_node(at) == Some(child)
        });
        if let Some(place) = place {
            return Ok((index, place, leaf_of(leaf)));
        }
    }
    Err(not_listed(child).into())
}

fn not_listed(child: CellOffset) -> Corruption {
    Corruption::new(
        "subkey list",
        child,
        "an element for this key in its parent's list",
        "none",
    )
}
