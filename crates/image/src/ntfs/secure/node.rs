//! One node of a view index: checks its entries, and lays them out again (Linux-NTFS, Index
//! Header).

use diskmend_base::bytes;
use diskmend_base::count::{to_u64, to_usize};
use zerocopy::IntoBytes;

use super::error::SecurityError;
use super::format::{NODE_HAS_CHILDREN, SdsHeader, ViewEntry};
use super::key::Key;
use crate::ntfs::format::{FIXUP_STRIDE, IndexBlock, IndexHeader, IndexRoot, ProtectedHeader};

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
        let count = (len / FIXUP_STRIDE).saturating_add(1);
        let first = size_of::<IndexBlock>().saturating_add(count.saturating_mul(2));
        let first = first.next_multiple_of(ViewEntry::ALIGN);
        let offset = |at: usize| number_u32(at.saturating_sub(IndexBlock::NODE));
        let head = IndexBlock {
            protected: ProtectedHeader {
                magic: IndexBlock::MAGIC,
                usa_offset: number_u16(size_of::<IndexBlock>()).into(),
                usa_count: number_u16(count).into(),
            },
            lsn: 0.into(),
            vcn: number.into(),
            index: IndexHeader {
                entries_offset: offset(first).into(),
                index_length: offset(first.saturating_add(ViewEntry::LEN)).into(),
                allocated_size: offset(len).into(),
                flags: 0,
                reserved: [0; 3],
            },
        };
        let mut bytes = head.as_bytes().to_vec();
        bytes.resize(len, 0);
        Self::block(bytes, base)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All entries, with ascending keys; the last is marked as such.
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
            let fixed = if last {
                ViewEntry::LEN
            } else {
                entry_len::<K>()
            };
            let child_len = if has_children {
                ViewEntry::CHILD_LEN
            } else {
                0
            };
            let expected = fixed.saturating_add(child_len);
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
            let child = if has_children {
                let child = bytes::u64_at(&self.bytes, at.saturating_add(fixed));
                Some(child.ok_or_else(|| self.fault::<K>(at, "a child", "the end of the node"))?)
            } else {
                None
            };
            let item = if last {
                None
            } else {
                Some(self.item(at, head)?)
            };
            if let (Some((key, _)), Some((before, _))) =
                (item, entries.last().and_then(|entry| entry.item))
                && before >= key
            {
                return Err(self.fault::<K>(at, "keys that ascend", "a lower or equal key"));
            }
            entries.push(Entry { child, item });
            if last && next == end {
                return Ok(entries);
            }
            if last {
                return Err(self.fault::<K>(at, "the end of the node", "more after it"));
            }
            at = next;
        }
    }

    /// Key and data of the entry at `at`, which must have the length of an entry with both.
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

    /// This node with other entries, the last of which has no key; `None` if they do not fit. The
    /// value of an index root gets the length that they need.
    pub(super) fn with<K: Key>(&self, entries: &[Entry<K>]) -> Result<Option<Self>, SecurityError> {
        let header = self.header::<K>()?;
        let start = self.within(header.entries_offset.get());
        let laid_out: Vec<u8> = entries.iter().flat_map(entry_bytes).collect();
        let end = start.saturating_add(laid_out.len());
        let mut node = self.clone();
        let room = match self.header {
            IndexRoot::NODE => {
                node.bytes.resize(end, 0);
                end
            }
            _ => self.within(header.allocated_size.get()),
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
            header.flags &= !NODE_HAS_CHILDREN;
            if entries.iter().any(|entry| entry.child.is_some()) {
                header.flags |= NODE_HAS_CHILDREN;
            }
        }
        Ok(Some(node))
    }

    /// The header, with lengths that are inside the node.
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
        if sound {
            return Ok(header.clone());
        }
        Err(self.fault::<K>(
            self.header,
            format!("an index header for {} bytes", self.bytes.len()),
            format!(
                "entries at {}, end {}, room {}",
                header.entries_offset, header.index_length, header.allocated_size
            ),
        ))
    }

    /// The position in the bytes of an `offset` from the index header.
    fn within(&self, offset: u32) -> usize {
        self.header.saturating_add(to_usize(offset))
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

/// The length of an entry with key and data, without a child.
pub(super) const fn entry_len<K: Key>() -> usize {
    let len = ViewEntry::LEN + K::LEN + size_of::<SdsHeader>();
    len.next_multiple_of(ViewEntry::ALIGN)
}

/// The bytes of an entry.
fn entry_bytes<K: Key>(entry: &Entry<K>) -> Vec<u8> {
    let child = entry.child.map(u64::to_le_bytes);
    let child = child.as_ref().map_or(&[][..], |child| child);
    let flag = |condition, flag| if condition { flag } else { 0 };
    let flags = flag(entry.child.is_some(), ViewEntry::HAS_CHILD)
        | flag(entry.item.is_none(), ViewEntry::LAST);
    let Some((key, data)) = entry.item else {
        let head = ViewEntry {
            data_offset: 0.into(),
            data_length: 0.into(),
            reserved: 0.into(),
            length: number_u16(ViewEntry::LEN.saturating_add(child.len())).into(),
            key_length: 0.into(),
            flags: flags.into(),
            reserved2: 0.into(),
        };
        return [head.as_bytes(), child].concat();
    };
    let head = ViewEntry {
        data_offset: number_u16(ViewEntry::LEN.saturating_add(K::LEN)).into(),
        data_length: number_u16(size_of::<SdsHeader>()).into(),
        reserved: 0.into(),
        length: number_u16(entry_len::<K>().saturating_add(child.len())).into(),
        key_length: number_u16(K::LEN).into(),
        flags: flags.into(),
        reserved2: 0.into(),
    };
    let padding = K::PADDING;
    [
        head.as_bytes(),
        &key.bytes(),
        data.as_bytes(),
        padding,
        child,
    ]
    .concat()
}

#[expect(
    clippy::expect_used,
    reason = "an entry has at most 56 bytes, and a block 129 update sequence numbers"
)]
fn number_u16(len: usize) -> u16 {
    u16::try_from(len).expect("a length within an entry")
}

#[expect(
    clippy::expect_used,
    reason = "a block has at most 64 KiB, and a root as many as its record"
)]
fn number_u32(offset: usize) -> u32 {
    u32::try_from(offset).expect("an offset within a node")
}
