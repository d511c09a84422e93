//! Walks the nodes of a folder's index, which may be forged to be endless.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::node::Node;
use super::{Entry, Folder, name_of};
use crate::ntfs::error::{Corruption, VolumeError};

/// The maximum depth of nodes. With six names in a node, which is the minimum for names of the
/// maximum length, half this depth would suffice for all files that a volume can have.
const MAX_DEPTH: usize = 32;

/// A node on the path to the node that is read.
struct Level {
    node: Node,
    /// The name that comes after the child.
    name: Option<Entry>,
}

impl Folder<'_> {
    /// Shows the names that are equal according to `order`, and the positions of their nodes. The
    /// index is in that order.
    pub(super) fn walk(
        &self,
        order: impl Fn(&[u16]) -> Ordering,
        mut show: impl FnMut(Entry, u64) -> Result<(), Corruption>,
    ) -> Result<(), VolumeError> {
        let mut seen = Seen::default();
        let mut spare = Vec::new();
        let mut path = vec![Level::of(self.root()?)];
        while let Some(level) = path.last_mut() {
            let at = level.node.place();
            if let Some(name) = level.name.take() {
                show(name, at)?;
            }
            let Some(found) = level.node.next()? else {
                spare = path.pop().map_or(spare, |level| level.node.into_data());
                continue;
            };
            let child = found.child;
            if !found.is_last {
                let entry = name_of(&found, at)?;
                match order(&entry.name) {
                    Ordering::Greater => continue,
                    Ordering::Less => level.node.skip_rest(),
                    Ordering::Equal => level.name = Some(entry),
                }
            }
            if let Some(vcn) = child {
                seen.visit(vcn, path.len(), at)?;
                let node = self.node(vcn, at, std::mem::take(&mut spare))?;
                path.push(Level::of(node));
            }
        }
        Ok(())
    }
}

/// The nodes that were visited: a node that is visited twice would lead to an endless loop.
#[derive(Default)]
pub(super) struct Seen(HashSet<u64>);

impl Seen {
    /// Goes to the child `vcn` of the node at `at`; `depth` nodes are above it.
    pub(super) fn visit(&mut self, vcn: u64, depth: usize, at: u64) -> Result<(), Corruption> {
        let wrong = |expected: &'static str, actual| {
            Corruption::new("child of an index node", at, expected, actual)
        };
        if depth >= MAX_DEPTH {
            let actual = format!("node {vcn}, below {depth} others");
            return Err(wrong("an index that is less deep", actual));
        }
        if !self.0.insert(vcn) {
            return Err(wrong("another node", format!("node {vcn} again")));
        }
        Ok(())
    }
}

impl Level {
    fn of(node: Node) -> Self {
        Self { node, name: None }
    }
}
