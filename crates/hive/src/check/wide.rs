//! Shares the subkey list of one key among threads, leaf by leaf.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use diskmend_base::bytes;

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

/// The leaves of one index root.
pub(super) struct WideList<'a> {
    key: CellOffset,
    node: &'a KeyNode,
    depth: u32,
    root: CellOffset,
    leaves: &'a [IndexElement],
    /// The number of leaves that have yet to be checked.
    left: AtomicUsize,
    sum: Mutex<Sum>,
}

/// What is known so far about the subkeys in all leaves.
struct Sum {
    count: usize,
    max_name: usize,
    max_class: u32,
    ends: Vec<Ends>,
}

/// The first and the last subkey of a leaf with a valid name.
type Ends = Option<(CellOffset, CellOffset)>;

/// A leaf that a thread has taken over.
pub(super) struct Leaf<'a> {
    list: Arc<WideList<'a>>,
    number: usize,
}

impl<'a> WideList<'a> {
    pub(super) fn len(&self) -> usize {
        self.leaves.len()
    }

    pub(super) fn leaf(list: &Arc<Self>, number: usize) -> Leaf<'a> {
        Leaf {
            list: Arc::clone(list),
            number,
        }
    }
}

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
        pool.offer(Arc::new(WideList {
            key,
            node,
            depth,
            root,
            leaves,
            left: AtomicUsize::new(leaves.len()),
            sum: Mutex::new(Sum {
                count: 0,
                max_name: 0,
                max_class: 0,
                ends: vec![None; leaves.len()],
            }),
        }));
        true
    }

    /// Checks a leaf, and the order of the leaves if it is the last.
    pub(super) fn shared_leaf(&mut self, leaf: &Leaf<'a>) {
        let list = &leaf.list;
        let Some(element) = list.leaves.get(leaf.number) else {
            return;
        };
        let mut siblings = Siblings::of(list.key, list.depth, self.pending.len());
        self.leaf_of_root(
            CellOffset::new(element.cell.get()),
            list.root,
            &mut siblings,
        );
        {
            let mut sum = list.sum.lock().unwrap_or_else(PoisonError::into_inner);
            sum.count += siblings.count;
            sum.max_name = sum.max_name.max(siblings.max_name);
            sum.max_class = sum.max_class.max(siblings.max_class);
            if let Some(ends) = sum.ends.get_mut(leaf.number) {
                *ends = siblings.first.zip(siblings.last.map(|(cell, _)| cell));
            }
        }
        if list.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.join_leaves(list);
        }
    }

    fn join_leaves(&mut self, list: &WideList<'a>) {
        let mut sum = list.sum.lock().unwrap_or_else(PoisonError::into_inner);
        let mut siblings = Siblings::of(list.key, list.depth, self.pending.len());
        siblings.count = sum.count;
        siblings.max_name = sum.max_name;
        siblings.max_class = sum.max_class;
        for (first, last) in std::mem::take(&mut sum.ends).into_iter().flatten() {
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
