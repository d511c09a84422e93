//! One node of a view index: its entries checked, and an entry put in where there is room
//! (Linux-NTFS, Index Header).

use std::mem::offset_of;

use zerocopy::IntoBytes;
use zerocopy::byteorder::little_endian::U32;

use super::error::SecurityError;
use super::format::{NODE_HAS_CHILDREN, SdsHeader, ViewEntry};
use crate::bytes;
use crate::ntfs::format::{IndexBlock, IndexHeader, IndexRoot};

/// The key of a view index over `$SDS`.
pub(super) trait Key: Copy + Ord {
    /// Name of the index.
    const NAME: &'static str;
    /// The rule by which the volume says it is ordered.
    const COLLATION: u32;
    /// Length in bytes.
    const LEN: usize;
    /// What follows the data, to a multiple of 8 bytes.
    const PADDING: &'static [u8];

    /// The key of this length, or `None`.
    fn read(bytes: &[u8]) -> Option<Self>;
    /// The key by which an entry of `$SDS` is found.
    fn of(header: &SdsHeader) -> Self;
    /// The bytes of the key.
    fn bytes(self) -> Vec<u8>;
}

/// `$SII`: the id, ordered as a number (`COLLATION_NTOFS_ULONG`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct ById(pub(super) u32);

impl Key for ById {
    const NAME: &'static str = "$SII";
    const COLLATION: u32 = 0x10;
    const LEN: usize = 4;
    const PADDING: &'static [u8] = &[];

    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self(u32::from_le_bytes(bytes.try_into().ok()?)))
    }

    fn of(header: &SdsHeader) -> Self {
        Self(header.security_id.get())
    }

    fn bytes(self) -> Vec<u8> {
        self.0.to_le_bytes().to_vec()
    }
}

/// `$SDH`: the hash of the descriptor, then its id, both as numbers
/// (`COLLATION_NTOFS_SECURITY_HASH`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct ByHash {
    pub(super) hash: u32,
    pub(super) id: u32,
}

impl Key for ByHash {
    const NAME: &'static str = "$SDH";
    const COLLATION: u32 = 0x12;
    const LEN: usize = 8;
    // What Windows leaves there.
    const PADDING: &'static [u8] = b"I\0I\0";

    fn read(bytes: &[u8]) -> Option<Self> {
        let [hash, id] = *<[U32; 2] as zerocopy::FromBytes>::ref_from_bytes(bytes).ok()?;
        Some(Self {
            hash: hash.get(),
            id: id.get(),
        })
    }

    fn of(header: &SdsHeader) -> Self {
        Self {
            hash: header.hash.get(),
            id: header.security_id.get(),
        }
    }

    fn bytes(self) -> Vec<u8> {
        [self.hash.to_le_bytes(), self.id.to_le_bytes()].concat()
    }
}

/// An entry of a node.
#[derive(Debug)]
pub(super) struct Entry<K> {
    /// Where it lies in the node's bytes.
    at: usize,
    /// The child whose keys are lower than this entry's.
    pub(super) child: Option<u64>,
    /// Key and data; the last entry has none.
    pub(super) item: Option<(K, SdsHeader)>,
}

/// A node: the value of `$INDEX_ROOT`, or a block of `$INDEX_ALLOCATION` whose update sequence
/// numbers have been replaced by what they stand for.
#[derive(Clone, Debug)]
pub(super) struct Node {
    bytes: Vec<u8>,
    /// Where the index header lies in the bytes.
    header: usize,
    /// Where the bytes lie in the attribute.
    base: u64,
    attribute: &'static str,
}

impl Node {
    /// The value of `$INDEX_ROOT`.
    pub(super) fn root(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            header: offset_of!(IndexRoot, index),
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

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether its entries have no children.
    pub(super) fn is_leaf<K: Key>(&self) -> Result<bool, SecurityError> {
        Ok(self.header::<K>()?.flags & NODE_HAS_CHILDREN == 0)
    }

    /// All entries, of which the last is marked as such, with keys that ascend.
    pub(super) fn entries<K: Key>(&self) -> Result<Vec<Entry<K>>, SecurityError> {
        let header = self.header::<K>()?;
        let has_children = header.flags & NODE_HAS_CHILDREN != 0;
        let end = self.within(header.index_length.get());
        let mut at = self.within(header.entries_offset.get());
        let mut entries: Vec<Entry<K>> = Vec::new();
        loop {
            let head: &ViewEntry = bytes::view(&self.bytes, at)
                .filter(|_| at.saturating_add(ViewEntry::LEN) <= end)
                .ok_or_else(|| self.fault::<K>(at, "an entry", "the end of the node"))?;
            let len = usize::from(head.length.get());
            let flags = head.flags.get();
            let last = flags & ViewEntry::LAST != 0;
            let fixed = match last {
                true => ViewEntry::LEN,
                false => entry_len::<K>(),
            };
            let expected = fixed
                + match has_children {
                    true => ViewEntry::CHILD_LEN,
                    false => 0,
                };
            let next = at.saturating_add(len);
            let sound = len == expected
                && next <= end
                && (flags & ViewEntry::HAS_CHILD != 0) == has_children;
            if !sound {
                return Err(self.fault::<K>(
                    at,
                    format!("an entry of {expected} bytes"),
                    format!("length {len}, flags {flags:#x}"),
                ));
            }
            let child = match has_children {
                true => bytes::slice(&self.bytes, at.saturating_add(fixed), ViewEntry::CHILD_LEN)
                    .and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?))),
                false => None,
            };
            let item = match last {
                true => None,
                false => Some(self.item(at, head)?),
            };
            if let (Some((key, _)), Some((before, _))) =
                (item, entries.last().and_then(|entry| entry.item))
                && before >= key
            {
                return Err(self.fault::<K>(at, "keys that ascend", "a lower or equal key"));
            }
            entries.push(Entry { at, child, item });
            match (last, next == end) {
                (true, true) => return Ok(entries),
                (true, false) => {
                    return Err(self.fault::<K>(at, "the end of the node", "more after it"));
                }
                (false, _) => at = next,
            }
        }
    }

    /// Key and data of the entry at `at`, whose length is that of one with both.
    fn item<K: Key>(&self, at: usize, head: &ViewEntry) -> Result<(K, SdsHeader), SecurityError> {
        let found = (|| {
            let key_at = at.checked_add(ViewEntry::LEN)?;
            let key = K::read(bytes::slice(&self.bytes, key_at, K::LEN)?)?;
            let data: &SdsHeader = bytes::view(&self.bytes, key_at.checked_add(K::LEN)?)?;
            let as_laid_out = usize::from(head.key_length.get()) == K::LEN
                && usize::from(head.data_offset.get()) == ViewEntry::LEN + K::LEN
                && usize::from(head.data_length.get()) == size_of::<SdsHeader>();
            (as_laid_out && K::of(data) == key).then_some((key, *data))
        })();
        found.ok_or_else(|| {
            self.fault::<K>(
                at,
                format!("a key of {} bytes and the same in its data", K::LEN),
                format!("key length {}, or another key", head.key_length),
            )
        })
    }

    /// Puts an entry into its place in a leaf. `false`, and nothing is changed, where there is no
    /// room.
    pub(super) fn insert<K: Key>(&mut self, data: &SdsHeader) -> Result<bool, SecurityError> {
        let key = K::of(data);
        let entries = self.entries::<K>()?;
        let place = entries
            .iter()
            .find(|entry| entry.item.is_none_or(|(other, _)| other >= key));
        let place = place.ok_or_else(|| self.fault::<K>(0, "a last entry", "none"))?;
        if !self.is_leaf::<K>()? || place.item.is_some_and(|(other, _)| other == key) {
            return Err(self.fault::<K>(place.at, "a leaf without this key", "the key"));
        }
        let at = place.at;
        let header = self.header::<K>()?;
        let grown = header.index_length.get().saturating_add(len_u32::<K>());
        if grown > header.allocated_size.get() {
            return Ok(false);
        }
        let new = new_entry::<K>(data);
        let old_end = self.within(header.index_length.get());
        let moved = bytes::slice(&self.bytes, at, old_end.saturating_sub(at)).map(<[u8]>::to_vec);
        let tail = moved.map(|moved| [new, moved].concat());
        let written = tail.and_then(|tail| {
            bytes::slice_mut(&mut self.bytes, at, tail.len())?.copy_from_slice(&tail);
            let header: &mut IndexHeader = bytes::view_mut(&mut self.bytes, self.header)?;
            header.index_length = grown.into();
            Some(())
        });
        match written {
            Some(()) => Ok(true),
            None => Err(self.fault::<K>(at, "room as the node's header says", "less")),
        }
    }

    /// Lengthens the value of an index root by the room for one entry.
    pub(super) fn make_room<K: Key>(&mut self) -> Result<(), SecurityError> {
        let len = self.bytes.len().saturating_add(entry_len::<K>());
        let allocated = self.header::<K>()?.allocated_size;
        self.bytes.resize(len, 0);
        if let Some(header) = bytes::view_mut::<IndexHeader>(&mut self.bytes, self.header) {
            header.allocated_size = allocated.get().saturating_add(len_u32::<K>()).into();
        }
        Ok(())
    }

    /// The header, whose lengths lie within the node.
    fn header<K: Key>(&self) -> Result<IndexHeader, SecurityError> {
        let header: &IndexHeader = bytes::view(&self.bytes, self.header)
            .ok_or_else(|| self.fault::<K>(self.header, "an index header", "the end"))?;
        let first = self.within(header.entries_offset.get());
        let end = self.within(header.index_length.get());
        let room = self.within(header.allocated_size.get());
        let sound = first >= self.header.saturating_add(size_of::<IndexHeader>())
            && header.entries_offset.get().is_multiple_of(8)
            && first < end
            && end <= room
            && room <= self.bytes.len();
        match sound {
            true => Ok(header.clone()),
            false => Err(self.fault::<K>(
                self.header,
                format!("an index header for {} bytes", self.bytes.len()),
                format!(
                    "entries at {}, end {}, room {}",
                    header.entries_offset, header.index_length, header.allocated_size
                ),
            )),
        }
    }

    /// Where what lies at `offset` from the index header lies in the bytes.
    fn within(&self, offset: u32) -> usize {
        usize::try_from(offset).map_or(usize::MAX, |offset| self.header.saturating_add(offset))
    }

    /// What is wrong at `at` in the bytes.
    pub(super) fn fault<K: Key>(
        &self,
        at: usize,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> SecurityError {
        let at = u64::try_from(at).unwrap_or(u64::MAX);
        SecurityError::Corrupt {
            index: K::NAME,
            part: self.attribute,
            offset: self.base.saturating_add(at),
            expected: expected.into(),
            actual: actual.into(),
        }
    }
}

/// Length of an entry with key and data, without a child.
pub(super) const fn entry_len<K: Key>() -> usize {
    let len = ViewEntry::LEN + K::LEN + size_of::<SdsHeader>();
    len.next_multiple_of(ViewEntry::ALIGN)
}

fn len_u32<K: Key>() -> u32 {
    u32::try_from(entry_len::<K>()).unwrap_or(u32::MAX)
}

/// The bytes of a new entry of a leaf.
fn new_entry<K: Key>(data: &SdsHeader) -> Vec<u8> {
    let number = |len: usize| u16::try_from(len).unwrap_or(u16::MAX);
    let head = ViewEntry {
        data_offset: number(ViewEntry::LEN + K::LEN).into(),
        data_length: number(size_of::<SdsHeader>()).into(),
        reserved: 0.into(),
        length: number(entry_len::<K>()).into(),
        key_length: number(K::LEN).into(),
        flags: 0.into(),
        reserved2: 0.into(),
    };
    let key = K::of(data).bytes();
    [head.as_bytes(), &key, data.as_bytes(), K::PADDING].concat()
}
