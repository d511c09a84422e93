//! Removes a name from the index.
//!
//! A name in a node with children is replaced by the one before it, or by the one after it, which
//! are in leaves. A leaf that is then empty is removed, and the name beside it in the node above
//! gets another place: Windows and ntfs-3g leave no leaf empty either.

use super::node::Item;
use super::{ROOT, Step, Tree};
use crate::ntfs::error::{Corruption, VolumeError};

/// A name next to another in the order of the index, which is in a leaf.
struct Neighbour {
    /// The steps to its leaf.
    steps: Vec<Step>,
    leaf: usize,
    /// The number of its entry.
    entry: usize,
}

impl Tree<'_> {
    /// Removes a name of the file with a reference, and returns its `$FILE_NAME`.
    pub(crate) fn remove(&mut self, name: &[u16], reference: u64) -> Result<Vec<u8>, VolumeError> {
        let path = self.find(name)?;
        let entry = path.entry.ok().and_then(|at| {
            let found = self.nodes.get(path.node)?.entries.get(at)?;
            (found.item.reference == reference).then_some(at)
        });
        let Some(at) = entry else {
            let place = self.node(path.node)?.place;
            let (what, actual) = ("entry of the folder", "none, or one of another file");
            return Err(Corruption::new(what, place, "one for a name of the file", actual).into());
        };
        if self.node(path.node)?.is_leaf() {
            let item = self.take(path.node, at)?;
            self.prune(path.steps, path.node)?;
            return Ok(item.key);
        }
        let neighbour = self.choose_neighbour(&path.steps, path.node, at)?;
        let item = self.take(neighbour.leaf, neighbour.entry)?;
        let node = self.node_mut(path.node)?;
        node.changed = true;
        let place = node.entries.get_mut(at);
        let Some(place) = place else {
            return Err(self.lost());
        };
        let removed = std::mem::replace(&mut place.item, item);
        self.prune(neighbour.steps, neighbour.leaf)?;
        self.divide(path.node)?;
        Ok(removed.key)
    }

    fn take(&mut self, node: usize, entry: usize) -> Result<Item, VolumeError> {
        let node = self.node_mut(node)?;
        if entry >= node.entries.len() {
            return Err(self.lost());
        }
        node.changed = true;
        Ok(node.entries.remove(entry).item)
    }

    /// The name that replaces one in a node with children: one that leaves no leaf empty and is not
    /// longer, if there is one.
    fn choose_neighbour(
        &mut self,
        steps: &[Step],
        node: usize,
        at: usize,
    ) -> Result<Neighbour, VolumeError> {
        let before = self.neighbour(steps, (node, at), false)?;
        let after = self.neighbour(steps, (node, at.saturating_add(1)), true)?;
        let old = self.node(node)?.entries.get(at);
        let old = old.map_or(0, |entry| entry.item.key.len());
        let mut rated = Vec::new();
        for neighbour in [before, after].into_iter().flatten() {
            let leaf = self.node(neighbour.leaf)?;
            let key = leaf.entries.get(neighbour.entry);
            let is_longer = key.is_none_or(|entry| entry.item.key.len() > old);
            rated.push((leaf.entries.len() < 2, is_longer, neighbour));
        }
        let best = rated
            .into_iter()
            .min_by_key(|(empties, is_longer, _)| (*empties, *is_longer));
        best.map(|(_, _, neighbour)| neighbour)
            .ok_or_else(|| self.lost())
    }

    /// The first or last name below a step; `None` if its leaf has none.
    fn neighbour(
        &mut self,
        steps: &[Step],
        step: Step,
        first: bool,
    ) -> Result<Option<Neighbour>, VolumeError> {
        let mut steps = steps.to_vec();
        let mut next = step;
        while let Some(child) = self.child(next, steps.len())? {
            steps.push(next);
            let slot = if first {
                0
            } else {
                self.node(child)?.entries.len()
            };
            next = (child, slot);
        }
        let (leaf, slot) = next;
        let entry = if first { Some(0) } else { slot.checked_sub(1) };
        let exists = entry.filter(|entry| {
            let leaf = self.nodes.get(leaf);
            leaf.is_some_and(|leaf| *entry < leaf.entries.len())
        });
        Ok(exists.map(|entry| Neighbour { steps, leaf, entry }))
    }

    /// Removes a leaf if it is empty, with all nodes above it that have no other child.
    fn prune(&mut self, mut steps: Vec<Step>, leaf: usize) -> Result<(), VolumeError> {
        if !self.node(leaf)?.entries.is_empty() {
            return Ok(());
        }
        while let Some((parent, slot)) = steps.pop() {
            let node = self.node_mut(parent)?;
            node.changed = true;
            if node.entries.is_empty() {
                if parent == ROOT {
                    // Nothing is left in the index.
                    node.last = None;
                }
                continue;
            }
            let beside = if slot < node.entries.len() {
                node.entries.remove(slot).item
            } else {
                let last = node.entries.pop();
                let Some(last) = last else {
                    return Err(self.lost());
                };
                node.last = last.child;
                last.item
            };
            return self.put(beside);
        }
        Ok(())
    }
}
