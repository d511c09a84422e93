//! The view indexes `$SII` and `$SDH`: searched by descent and walked in order (Linux-NTFS, $Secure
//! and B*Trees).

use diskmend_base::count::to_usize;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::ops::ControlFlow;

use super::error::SecurityError;
use super::format::SdsHeader;
use super::key::Key;
use super::node::{Entry, Node};
use crate::ntfs::index::{self, Shape};

mod insert;

/// The maximum depth of the tree: with the minimum number of keys that a split leaves in a block,
/// fewer levels suffice for all possible ids.
const MAX_DEPTH: usize = 16;
/// The maximum number of blocks that one walk reads; they contain more descriptors than any volume
/// has.
const MAX_BLOCKS: usize = 1 << 16;
/// The longest value of `$INDEX_ROOT`: that of a record.
const MAX_ROOT: usize = 4096;
/// The source of the blocks of `$INDEX_ALLOCATION`.
pub(super) trait Blocks {
    /// The `len` bytes at `at`, with the bytes restored that the update sequence numbers replaced.
    fn block(&self, at: u64, len: usize) -> Result<Vec<u8>, SecurityError>;
    /// True if `$BITMAP` marks the block with this ordinal number as used.
    fn in_use(&self, number: u64) -> Result<bool, SecurityError>;
}

/// A view index, and its changes that are not written yet.
///
/// A block in use is changed in place only by entries for which it has room, and by the number of a
/// child that was replaced; everything else goes to new blocks.
pub(super) struct Index<K, B> {
    blocks: B,
    shape: Shape,
    root: Node,
    /// The maximum length of `$INDEX_ROOT` when an entry is added to it.
    root_room: usize,
    root_changed: bool,
    /// Changed blocks by position.
    changed: BTreeMap<u64, Node>,
    /// New blocks by their future position.
    new: BTreeMap<u64, Node>,
    /// Ordinal numbers of the blocks that new ones replace.
    replaced: BTreeSet<u64>,
    /// The lowest ordinal number for a new block, after the index was walked.
    next_new: Option<u64>,
    key: PhantomData<K>,
}

/// The progress of a walk.
struct Walk<'a, K> {
    /// The lowest wanted key; `None` for all.
    from: Option<K>,
    seen: HashSet<u64>,
    visit: &'a mut dyn FnMut(&SdsHeader) -> ControlFlow<()>,
}

impl<K: Key, B: Blocks> Index<K, B> {
    /// The index with this value of `$INDEX_ROOT`; clusters have `cluster_size` bytes.
    pub(super) fn open(
        root: Vec<u8>,
        cluster_size: NonZeroU64,
        blocks: B,
    ) -> Result<Self, SecurityError> {
        let shape = Shape::of(&root, K::COLLATION, cluster_size);
        let root = Node::root(root);
        let shape = shape.map_err(|it| root.fault::<K>(0, it.expected, it.actual))?;
        Ok(Self {
            blocks,
            shape,
            root,
            root_room: MAX_ROOT,
            root_changed: false,
            changed: BTreeMap::new(),
            new: BTreeMap::new(),
            replaced: BTreeSet::new(),
            next_new: None,
            key: PhantomData,
        })
    }

    /// Calls `visit` with the entries from key `from` on, or all, in order, until it breaks.
    pub(super) fn walk(
        &self,
        from: Option<K>,
        visit: &mut dyn FnMut(&SdsHeader) -> ControlFlow<()>,
    ) -> Result<(), SecurityError> {
        let mut walk = Walk {
            from,
            seen: HashSet::new(),
            visit,
        };
        self.walk_node(&self.root, (None, None), 0, &mut walk)
            .map(|_| ())
    }

    /// The entry with this key.
    pub(super) fn find(&self, key: K) -> Result<Option<SdsHeader>, SecurityError> {
        let mut found = None;
        self.walk(Some(key), &mut |entry| {
            found = (K::of(entry) == key).then_some(*entry);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    fn walk_node(
        &self,
        node: &Node,
        bounds: (Option<K>, Option<K>),
        depth: usize,
        walk: &mut Walk<'_, K>,
    ) -> Result<ControlFlow<()>, SecurityError> {
        if depth > MAX_DEPTH || walk.seen.len() > MAX_BLOCKS {
            return Err(self.too_deep());
        }
        let entries = node.entries::<K>()?;
        self.check_bounds(node, &entries, bounds)?;
        let mut low = bounds.0;
        for entry in entries {
            let key = entry.item.map(|(key, _)| key);
            if let Some(number) = entry.child
                && key.is_none_or(|key| Some(key) > walk.from)
            {
                if !walk.seen.insert(number) {
                    return Err(node.fault::<K>(
                        0,
                        "each child once",
                        format!("block {number:#x} again"),
                    ));
                }
                let (_, child) = self.child(number, node)?;
                let bounds = (low, key.or(bounds.1));
                if self.walk_node(&child, bounds, depth + 1, walk)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            if let Some((key, data)) = entry.item {
                low = Some(key);
                if Some(key) >= walk.from && (walk.visit)(&data).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Checks that the keys of a node are between the neighbouring keys in its parent.
    fn check_bounds(
        &self,
        node: &Node,
        entries: &[Entry<K>],
        (low, high): (Option<K>, Option<K>),
    ) -> Result<(), SecurityError> {
        let mut keys = entries.iter().filter_map(|entry| Some(entry.item?.0));
        let inside =
            keys.all(|key| low.is_none_or(|low| low < key) && high.is_none_or(|high| key < high));
        if inside {
            Ok(())
        } else {
            Err(node.fault::<K>(0, "keys between those of the parent", "a key outside"))
        }
    }

    /// The child with this number, and its position.
    fn child(&self, number: u64, parent: &Node) -> Result<(u64, Node), SecurityError> {
        let position = self.shape.position(number);
        let at = position
            .ok_or_else(|| parent.fault::<K>(0, "the number of a block", format!("{number:#x}")))?;
        if self.replaced.contains(&self.ordinal(at)) {
            return Err(parent.fault::<K>(0, "a block in use", "one that was replaced"));
        }
        if let Some(changed) = self.changed.get(&at).or_else(|| self.new.get(&at)) {
            return Ok((at, changed.clone()));
        }
        if !self.blocks.in_use(self.ordinal(at))? {
            return Err(parent.fault::<K>(
                0,
                "a block in use",
                format!("block {number:#x}, which $BITMAP has as free"),
            ));
        }
        let node = Node::block(self.blocks.block(at, to_usize(self.shape.block_len))?, at);
        if index::number_of(node.bytes()) == Some(number) {
            return Ok((at, node));
        }
        Err(node.fault::<K>(
            0,
            format!("INDX with number {number:#x}"),
            "another signature or number",
        ))
    }

    /// The number of blocks before the one at `at`.
    fn ordinal(&self, at: u64) -> u64 {
        at / self.shape.block_len
    }

    fn too_deep(&self) -> SecurityError {
        SecurityError::Corrupt {
            index: K::NAME,
            part: "$INDEX_ROOT",
            offset: 0,
            expected: format!("at most {MAX_DEPTH} levels and {MAX_BLOCKS} blocks"),
            actual: "more".into(),
        }
    }
}

#[cfg(test)]
impl<K: Key, B: Blocks> Index<K, B> {
    /// Calls `visit` with all entries, and returns the ordinal numbers of their blocks.
    pub(super) fn walk_blocks(
        &self,
        visit: &mut dyn FnMut(&SdsHeader) -> ControlFlow<()>,
    ) -> Result<Vec<u64>, SecurityError> {
        let mut walk = Walk {
            from: None,
            seen: HashSet::new(),
            visit,
        };
        let _ = self.walk_node(&self.root, (None, None), 0, &mut walk)?;
        let seen = walk.seen.into_iter();
        let position = |number| self.shape.position(number).expect("walked");
        Ok(seen.map(|number| self.ordinal(position(number))).collect())
    }
}

#[cfg(test)]
mod tests;
