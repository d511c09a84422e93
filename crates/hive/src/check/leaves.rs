//! The leaves of one subkey list, which threads take one by one.

use std::sync::{Arc, Mutex, PoisonError};

use crate::format::{IndexElement, KeyNode};
use crate::offset::CellOffset;

/// The leaves of one index root.
pub(super) struct WideList<'a> {
    pub(super) key: CellOffset,
    pub(super) node: &'a KeyNode,
    /// The depth of the subkeys.
    pub(super) depth: u32,
    pub(super) root: CellOffset,
    leaves: &'a [IndexElement],
    found: Mutex<Found>,
}

/// What is known of the leaves that were checked.
struct Found {
    /// The number of leaves that have yet to be checked.
    left: usize,
    sum: Sum,
}

/// What is known about the subkeys in some leaves.
#[derive(Default)]
pub(super) struct Sum {
    pub(super) count: usize,
    pub(super) max_name: usize,
    pub(super) max_class: u32,
    /// The first and the last subkey with a valid name of each leaf.
    pub(super) ends: Vec<Option<(CellOffset, CellOffset)>>,
}

/// A leaf that a thread has taken.
pub(super) struct Leaf<'a> {
    pub(super) list: Arc<WideList<'a>>,
    number: usize,
}

impl<'a> WideList<'a> {
    /// The leaves of the list at `root`, which belongs to a key; its subkeys are `depth` levels
    /// below the root key.
    pub(super) fn new(
        (key, node): (CellOffset, &'a KeyNode),
        depth: u32,
        root: CellOffset,
        leaves: &'a [IndexElement],
    ) -> Self {
        let sum = Sum {
            ends: vec![None; leaves.len()],
            ..Sum::default()
        };
        Self {
            key,
            node,
            depth,
            root,
            leaves,
            found: Mutex::new(Found {
                left: leaves.len(),
                sum,
            }),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.leaves.len()
    }

    pub(super) fn leaf(list: &Arc<Self>, number: usize) -> Leaf<'a> {
        Leaf {
            list: Arc::clone(list),
            number,
        }
    }
}

impl Leaf<'_> {
    /// The leaf's cell.
    pub(super) fn cell(&self) -> Option<CellOffset> {
        let element = self.list.leaves.get(self.number)?;
        Some(CellOffset::new(element.cell.get()))
    }

    /// Adds what was found in this leaf. After the last leaf, returns what was found in all.
    pub(super) fn finish(&self, part: &Sum) -> Option<Sum> {
        let found = self.list.found.lock();
        let mut found = found.unwrap_or_else(PoisonError::into_inner);
        let sum = &mut found.sum;
        sum.count += part.count;
        sum.max_name = sum.max_name.max(part.max_name);
        sum.max_class = sum.max_class.max(part.max_class);
        if let (Some(ends), Some(part)) = (sum.ends.get_mut(self.number), part.ends.first()) {
            *ends = *part;
        }
        found.left = found.left.saturating_sub(1);
        (found.left == 0).then(|| std::mem::take(&mut found.sum))
    }
}
