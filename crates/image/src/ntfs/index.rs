//! What all indexes have in common: their root describes their blocks, and nodes consist of entries
//! (Linux-NTFS, Index root, Index header and entry).
//!
//! Everything that is read here is inside its node, and no entry has a length of zero. The keys,
//! and their order, are checked by `folder` and `secure`.

use std::num::NonZeroU64;
use std::ops::{Range, RangeInclusive};

use diskmend_base::bytes;
use diskmend_base::count::to_usize;

use super::disk::Disk;
use super::error::VolumeError;
use super::fixup;
use super::format::{
    FIXUP_STRIDE, IndexBlock, IndexEntryHeader, IndexHeader, IndexRoot, ProtectedHeader,
};
use super::stream::Stream;
use zerocopy::IntoBytes;

/// The possible lengths of a block in bytes.
const BLOCK_LENS: RangeInclusive<u64> = 512..=64 << 10;
/// The unit of the length of an index's `$BITMAP`, in bytes.
const BITMAP_UNIT: usize = 8;
/// The unit of the blocks' numbers if a block is smaller than a cluster, in bytes.
const SMALL_UNIT: NonZeroU64 = NonZeroU64::new(512).unwrap();

/// The lengths and numbers of the blocks of an index.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// The length of a block.
    pub(crate) block_len: NonZeroU64,
    /// The number of bytes that the blocks' numbers count.
    unit: NonZeroU64,
}

/// The reason why a structure is not one of an expected index.
pub(crate) struct Mismatch {
    pub(crate) expected: String,
    pub(crate) actual: String,
}

impl Shape {
    /// The description in the value of `$INDEX_ROOT`. The index must compare its keys by `rule`.
    pub(crate) fn of(root: &[u8], rule: u32, cluster_len: NonZeroU64) -> Result<Self, Mismatch> {
        let head: Option<&IndexRoot> = bytes::view(root, 0);
        let head = head.map(|head| (head.collation_rule.get(), head.index_block_size.get()));
        let block_len = head
            .filter(|(found, _)| *found == rule)
            .and_then(|(_, len)| NonZeroU64::new(len.into()))
            .filter(|len| len.is_power_of_two() && BLOCK_LENS.contains(&len.get()));
        let block_len = block_len.ok_or_else(|| Mismatch {
            expected: format!(
                "collation rule {rule:#x}, and blocks of a power of two from {} to {} bytes",
                BLOCK_LENS.start(),
                BLOCK_LENS.end()
            ),
            actual: match head {
                Some((rule, len)) => format!("collation rule {rule:#x}, and blocks of {len} bytes"),
                None => format!("{} bytes", root.len()),
            },
        })?;
        let unit = if cluster_len <= block_len {
            cluster_len
        } else {
            SMALL_UNIT
        };
        Ok(Self { block_len, unit })
    }

    /// The position in `$INDEX_ALLOCATION` of the block with this number; `None` if no block can
    /// have it.
    pub(crate) fn position(self, number: u64) -> Option<u64> {
        number
            .checked_mul(self.unit.get())
            .filter(|at| *at % self.block_len == 0)
    }

    /// The number of the block at `position`.
    pub(crate) fn number(self, position: u64) -> u64 {
        position / self.unit
    }
}

/// Reads the block at `position` of `$INDEX_ALLOCATION`, and returns its offset in the volume.
pub(crate) fn read_block(
    disk: &Disk,
    allocation: &Stream,
    block: &mut [u8],
    position: u64,
) -> Result<u64, VolumeError> {
    allocation.read(disk, block, position)?;
    let layout = allocation.layout();
    let offset = layout.and_then(|layout| layout.position(position));
    let offset = offset.unwrap_or(position);
    fixup::unprotect(block, IndexBlock::MAGIC, offset)?;
    Ok(offset)
}

/// The number that a block states; `None` if its signature is another.
pub(crate) fn number_of(block: &[u8]) -> Option<u64> {
    let head: &IndexBlock = bytes::view(block, 0)?;
    (head.protected.magic == IndexBlock::MAGIC).then(|| head.vcn.get())
}

/// The header at `at` of `data`, and the part of its node that the entries occupy.
pub(crate) fn header(data: &[u8], at: usize) -> Result<(&IndexHeader, Range<usize>), Mismatch> {
    let len = data.len().saturating_sub(at);
    let wrong = |actual| Mismatch {
        expected: format!("an index header for {len} bytes"),
        actual,
    };
    let found: Option<&IndexHeader> = bytes::view(data, at);
    let header = found.ok_or_else(|| wrong("the end".to_owned()))?;
    let first = to_usize(header.entries_offset.get());
    let end = to_usize(header.index_length.get());
    if first < size_of::<IndexHeader>() || first > end || end > len {
        return Err(wrong(format!("entries from {first} to {end}")));
    }
    Ok((header, first..end))
}

/// An entry of a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexEntry<'a> {
    /// Its length, which is not 0.
    pub(crate) len: usize,
    /// The reference of its file, or the place of its data.
    pub(crate) reference: u64,
    /// Offset of its key in the node.
    pub(crate) key_at: usize,
    /// Its key; empty in the last entry.
    pub(crate) key: &'a [u8],
    /// What follows the key.
    pub(crate) rest: &'a [u8],
    /// The node with keys that come before its own.
    pub(crate) child: Option<u64>,
    /// True if it is the entry that ends the node.
    pub(crate) is_last: bool,
}

/// The entry at `at` of `used`, the node up to the end of its entries; `None` if it is not inside.
pub(crate) fn entry(used: &[u8], at: usize) -> Option<IndexEntry<'_>> {
    let header: &IndexEntryHeader = bytes::view(used, at)?;
    let len = usize::from(header.length.get());
    let flags = header.flags.get();
    let is_last = flags & IndexEntryHeader::FLAG_LAST != 0;
    let mut body = bytes::slice(used, at, len)?;
    let child = if flags & IndexEntryHeader::FLAG_CHILD == 0 {
        None
    } else {
        let (rest, child) = body.split_last_chunk()?;
        body = rest;
        Some(u64::from_le_bytes(*child))
    };
    let body = body.get(size_of::<IndexEntryHeader>()..)?;
    let key_len = if is_last { 0 } else { header.key_length.get() };
    let (key, rest) = body.split_at_checked(key_len.into())?;
    Some(IndexEntry {
        len,
        reference: header.reference.get(),
        key_at: at.checked_add(size_of::<IndexEntryHeader>())?,
        key,
        rest,
        child,
        is_last,
    })
}

/// The bytes of an empty block of `len` bytes with the number `number`.
pub(crate) fn new_block(len: usize, number: u64) -> Vec<u8> {
    let count = (len / FIXUP_STRIDE).saturating_add(1);
    let first = size_of::<IndexBlock>().saturating_add(count.saturating_mul(2));
    let first = first.next_multiple_of(IndexEntryHeader::ALIGN);
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
            index_length: offset(first.saturating_add(size_of::<IndexEntryHeader>())).into(),
            allocated_size: offset(len).into(),
            flags: 0,
            reserved: [0; 3],
        },
    };
    let mut bytes = head.as_bytes().to_vec();
    bytes.resize(len, 0);
    bytes
}

/// Sets or clears the bit of a block in the value of an index's `$BITMAP`, which gets longer if
/// that is necessary.
pub(crate) fn set_bit(bits: &mut Vec<u8>, number: u64, value: bool) {
    let at = to_usize(number / 8);
    if at >= bits.len() {
        bits.resize(at.saturating_add(1).next_multiple_of(BITMAP_UNIT), 0);
    }
    if let Some(cell) = bits.get_mut(at) {
        let mask = 1 << (number % 8);
        if value {
            *cell |= mask;
        } else {
            *cell &= !mask;
        }
    }
}

/// True if the value of an index's `$BITMAP` marks the block with this ordinal number as used.
pub(crate) fn has_bit(bits: &[u8], number: u64) -> bool {
    let byte = usize::try_from(number / 8)
        .ok()
        .and_then(|at| bits.get(at).copied());
    byte.is_some_and(|byte| byte >> (number % 8) & 1 != 0)
}

#[expect(
    clippy::expect_used,
    reason = "a block has at most 129 update sequence numbers, and an entry of a folder 600 bytes"
)]
pub(crate) fn number_u16(len: usize) -> u16 {
    u16::try_from(len).expect("a length within an entry")
}

#[expect(
    clippy::expect_used,
    reason = "a block has at most 64 KiB, and a root as many as its record"
)]
pub(crate) fn number_u32(offset: usize) -> u32 {
    u32::try_from(offset).expect("an offset within a node")
}
