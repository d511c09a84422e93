//! The index of a folder in memory, as far as it was read, to be changed there and then written.
//!
//! | module | what it contains |
//! |---|---|
//! | `node` | a node, parsed and laid out again |
//! | `remove`, `insert` | the changes of a B-tree |
//! | `plan` | what is written for a change, in which order |

use std::cmp::Ordering;
use std::collections::HashSet;

use diskmend_base::count::to_usize;
use diskmend_base::escape::EscapedUnits;

use self::node::{Child, Item, Node};
use super::{Folder, INDEX};
use crate::ntfs::error::{Corruption, VolumeError};
use crate::ntfs::format::{IndexRoot, attribute_type};
use crate::ntfs::index;
use crate::ntfs::stream::Stream;
use crate::ntfs::upcase::UpCase;

mod insert;
mod node;
mod plan;
mod remove;

pub(crate) use plan::Written;

/// The maximum depth of nodes, as for reading.
const MAX_DEPTH: usize = 32;
/// The maximum length of `$BITMAP` in bytes: one bit for each block of the names that a folder may
/// have.
const MAX_BITMAP: u64 = 1 << 17;
/// The number of the root among the nodes in memory.
const ROOT: usize = 0;

/// A step from a node to one of its children: the node, and the number of the child in it.
type Step = (usize, usize);

/// The index of a folder in memory.
pub(crate) struct Tree<'a> {
    folder: &'a Folder<'a>,
    upcase: &'a UpCase,
    /// The nodes that were read or made; the first is the root. Nodes that are no longer in the
    /// tree stay here.
    nodes: Vec<Node>,
    /// `$BITMAP`, and its value: which blocks are in use.
    bitmap: Option<Stream>,
    bits: Vec<u8>,
    /// The numbers of the blocks that were read.
    seen: HashSet<u64>,
    /// The number of bytes of the root that its entries may have.
    root_room: usize,
    /// The number of bytes of a block that its entries may have.
    block_room: usize,
}

impl<'a> Tree<'a> {
    /// The index of a folder. The entries in its root may become `root_room` bytes long.
    pub(crate) fn open(
        folder: &'a Folder<'a>,
        upcase: &'a UpCase,
        root_room: usize,
    ) -> Result<Self, VolumeError> {
        let (root, at) = Folder::root_of(&folder.records)?;
        let root = Node::parse(root, IndexRoot::NODE, at)?;
        let disk = folder.disk;
        if let Some(allocation) = &folder.allocation {
            allocation.check_whole()?;
        }
        let bitmap = Stream::of(disk, &folder.records, attribute_type::BITMAP, INDEX)?;
        let bits = match &bitmap {
            None => Vec::new(),
            Some(bitmap) => {
                bitmap.check_whole()?;
                bitmap.read_all(disk, MAX_BITMAP)?
            }
        };
        let tree = Self {
            folder,
            bitmap,
            bits,
            upcase,
            nodes: vec![root],
            seen: HashSet::new(),
            root_room,
            block_room: node::room_of_new(to_usize(folder.shape.block_len)),
        };
        tree.check_order(ROOT)?;
        Ok(tree)
    }

    /// The number of blocks before the one with this number; `None` if no block can have it.
    fn ordinal(&self, vcn: u64) -> Option<u64> {
        let shape = self.folder.shape;
        Some(shape.position(vcn)? / shape.block_len)
    }

    fn is_block_in_use(&self, vcn: u64) -> bool {
        let ordinal = self.ordinal(vcn);
        ordinal.is_some_and(|ordinal| index::has_bit(&self.bits, ordinal))
    }

    /// The order of two names in a folder: without regard to case, and then by their units.
    fn compare(&self, a: &[u16], b: &[u16]) -> Ordering {
        self.upcase.compare(a, b).then_with(|| a.cmp(b))
    }

    fn node(&self, number: usize) -> Result<&Node, VolumeError> {
        self.nodes.get(number).ok_or_else(|| self.lost())
    }

    fn node_mut(&mut self, number: usize) -> Result<&mut Node, VolumeError> {
        let lost = self.folder.records.lacks("node of an index");
        self.nodes.get_mut(number).ok_or(VolumeError::Corrupt(lost))
    }

    /// A node that was made; its number.
    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len().saturating_sub(1)
    }

    /// The node to which a step leads; it is read if that was not done yet. `None` if the node has
    /// no children.
    fn child(&mut self, (parent, slot): Step, depth: usize) -> Result<Option<usize>, VolumeError> {
        let node = self.node(parent)?;
        let at = node.place;
        let vcn = match node.child(slot) {
            None => return Ok(None),
            Some(Child::Loaded(number)) => return Ok(Some(number)),
            Some(Child::Stored(vcn)) => vcn,
        };
        let wrong = |expected: &'static str, actual: String| {
            let wrong = Corruption::new("child of an index node", at, expected, actual);
            VolumeError::Corrupt(wrong)
        };
        if depth >= MAX_DEPTH {
            return Err(wrong("an index that is less deep", format!("node {vcn}")));
        }
        if !self.seen.insert(vcn) {
            return Err(wrong("another node", format!("node {vcn} again")));
        }
        if !self.is_block_in_use(vcn) {
            let actual = format!("node {vcn}, which $BITMAP has as free");
            return Err(wrong("a node in use", actual));
        }
        let child = Node::block(self.folder, vcn, at)?;
        let number = self.add(child);
        self.check_order(number)?;
        self.check_between((parent, slot), number)?;
        self.node_mut(parent)?
            .set_child(slot, Child::Loaded(number));
        Ok(Some(number))
    }

    /// Refuses a node with names that do not ascend.
    fn check_order(&self, number: usize) -> Result<(), VolumeError> {
        let node = self.node(number)?;
        let mut pairs = node.entries.iter().zip(node.entries.iter().skip(1));
        let unordered =
            pairs.find(|(a, b)| self.compare(&a.item.name, &b.item.name) != Ordering::Less);
        match unordered {
            None => Ok(()),
            Some((_, second)) => Err(self.unordered(node, &second.item)),
        }
    }

    /// Refuses a child with names that are not between those around it in its parent.
    fn check_between(&self, (parent, slot): Step, child: usize) -> Result<(), VolumeError> {
        let (parent, child) = (self.node(parent)?, self.node(child)?);
        let before = slot.checked_sub(1).and_then(|at| parent.entries.get(at));
        let after = parent.entries.get(slot);
        let pairs = [
            before.zip(child.entries.first()),
            child.entries.last().zip(after),
        ];
        for (a, b) in pairs.into_iter().flatten() {
            if self.compare(&a.item.name, &b.item.name) != Ordering::Less {
                return Err(self.unordered(child, &b.item));
            }
        }
        Ok(())
    }

    fn unordered(&self, node: &Node, item: &Item) -> VolumeError {
        let name = EscapedUnits::new(item.name.iter().copied());
        let actual = format!("\"{name}\" in another order");
        let wrong = Corruption::new("index of a folder", node.place, "ascending names", actual);
        VolumeError::Corrupt(wrong)
    }

    /// The path to a name: the steps to its node, and the number of its entry there. If there is no
    /// such name, the path to the leaf that would contain it, and `Err` with the number of the entry
    /// that would follow it.
    fn find(&mut self, name: &[u16]) -> Result<Path, VolumeError> {
        let mut steps = Vec::new();
        let mut at = ROOT;
        loop {
            let entries = &self.node(at)?.entries;
            let found = entries.binary_search_by(|entry| self.compare(&entry.item.name, name));
            let slot = match found {
                Ok(entry) => {
                    return Ok(Path {
                        steps,
                        node: at,
                        entry: Ok(entry),
                    });
                }
                Err(slot) => slot,
            };
            let Some(child) = self.child((at, slot), steps.len())? else {
                return Ok(Path {
                    steps,
                    node: at,
                    entry: Err(slot),
                });
            };
            steps.push((at, slot));
            at = child;
        }
    }

    /// The step to a node from its parent; `None` for the root.
    fn parent_of(&self, number: usize) -> Option<Step> {
        let find = |node: &Node| {
            let mut slots = 0..=node.entries.len();
            slots.find(|slot| node.child(*slot) == Some(Child::Loaded(number)))
        };
        let mut nodes = self.nodes.iter().enumerate();
        nodes.find_map(|(parent, node)| Some((parent, find(node)?)))
    }

    fn lost(&self) -> VolumeError {
        self.folder.records.lacks("node of an index").into()
    }
}

/// The place of a name in the index.
struct Path {
    steps: Vec<Step>,
    /// The node.
    node: usize,
    /// The entry in it, or the one that would follow.
    entry: Result<usize, usize>,
}
