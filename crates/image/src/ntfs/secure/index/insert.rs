//! Adds to an index, in memory (Linux-NTFS, B*Trees).
//!
//! A full node is replaced by two new ones, and the parent then refers to these. If the parent is
//! full, it is replaced in the same way, up to the root. If the root has too many entries, they
//! move to a new block. No block in use is split in place, so the old tree stays whole until the
//! one block is written that refers to the new ones.

use diskmend_base::count::to_usize;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::super::error::SecurityError;
use super::super::format::SdsHeader;
use super::super::key::Key;
use super::super::node::{Entry, Node};
use super::{Blocks, Index, MAX_BLOCKS, MAX_DEPTH};

/// The number of bytes by which a root stays shorter than a block, for the block's header, its
/// update sequence numbers and one more entry: the entries must fit into a block if the root
/// becomes too long.
const BESIDE_ENTRIES: usize = 128;

/// A node on the path to a leaf.
struct Step<K> {
    /// Its position; `None` for the root.
    at: Option<u64>,
    node: Node,
    entries: Vec<Entry<K>>,
    /// The entry before which the key belongs; its child is the next step.
    position: usize,
}

/// The two parts of a full node.
struct Halves<K> {
    left: Vec<Entry<K>>,
    /// The item between them, which moves to the parent.
    median: Option<(K, SdsHeader)>,
    right: Vec<Entry<K>>,
}

impl<K: Key, B: Blocks> Index<K, B> {
    /// Sets the maximum length of the root for adding entries.
    pub(in super::super) fn set_root_room(&mut self, len: usize) {
        self.root_room = len.min(self.block_len().saturating_sub(BESIDE_ENTRIES));
    }

    /// Adds an entry to the leaf in which it belongs, in memory only.
    pub(in super::super) fn insert(&mut self, data: &SdsHeader) -> Result<(), SecurityError> {
        let key = K::of(data);
        let mut path = self.path(key)?;
        let mut new = Entry {
            child: None,
            item: Some((key, *data)),
        };
        while let Some(mut step) = path.pop() {
            step.entries.insert(step.position, new);
            let Some(at) = step.at else {
                return self.set_root(&step.entries);
            };
            if let Some(node) = step.node.with(&step.entries)? {
                let blocks = if self.new.contains_key(&at) {
                    &mut self.new
                } else {
                    &mut self.changed
                };
                blocks.insert(at, node);
                return Ok(());
            }
            let halves = split(step.entries, step.position).ok_or(no_room::<K>())?;
            // A block that is not on the disk yet may keep its position.
            let left_at = if self.new.contains_key(&at) {
                at
            } else {
                let left_at = self.allocate()?;
                self.changed.remove(&at);
                self.replaced.insert(self.ordinal(at));
                left_at
            };
            let left = self.put_new(left_at, &halves.left)?;
            let right_at = self.allocate()?;
            let right = self.put_new(right_at, &halves.right)?;
            if let Some(parent) = path.last_mut()
                && let Some(entry) = parent.entries.get_mut(parent.position)
            {
                entry.child = Some(right);
            }
            new = Entry {
                child: Some(left),
                item: halves.median,
            };
        }
        Err(self.too_deep())
    }

    /// Moves the entries of the root to a new block, which becomes its only child. `false` if it
    /// has none, or more than fit into a block.
    pub(in super::super) fn push_down(&mut self) -> Result<bool, SecurityError> {
        let entries = self.root.entries::<K>()?;
        let trial = Node::new_block(self.block_len(), 0, 0).with(&entries)?;
        if entries.len() < 2 || trial.is_none() {
            return Ok(false);
        }
        let at = self.allocate()?;
        let only = Entry::<K> {
            child: Some(self.put_new(at, &entries)?),
            item: None,
        };
        self.root = self.root.with(&[only])?.ok_or(no_room::<K>())?;
        self.root_changed = true;
        Ok(true)
    }

    /// Walks the whole index, if it has new blocks, to verify it.
    pub(in super::super) fn check(&self) -> Result<(), SecurityError> {
        if self.new.is_empty() {
            return Ok(());
        }
        self.walk(None, &mut |_| ControlFlow::Continue(()))
    }

    /// The value of `$INDEX_ROOT`.
    pub(in super::super) fn root(&self) -> &[u8] {
        self.root.bytes()
    }

    /// True if the root has changed.
    pub(in super::super) fn root_changed(&self) -> bool {
        self.root_changed
    }

    /// The blocks that were changed in place, without update sequence numbers, and their positions.
    pub(in super::super) fn changed_blocks(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.changed.iter().map(|(at, node)| (*at, node.bytes()))
    }

    /// The new blocks, without update sequence numbers, and their positions.
    pub(in super::super) fn new_blocks(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.new.iter().map(|(at, node)| (*at, node.bytes()))
    }

    /// Ordinal numbers of the new blocks.
    pub(in super::super) fn new_numbers(&self) -> impl Iterator<Item = u64> {
        self.new.keys().map(|at| self.ordinal(*at))
    }

    /// Ordinal numbers of the blocks that are no longer used.
    pub(in super::super) fn replaced(&self) -> &BTreeSet<u64> {
        &self.replaced
    }

    /// The length that `$INDEX_ALLOCATION` must have for the new blocks; 0 if there are none.
    pub(in super::super) fn end(&self) -> u64 {
        let last = self.new.keys().next_back();
        last.map_or(0, |at| at.saturating_add(self.shape.block_len.into()))
    }

    /// The path from the root to the leaf to which a missing key belongs.
    fn path(&self, key: K) -> Result<Vec<Step<K>>, SecurityError> {
        let mut path = Vec::new();
        let mut bounds = (None, None);
        let mut next = Some((None, self.root.clone()));
        while let Some((at, node)) = next {
            if path.len() > MAX_DEPTH {
                return Err(self.too_deep());
            }
            let entries = node.entries::<K>()?;
            self.check_bounds(&node, &entries, bounds)?;
            let is_behind = |entry: &Entry<K>| entry.item.is_some_and(|(other, _)| other < key);
            let position = entries.partition_point(is_behind);
            let place = entries.get(position);
            if place.and_then(|entry| entry.item).map(|(other, _)| other) == Some(key) {
                return Err(node.fault::<K>(0, "a key that is new", "the same key"));
            }
            let key_of = |entry: &Entry<K>| entry.item.map(|(other, _)| other);
            let before = position.checked_sub(1).and_then(|at| entries.get(at));
            bounds = (
                before.and_then(key_of).or(bounds.0),
                place.and_then(key_of).or(bounds.1),
            );
            next = match place.and_then(|entry| entry.child) {
                None => None,
                Some(number) => {
                    let (at, child) = self.child(number, &node)?;
                    Some((Some(at), child))
                }
            };
            path.push(Step {
                at,
                node,
                entries,
                position,
            });
        }
        Ok(path)
    }

    fn set_root(&mut self, entries: &[Entry<K>]) -> Result<(), SecurityError> {
        self.root = self.root.with(entries)?.ok_or(no_room::<K>())?;
        self.root_changed = true;
        if self.root.bytes().len() <= self.root_room || self.push_down()? {
            Ok(())
        } else {
            Err(no_room::<K>())
        }
    }

    /// Creates a new block, and returns its number.
    fn put_new(&mut self, at: u64, entries: &[Entry<K>]) -> Result<u64, SecurityError> {
        let number = self.shape.number(at);
        let block = Node::new_block(self.block_len(), at, number);
        let block = block.with(entries)?.ok_or(no_room::<K>())?;
        self.new.insert(at, block);
        Ok(number)
    }

    /// A position for a new block.
    fn allocate(&mut self) -> Result<u64, SecurityError> {
        let mut number = match self.next_new {
            Some(next) => next,
            None => {
                // Blocks that the bitmap marks as free must not be part of the tree.
                self.walk(None, &mut |_| ControlFlow::Continue(()))?;
                0
            }
        };
        while self.blocks.in_use(number)? {
            number = number.saturating_add(1);
        }
        if to_usize(number) >= MAX_BLOCKS {
            return Err(no_room::<K>());
        }
        self.next_new = Some(number.saturating_add(1));
        Ok(number.saturating_mul(self.shape.block_len.into()))
    }

    fn block_len(&self) -> usize {
        to_usize(self.shape.block_len)
    }
}

/// Splits the entries of a full node; the entry at `new` is new. If it comes after all others, as
/// usual, the first half stays full. `None` if there are too few.
fn split<K: Key>(mut entries: Vec<Entry<K>>, new: usize) -> Option<Halves<K>> {
    let items = entries.len().checked_sub(1).filter(|items| *items >= 3)?;
    let is_last = new.checked_add(1) == Some(items);
    let middle = if K::ASCENDS && is_last {
        new.checked_sub(1)?
    } else {
        items / 2
    };
    let right = entries.split_off(middle.checked_add(1)?);
    let median = entries.pop()?;
    entries.push(Entry {
        child: median.child,
        item: None,
    });
    Some(Halves {
        left: entries,
        median: median.item,
        right,
    })
}

fn no_room<K: Key>() -> SecurityError {
    SecurityError::NoRoom { index: K::NAME }
}
