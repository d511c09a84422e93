//! Checks the subkey list of one key with several threads, leaf by leaf.

use std::sync::Arc;

use diskmend_base::bytes;

use super::leaves::{Leaf, Sum, WideList};
use super::lists::Siblings;
use super::pool::Pool;
use super::walk::Walker;
use crate::format::{IndexElement, KeyNode, ListHeader};
use crate::name::Name;
use crate::offset::CellOffset;

/// A key with fewer subkeys is checked by one thread.
const MIN_SUBKEYS: usize = 4096;
/// The smallest mean number of subkeys in a leaf: what is remembered of each leaf must be small
/// against the leaf.
const MIN_MEAN: usize = 64;
/// The maximum number of subkeys in a leaf: all of them may have to be queued.
const MAX_LEAF: usize = 1 << 14;

impl<'a> Walker<'a> {
    /// Leaves the subkeys of a key, `depth` levels below the root, to all threads, if there are
    /// many; false if this thread has to check them.
    pub(super) fn share_leaves(
        &self,
        pool: &Pool<'a>,
        (key, node): (CellOffset, &'a KeyNode),
        depth: u32,
        (root, leaves): (CellOffset, &'a [IndexElement]),
    ) -> bool {
        let expected = node.subkey_count.get() as usize;
        if !pool.is_shared() || expected < MIN_SUBKEYS || expected / MIN_MEAN < leaves.len() {
            return false;
        }
        let mut count = 0;
        for leaf in leaves {
            let payload = self.payload(CellOffset::new(leaf.cell.get()));
            let header = bytes::view::<ListHeader>(payload, 0);
            match header.map(|header| usize::from(header.count.get())) {
                Some(len) if len <= MAX_LEAF => count += len,
                _ => return false,
            }
        }
        if count != expected {
            return false;
        }
        let list = WideList::new((key, node), depth, root, leaves);
        pool.offer(Arc::new(list));
        true
    }

    /// Checks a leaf, and the order of the leaves if it is the last.
    pub(super) fn shared_leaf(&mut self, leaf: &Leaf<'a>) {
        let list = &leaf.list;
        let Some(cell) = leaf.cell() else {
            return;
        };
        let mut siblings = Siblings::of(list.key, list.depth, self.pending.len());
        self.leaf_of_root(cell, list.root, &mut siblings);
        let part = Sum {
            count: siblings.count,
            max_name: siblings.max_name,
            max_class: siblings.max_class,
            ends: vec![siblings.first.zip(siblings.last.map(|(cell, _)| cell))],
        };
        if let Some(sum) = leaf.finish(&part) {
            self.join_leaves(list, sum);
        }
    }

    fn join_leaves(&mut self, list: &WideList<'a>, sum: Sum) {
        let mut siblings = Siblings::of(list.key, list.depth, self.pending.len());
        siblings.count = sum.count;
        siblings.max_name = sum.max_name;
        siblings.max_class = sum.max_class;
        for (first, last) in sum.ends.into_iter().flatten() {
            if let Some(name) = self.checked_name(first) {
                self.order(first, name, &siblings);
            }
            siblings.last = self.checked_name(last).map(|name| (last, name));
        }
        self.compare_with_lists(list.key, list.node, &siblings);
    }

    /// The name of a key whose node was found to be valid.
    fn checked_name(&self, cell: CellOffset) -> Option<Name<'a>> {
        let (node, rest) = self.payload(cell).split_at_checked(KeyNode::LEN)?;
        let node = bytes::view::<KeyNode>(node, 0)?;
        let stored = rest.get(..usize::from(node.name_len.get()))?;
        let compressed = node.flags.get() & KeyNode::FLAG_COMPRESSED_NAME != 0;
        Name::stored(stored, compressed).ok()
    }
}
