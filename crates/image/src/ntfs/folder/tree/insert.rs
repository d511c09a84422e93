//! Adds a name to the index, and divides nodes that are then too long.

use super::node::{Child, Entry, Item, Node, Place};
use super::{ROOT, Tree};
use crate::ntfs::error::VolumeError;
use crate::ntfs::names::parse_key;

impl Tree<'_> {
    /// Adds a name of the file with a reference, by its `$FILE_NAME`. The index must not have it
    /// yet.
    pub(crate) fn insert(&mut self, reference: u64, key: &[u8]) -> Result<(), VolumeError> {
        let (_, name) = parse_key(key).ok_or_else(|| self.lost())?;
        let key = key.to_vec();
        self.put(Item {
            reference,
            key,
            name,
        })
    }

    /// Adds a name, which the index must not have yet.
    pub(super) fn put(&mut self, item: Item) -> Result<(), VolumeError> {
        let path = self.find(&item.name)?;
        let Err(slot) = path.entry else {
            return Err(self.lost());
        };
        let node = self.node_mut(path.node)?;
        node.entries.insert(slot, Entry { item, child: None });
        node.changed = true;
        self.divide(path.node)
    }

    /// Divides a node if it is too long, and then the nodes above it.
    pub(super) fn divide(&mut self, node: usize) -> Result<(), VolumeError> {
        let mut at = node;
        while self.is_too_long(at)? {
            let Some((parent, slot)) = self.parent_of(at) else {
                at = self.lower_root()?;
                continue;
            };
            let Some(middle) = self.node(at)?.middle() else {
                return Err(self.no_room());
            };
            let node = self.node_mut(at)?;
            let right = node.entries.split_off(middle);
            let mut left = std::mem::replace(&mut node.entries, right);
            node.changed = true;
            // The middle one is not the last.
            let between = node.entries.remove(0);
            let left_last = between.child;
            let left = Node::new(std::mem::take(&mut left), left_last);
            let left = self.add(left);
            let parent_node = self.node_mut(parent)?;
            parent_node.entries.insert(
                slot,
                Entry {
                    item: between.item,
                    child: Some(Child::Loaded(left)),
                },
            );
            parent_node.changed = true;
            if self.is_too_long(at)? || self.is_too_long(left)? {
                return Err(self.no_room());
            }
            at = parent;
        }
        Ok(())
    }

    /// Moves everything in the root to a new node below it, which is returned.
    fn lower_root(&mut self) -> Result<usize, VolumeError> {
        let root = self.node_mut(ROOT)?;
        if root.entries.is_empty() {
            return Err(self.no_room());
        }
        let below = Node::new(std::mem::take(&mut root.entries), root.last);
        root.changed = true;
        let below = self.add(below);
        self.node_mut(ROOT)?.last = Some(Child::Loaded(below));
        Ok(below)
    }

    fn no_room(&self) -> VolumeError {
        VolumeError::NoRoomInFolder {
            folder: self.folder.records.base().id(),
            why: "its index blocks are too short for its names",
        }
    }

    fn is_too_long(&self, number: usize) -> Result<bool, VolumeError> {
        let node = self.node(number)?;
        Ok(match node.stored {
            Place::Root => node.len() > self.root_room,
            // A block is written anew if others than it change too.
            Place::Block(_) | Place::New => node.len() > self.block_room,
        })
    }
}
