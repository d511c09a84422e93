//! A node of a folder's index in memory.

use diskmend_base::bytes;
use diskmend_base::count::{to_u64, to_usize};
use zerocopy::IntoBytes;

use crate::ntfs::error::{Corruption, VolumeError};
use crate::ntfs::folder::{Folder, parse_name};
use crate::ntfs::format::{IndexBlock, IndexEntryHeader, IndexHeader};
use crate::ntfs::index::{self, Mismatch, number_u16, number_u32};

/// A name of the index, with everything that its entry says.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The reference of its file.
    pub(super) reference: u64,
    /// The `$FILE_NAME`.
    pub(super) key: Vec<u8>,
    /// The name in it.
    pub(super) name: Vec<u16>,
}

/// A node below another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Child {
    /// The number of a block that was not read.
    Stored(u64),
    /// The number of a node in memory.
    Loaded(usize),
}

/// An entry of a node.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) item: Item,
    /// The node with the names before it.
    pub(super) child: Option<Child>,
}

/// The place that a node has on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In `$INDEX_ROOT`.
    Root,
    /// The block with this number.
    Block(u64),
    /// None yet.
    New,
}

/// A node in memory.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) entries: Vec<Entry>,
    /// The node with the names after all of its own.
    pub(super) last: Option<Child>,
    pub(super) stored: Place,
    /// It differs from what is on the disk.
    pub(super) changed: bool,
    /// Offset in the volume.
    pub(super) place: u64,
    /// The bytes from which it was read; empty for a new node.
    bytes: Vec<u8>,
}

/// The number of bytes of a new block of `len` bytes that its entries may have.
pub(super) fn room_of_new(len: usize) -> usize {
    let block = index::new_block(len, 0);
    let header = index::header(&block, IndexBlock::NODE);
    let start = header.map_or(len, |(_, entries)| entries.start);
    len.saturating_sub(IndexBlock::NODE).saturating_sub(start)
}

impl Item {
    /// The length of its entry, if that has a child or not.
    fn len(&self, has_child: bool) -> usize {
        let len = size_of::<IndexEntryHeader>().saturating_add(self.key.len());
        len.next_multiple_of(IndexEntryHeader::ALIGN)
            .saturating_add(child_len(has_child))
    }
}

fn child_len(has_child: bool) -> usize {
    if has_child { size_of::<u64>() } else { 0 }
}

impl Node {
    /// A new block.
    pub(super) fn new(entries: Vec<Entry>, last: Option<Child>) -> Self {
        Self {
            entries,
            last,
            stored: Place::New,
            changed: true,
            place: 0,
            bytes: Vec::new(),
        }
    }

    /// The block with the number `vcn`, to which the node at `parent` refers.
    pub(super) fn block(folder: &Folder<'_>, vcn: u64, parent: u64) -> Result<Self, VolumeError> {
        folder.check_block(vcn, parent)?;
        let (bytes, at) = folder.block(vcn, Vec::new())?;
        let node = Self::parse(&bytes, IndexBlock::NODE, at)?;
        Ok(Self {
            stored: Place::Block(vcn),
            ..node
        })
    }

    /// The node with its header at `header` of `bytes`, which are at `place` of the volume.
    pub(super) fn parse(bytes: &[u8], header: usize, place: u64) -> Result<Self, Corruption> {
        let wrong = |at: usize, expected: &'static str, actual: String| {
            let at = place.saturating_add(to_u64(at));
            Corruption::new("index node", at, expected, actual)
        };
        let (found, range) = index::header(bytes, header).map_err(|mismatch| {
            let Mismatch { expected, actual } = mismatch;
            let at = place.saturating_add(to_u64(header));
            Corruption::new("index node", at, expected, actual)
        })?;
        let room = to_usize(found.allocated_size.get());
        if range.end > room || room > bytes.len().saturating_sub(header) {
            let actual = format!("room for {room} bytes");
            return Err(wrong(header, "room for its entries within it", actual));
        }
        let used = bytes::slice(bytes, header, range.end);
        let mut node = Self {
            entries: Vec::new(),
            last: None,
            stored: Place::Root,
            changed: false,
            place,
            bytes: bytes.to_vec(),
        };
        let mut at = range.start;
        loop {
            let entry = used.and_then(|used| index::entry(used, at));
            let entry =
                entry.ok_or_else(|| wrong(at, "a whole entry of the index", "none".to_owned()))?;
            let child = entry.child.map(Child::Stored);
            at = at.saturating_add(entry.len);
            if entry.is_last {
                node.last = child;
                break;
            }
            let name = parse_name(&entry).ok_or_else(|| {
                let actual = format!("{} bytes", entry.key.len());
                wrong(at, "a whole name before this place", actual)
            })?;
            let item = Item {
                reference: entry.reference,
                key: entry.key.to_vec(),
                name: name.name,
            };
            node.entries.push(Entry { item, child });
        }
        let has_children = node.last.is_some();
        if at != range.end {
            return Err(wrong(at, "the end of the node", "more after it".to_owned()));
        }
        if node
            .entries
            .iter()
            .any(|entry| entry.child.is_some() != has_children)
        {
            let actual = "only some of them".to_owned();
            return Err(wrong(header, "children of all entries or of none", actual));
        }
        Ok(node)
    }

    /// True if it has no children.
    pub(super) fn is_leaf(&self) -> bool {
        self.last.is_none()
    }

    /// The child before the entry `slot`, or after all.
    pub(super) fn child(&self, slot: usize) -> Option<Child> {
        match self.entries.get(slot) {
            Some(entry) => entry.child,
            None => self.last,
        }
    }

    pub(super) fn set_child(&mut self, slot: usize, child: Child) {
        match self.entries.get_mut(slot) {
            Some(entry) => entry.child = Some(child),
            None => self.last = Some(child),
        }
    }

    /// The number of bytes of its entries.
    pub(super) fn len(&self) -> usize {
        let has_children = !self.is_leaf();
        let end = size_of::<IndexEntryHeader>().saturating_add(child_len(has_children));
        let lens = self
            .entries
            .iter()
            .map(|entry| entry.item.len(has_children));
        lens.fold(end, usize::saturating_add)
    }

    /// The entry that separates two halves of about the same length, each with an entry at least;
    /// `None` if there are too few.
    pub(super) fn middle(&self) -> Option<usize> {
        let has_children = !self.is_leaf();
        let half = self.len() / 2;
        let mut before = 0_usize;
        let lens = self
            .entries
            .iter()
            .map(|entry| entry.item.len(has_children));
        let past = lens.take_while(|len| {
            before = before.saturating_add(*len);
            before < half
        });
        let last = self.entries.len().checked_sub(2)?;
        (last > 0).then(|| past.count().clamp(1, last))
    }

    /// Its bytes: as the block with the number `number` of `block_len` bytes, or as the value of
    /// `$INDEX_ROOT`. `None` if they do not fit, or if a child has no place.
    pub(super) fn lay_out(
        &self,
        header: usize,
        new: Option<(usize, u64)>,
        number_of: impl Fn(Child) -> Option<u64>,
    ) -> Option<Vec<u8>> {
        let mut bytes = match new {
            Some((len, number)) => index::new_block(len, number),
            None => self.bytes.clone(),
        };
        let (_, range) = index::header(&bytes, header).ok()?;
        let start = header.checked_add(range.start)?;
        let end = start.checked_add(self.len())?;
        if self.stored == Place::Root {
            bytes.resize(end, 0);
        }
        let room = bytes.len();
        let (to, rest) = bytes
            .get_mut(start..)?
            .split_at_mut_checked(end.checked_sub(start)?)?;
        rest.fill(0);
        let mut laid_out = Vec::with_capacity(to.len());
        for entry in &self.entries {
            let child = match entry.child {
                Some(child) => Some(number_of(child)?),
                None => None,
            };
            push(&mut laid_out, Some(&entry.item), child);
        }
        let last = match self.last {
            Some(child) => Some(number_of(child)?),
            None => None,
        };
        push(&mut laid_out, None, last);
        if laid_out.len() != to.len() {
            return None;
        }
        to.copy_from_slice(&laid_out);
        let offset = |at: usize| number_u32(at.saturating_sub(header));
        let head: &mut IndexHeader = bytes::view_mut(&mut bytes, header)?;
        head.index_length = offset(end).into();
        head.allocated_size = offset(room).into();
        head.flags &= !IndexHeader::FLAG_CHILDREN;
        if self.last.is_some() {
            head.flags |= IndexHeader::FLAG_CHILDREN;
        }
        Some(bytes)
    }
}

/// Adds the bytes of an entry; the last of a node has no item.
fn push(bytes: &mut Vec<u8>, item: Option<&Item>, child: Option<u64>) {
    let flag = |condition, flag| if condition { flag } else { 0 };
    let len = match item {
        Some(item) => item.len(child.is_some()),
        None => size_of::<IndexEntryHeader>().saturating_add(child_len(child.is_some())),
    };
    let head = IndexEntryHeader {
        reference: item.map_or(0, |item| item.reference).into(),
        length: number_u16(len).into(),
        key_length: number_u16(item.map_or(0, |item| item.key.len())).into(),
        flags: (flag(child.is_some(), IndexEntryHeader::FLAG_CHILD)
            | flag(item.is_none(), IndexEntryHeader::FLAG_LAST))
        .into(),
        reserved: 0.into(),
    };
    let end = bytes.len().saturating_add(len);
    bytes.extend_from_slice(head.as_bytes());
    if let Some(item) = item {
        bytes.extend_from_slice(&item.key);
    }
    bytes.resize(end.saturating_sub(child_len(child.is_some())), 0);
    if let Some(child) = child {
        bytes.extend_from_slice(&child.to_le_bytes());
    }
}
