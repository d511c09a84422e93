//! A node of an index: entries in the order of their keys (Linux-NTFS, Index header and entry).

use diskmend_base::bytes;
use diskmend_base::count::{to_u64, to_usize};

use super::error::Corruption;
use super::format::{IndexEntryHeader, IndexHeader};

/// An entry of a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeEntry<'a> {
    /// Offset of its key in the node.
    pub(crate) key_at: usize,
    /// Its key; empty in the last entry.
    pub(crate) key: &'a [u8],
    /// Its reference.
    pub(crate) file: u64,
    /// The node with keys that come before its own.
    pub(crate) child: Option<u64>,
    /// True if it is the entry that ends the node.
    pub(crate) is_last: bool,
}

/// A node that is read entry by entry.
pub(crate) struct Node {
    data: Vec<u8>,
    /// Offset of its header in `data`.
    header: usize,
    /// Offset of its header in the volume.
    place: u64,
    /// The end of its entries.
    end: usize,
    /// The entry that is read next; `None` after the last one.
    next: Option<usize>,
}

impl Node {
    /// The node whose header is at `header` of `data`, and at `place` of the volume.
    ///
    /// # Errors
    /// Entries that are not inside the node.
    pub(crate) fn new(data: Vec<u8>, header: usize, place: u64) -> Result<Self, Corruption> {
        let (len, wrong) = (data.len().saturating_sub(header), |expected, actual| {
            Corruption::new("index node", place, expected, actual)
        });
        let found = bytes::view::<IndexHeader>(&data, header)
            .ok_or_else(|| wrong("a header", format!("{len} bytes")))?;
        let first = to_usize(found.entries_offset.get());
        let end = to_usize(found.index_length.get());
        if first < size_of::<IndexHeader>() || first > end || end > len {
            return Err(wrong("entries within it", format!("{first} to {end}")));
        }
        Ok(Self {
            data,
            header,
            place,
            end,
            next: Some(first),
        })
    }

    /// Offset of its header in the volume.
    pub(crate) fn place(&self) -> u64 {
        self.place
    }

    /// The next entry; `None` after the last one.
    ///
    /// # Errors
    /// An entry that is not inside the node, or a node that does not end.
    pub(crate) fn next(&mut self) -> Result<Option<NodeEntry<'_>>, Corruption> {
        let Some(at) = self.next else {
            return Ok(None);
        };
        let used = bytes::slice(&self.data, self.header, self.end);
        let (entry, len) = used.and_then(|used| entry(used, at)).ok_or_else(|| {
            let place = to_u64(at);
            let place = self.place.saturating_add(place);
            Corruption::new("index node", place, "a whole entry", "none")
        })?;
        // Not an overflow: the entry is within the node. It is longer than its header.
        self.next = (!entry.is_last).then(|| at.saturating_add(len));
        Ok(Some(entry))
    }

    /// Skips the entries that have not been read.
    pub(crate) fn skip_rest(&mut self) {
        self.next = None;
    }

    /// The memory, for reuse by another node.
    pub(crate) fn into_data(self) -> Vec<u8> {
        self.data
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
    let child = if has_child {
        Some(bytes::u64_at(data, key_end)?)
    } else {
        None
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
