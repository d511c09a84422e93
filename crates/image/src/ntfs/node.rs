//! A node of an index: entries in the order of their keys (Linux-NTFS, Index header and entry).

use super::error::Corruption;
use super::format::{IndexEntryHeader, IndexHeader};
use crate::bytes;

/// An entry of a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeEntry<'a> {
    /// Offset of its key in the node.
    pub(crate) key_at: usize,
    /// Its key; empty in the last entry.
    pub(crate) key: &'a [u8],
    /// The reference that it holds.
    pub(crate) file: u64,
    /// The node whose keys come before its own.
    pub(crate) child: Option<u64>,
    /// Whether it is the one that ends the node.
    pub(crate) is_last: bool,
}

/// All entries of the node that begins with its header at the start of `node`, which lies at
/// `offset` of the volume.
///
/// # Errors
/// Entries that do not lie within the node, or do not end.
pub(crate) fn entries(node: &[u8], offset: u64) -> Result<Vec<NodeEntry<'_>>, Corruption> {
    let wrong = |at: usize, expected: &'static str, actual: String| {
        let at = u64::try_from(at).unwrap_or(u64::MAX);
        Corruption::new("index node", offset.saturating_add(at), expected, actual)
    };
    let header = bytes::view::<IndexHeader>(node, 0)
        .ok_or_else(|| wrong(0, "a header", format!("{} bytes", node.len())))?;
    let first = usize::try_from(header.entries_offset.get()).unwrap_or(usize::MAX);
    let end = usize::try_from(header.index_length.get()).unwrap_or(usize::MAX);
    let used = node
        .get(..end)
        .filter(|_| first >= size_of::<IndexHeader>() && first <= end)
        .ok_or_else(|| wrong(0, "entries within it", format!("{first} to {end}")))?;
    let mut entries = Vec::new();
    let mut at = first;
    loop {
        let (entry, len) =
            entry(used, at).ok_or_else(|| wrong(at, "a whole entry", "none".to_owned()))?;
        entries.push(entry);
        if entry.is_last {
            return Ok(entries);
        }
        // Not an overflow: the entry lies within the node. It is longer than its header.
        at = at.saturating_add(len);
    }
}

fn entry(used: &[u8], at: usize) -> Option<(NodeEntry<'_>, usize)> {
    let header = bytes::view::<IndexEntryHeader>(used, at)?;
    let len = usize::from(header.length.get());
    let data = bytes::slice(used, at, len)?;
    let flags = header.flags.get();
    let has_child = flags & IndexEntryHeader::FLAG_CHILD != 0;
    let is_last = flags & IndexEntryHeader::FLAG_LAST != 0;
    let child_len = if has_child { size_of::<u64>() } else { 0 };
    let start = size_of::<IndexEntryHeader>();
    let key_end = len.checked_sub(child_len).filter(|end| *end >= start)?;
    let child = match has_child {
        false => None,
        true => Some(u64::from_le_bytes(
            bytes::slice(data, key_end, child_len)?.try_into().ok()?,
        )),
    };
    let key_len = if is_last {
        0
    } else {
        usize::from(header.key_length.get())
    };
    let key = bytes::slice(data.get(..key_end)?, start, key_len)?;
    let entry = NodeEntry {
        key_at: at.checked_add(start)?,
        key,
        file: header.file.get(),
        child,
        is_last,
    };
    Some((entry, len))
}
