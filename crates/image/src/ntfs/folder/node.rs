//! A node of a folder's index, read entry by entry.

use diskmend_base::bytes;
use diskmend_base::count::to_u64;

use crate::ntfs::error::Corruption;
use crate::ntfs::index::{self, IndexEntry, Mismatch};

/// A node that is read entry by entry.
pub(super) struct Node {
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
    /// The node with its header at `header` of `data`, and at `place` of the volume.
    ///
    /// # Errors
    /// Entries that are not inside the node.
    pub(super) fn new(data: Vec<u8>, header: usize, place: u64) -> Result<Self, Corruption> {
        let (_, entries) = index::header(&data, header).map_err(|mismatch| {
            let Mismatch { expected, actual } = mismatch;
            Corruption::new("index node", place, expected, actual)
        })?;
        Ok(Self {
            data,
            header,
            place,
            end: entries.end,
            next: Some(entries.start),
        })
    }

    /// Offset of its header in the volume.
    pub(super) fn place(&self) -> u64 {
        self.place
    }

    /// The next entry; `None` after the last one.
    ///
    /// # Errors
    /// An entry that is not inside the node, or a node that does not end.
    pub(super) fn next(&mut self) -> Result<Option<IndexEntry<'_>>, Corruption> {
        let Some(at) = self.next else {
            return Ok(None);
        };
        let used = bytes::slice(&self.data, self.header, self.end);
        let entry = used.and_then(|used| index::entry(used, at));
        let entry = entry.ok_or_else(|| {
            let place = self.place.saturating_add(to_u64(at));
            Corruption::new("index node", place, "a whole entry", "none")
        })?;
        // Not an overflow: the entry is within the node. It is longer than its header.
        self.next = (!entry.is_last).then(|| at.saturating_add(entry.len));
        Ok(Some(entry))
    }

    /// Skips the entries that have not been read.
    pub(super) fn skip_rest(&mut self) {
        self.next = None;
    }

    /// The memory, for reuse by another node.
    pub(super) fn into_data(self) -> Vec<u8> {
        self.data
    }
}
