//! One node of a view index: checks its entries, and lays them out again (Linux-NTFS, Index
//! Header).

use std::ops::Range;

use diskmend_base::bytes;
use diskmend_base::count::{to_u64, to_usize};
use zerocopy::IntoBytes;

use super::error::SecurityError;
use super::format::SdsHeader;
use super::key::Key;
use crate::ntfs::format::{IndexBlock, IndexEntryHeader, IndexHeader, IndexRoot};
use crate::ntfs::index::{self, IndexEntry, number_u16, number_u32};

/// An entry of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<K> {
    /// The child with keys lower than this entry's.
    pub(super) child: Option<u64>,
    /// Key and data; the last entry has none.
    pub(super) item: Option<(K, SdsHeader)>,
}

/// A node: the value of `$INDEX_ROOT`, or a block of `$INDEX_ALLOCATION` with the bytes restored
/// that the update sequence numbers replaced.
#[derive(Clone, Debug)]
pub(super) struct Node {
    bytes: Vec<u8>,
    /// The offset of the index header in the bytes.
    header: usize,
    /// The offset of the bytes in the attribute.
    base: u64,
    attribute: &'static str,
}

impl Node {
    /// The value of `$INDEX_ROOT`.
    pub(super) fn root(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            header: IndexRoot::NODE,
            base: 0,
            attribute: "$INDEX_ROOT",
        }
    }

    /// The block at `base` in `$INDEX_ALLOCATION`.
    pub(super) fn block(bytes: Vec<u8>, base: u64) -> Self {
        Self {
            bytes,
            header: IndexBlock::NODE,
            base,
            attribute: "$INDEX_ALLOCATION",
        }
    }

    /// An empty block of `len` bytes at `base` with the number `number`.
    pub(super) fn new_block(len: usize, base: u64, number: u64) -> Self {
        Self::block(index::new_block(len, number), base)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All entries, with ascending keys; the last is marked as such.
    pub(super) fn entries<K: Key>(&self) -> Result<Vec<Entry<K>>, SecurityError> {
        let (header, place) = self.header::<K>()?;
        let has_children = header.flags & IndexHeader::FLAG_CHILDREN != 0;
        let child_len = if has_children { size_of::<u64>() } else { 0 };
        let used = bytes::slice(&self.bytes, self.header, place.end);
        let mut at = place.start;
        let mut entries: Vec<Entry<K>> = Vec::new();
        loop {
            let wrong = |expected: &str, actual: &str| {
                self.fault::<K>(self.header.saturating_add(at), expected, actual)
            };
            let found = used
                .and_then(|used| index::entry(used, at))
                .ok_or_else(|| wrong("a whole entry", "none"))?;
            let fixed = if found.is_last {
                size_of::<IndexEntryHeader>()
            } else {
                entry_len::<K>()
            };
            let expected = fixed.saturating_add(child_len);
            if found.len != expected || found.child.is_some() != has_children {
                let child = if found.child.is_some() {
                    "a child"
                } else {
                    "no child"
                };
                let actual = format!("{} bytes, {child}", found.len);
                return Err(wrong(&format!("an entry of {expected} bytes"), &actual));
            }
            let item = if found.is_last {
                None
            } else {
                let item = item(&found).ok_or_else(|| {
                    let expected = format!("a key of {} bytes and the same in its data", K::LEN);
                    let actual = format!("key length {}, or another key", found.key.len());
                    wrong(&expected, &actual)
                })?;
                Some(item)
            };
            if let (Some((key, _)), Some((before, _))) =
                (item, entries.last().and_then(|entry| entry.item))
                && before >= key
            {
                return Err(wrong("keys that ascend", "a lower or equal key"));
            }
            entries.push(Entry {
                child: found.child,
                item,
            });
            at = at.saturating_add(found.len);
            if found.is_last {
                break;
            }
        }
        if at == place.end {
            return Ok(entries);
        }
        let at = self.header.saturating_add(at);
        Err(self.fault::<K>(at, "the end of the node", "more after it"))
    }

    /// This node with other entries; the last one has no key. `None` if they do not fit. The value
    /// of an index root gets the length that they need.
    pub(super) fn with<K: Key>(&self, entries: &[Entry<K>]) -> Result<Option<Self>, SecurityError> {
        let (header, place) = self.header::<K>()?;
        let room = to_usize(header.allocated_size.get());
        let start = self.header.saturating_add(place.start);
        let laid_out: Vec<u8> = entries.iter().flat_map(entry_bytes).collect();
        let end = start.saturating_add(laid_out.len());
        let mut node = self.clone();
        let room = match self.header {
            IndexRoot::NODE => {
                node.bytes.resize(end, 0);
                end
            }
            _ => self.header.saturating_add(room),
        };
        let offset = |at: usize| number_u32(at.saturating_sub(self.header));
        let place = node.bytes.get_mut(start..room);
        let Some((to, rest)) = place.and_then(|it| it.split_at_mut_checked(laid_out.len())) else {
            return Ok(None);
        };
        to.copy_from_slice(&laid_out);
        rest.fill(0);
        if let Some(header) = bytes::view_mut::<IndexHeader>(&mut node.bytes, self.header) {
            header.index_length = offset(end).into();
            header.allocated_size = offset(room).into();
            header.flags &= !IndexHeader::FLAG_CHILDREN;
            if entries.iter().any(|entry| entry.child.is_some()) {
                header.flags |= IndexHeader::FLAG_CHILDREN;
            }
        }
        Ok(Some(node))
    }

    /// The header, with lengths that are inside the node, and the place of its entries in it.
    fn header<K: Key>(&self) -> Result<(&IndexHeader, Range<usize>), SecurityError> {
        let found = index::header(&self.bytes, self.header);
        let (header, place) =
            found.map_err(|it| self.fault::<K>(self.header, it.expected, it.actual))?;
        let room = to_usize(header.allocated_size.get());
        let len = self.bytes.len().saturating_sub(self.header);
        let is_sound = place.start.is_multiple_of(IndexEntryHeader::ALIGN)
            && !place.is_empty()
            && place.end <= room
            && room <= len;
        if is_sound {
            return Ok((header, place));
        }
        Err(self.fault::<K>(
            self.header,
            format!("an index header for {len} bytes"),
            format!("entries from {} to {}, room {room}", place.start, place.end),
        ))
    }

    /// The error for a problem at `at` in the bytes.
    pub(super) fn fault<K: Key>(
        &self,
        at: usize,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> SecurityError {
        let at = to_u64(at);
        SecurityError::Corrupt {
            index: K::NAME,
            part: self.attribute,
            offset: self.base.saturating_add(at),
            expected: expected.into(),
            actual: actual.into(),
        }
    }
}

/// Key and data of an entry; `None` if they are not laid out as in `$Secure`, or if the data has
/// another key.
fn item<K: Key>(entry: &IndexEntry<'_>) -> Option<(K, SdsHeader)> {
    let key = K::read(entry.key)?;
    let data: &SdsHeader = bytes::view(entry.rest, 0)?;
    // The upper half is reserved.
    let place = entry.reference & u64::from(u32::MAX);
    (place == data_place::<K>() && K::of(data) == key).then_some((key, *data))
}

/// The place of the data in an entry, as its header tells it.
const fn data_place<K: Key>() -> u64 {
    let offset = size_of::<IndexEntryHeader>() + K::LEN;
    offset as u64 | (size_of::<SdsHeader>() as u64) << 16
}

/// The length of an entry with key and data, without a child.
pub(super) const fn entry_len<K: Key>() -> usize {
    let len = size_of::<IndexEntryHeader>() + K::LEN + size_of::<SdsHeader>();
    len.next_multiple_of(IndexEntryHeader::ALIGN)
}

/// The bytes of an entry.
fn entry_bytes<K: Key>(entry: &Entry<K>) -> Vec<u8> {
    let child = entry.child.map(u64::to_le_bytes);
    let child = child.as_ref().map_or(&[][..], |child| child);
    let flag = |condition, flag| if condition { flag } else { 0 };
    let flags = flag(entry.child.is_some(), IndexEntryHeader::FLAG_CHILD)
        | flag(entry.item.is_none(), IndexEntryHeader::FLAG_LAST);
    let (reference, key_len, len) = match entry.item {
        Some(_) => (data_place::<K>(), K::LEN, entry_len::<K>()),
        None => (0, 0, size_of::<IndexEntryHeader>()),
    };
    let head = IndexEntryHeader {
        reference: reference.into(),
        length: number_u16(len.saturating_add(child.len())).into(),
        key_length: number_u16(key_len).into(),
        flags: flags.into(),
        reserved: 0.into(),
    };
    match entry.item {
        Some((key, data)) => [
            head.as_bytes(),
            &key.bytes(),
            data.as_bytes(),
            K::PADDING,
            child,
        ]
        .concat(),
        None => [head.as_bytes(), child].concat(),
    }
}
