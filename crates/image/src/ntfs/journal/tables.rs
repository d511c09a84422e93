//! The tables of a checkpoint.

use std::collections::BTreeMap;

use diskmend_base::bytes;
use diskmend_base::count::to_u64;
use zerocopy::byteorder::little_endian::U64;

use super::super::place::FileId;
use super::error::{JournalError, odd};
use super::format::{
    DirtyPage32, DirtyPage64, OpenAttribute32, OpenAttribute64, TableHeader, Transaction,
};

/// The first bytes of an entry that is in use.
pub(super) const IN_USE: u32 = 0xFFFF_FFFF;
/// The most clusters of a page in memory: 64 KiB in clusters of 512 bytes.
const MOST_CLUSTERS: u32 = 128;

/// An attribute that records name by its place in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OpenAttribute {
    pub file: FileId,
    pub kind: u32,
}

/// A page in memory that differed from the volume.
pub(super) struct DirtyPage {
    pub oldest_lsn: u64,
    pub lcns: Vec<u64>,
}

/// A table of the record at `offset` of the journal.
pub(super) struct Table<'a> {
    data: &'a [u8],
    entry_len: usize,
    offset: u64,
}

impl<'a> Table<'a> {
    pub(super) fn parse(data: &'a [u8], offset: u64) -> Result<Self, JournalError> {
        let lost = || odd("table", offset, "a header of 24 bytes", data.len());
        let header = bytes::view::<TableHeader>(data, 0).ok_or_else(lost)?;
        let (entry_len, entries) = (header.entry_size.get(), header.entries.get());
        let rest = data.get(size_of::<TableHeader>()..).ok_or_else(lost)?;
        let needed = usize::from(entry_len).checked_mul(entries.into());
        let all = needed.and_then(|needed| rest.get(..needed));
        let Some(all) = all.filter(|_| entry_len >= 8) else {
            let expected = format!("{entries} entries of {entry_len} bytes");
            return Err(odd("table", offset, expected, rest.len()));
        };
        Ok(Self {
            data: all,
            entry_len: entry_len.into(),
            offset,
        })
    }

    /// The entries in use, with their places.
    fn entries(&self) -> impl Iterator<Item = (u32, &'a [u8])> {
        let chunks = self.data.chunks_exact(self.entry_len).enumerate();
        let len = self.entry_len;
        chunks.filter_map(move |(index, entry)| {
            let place = index.checked_mul(len)?;
            let place = place.checked_add(size_of::<TableHeader>())?;
            (bytes::u32_at(entry, 0)? == IN_USE).then_some((u32::try_from(place).ok()?, entry))
        })
    }

    pub(super) fn open_attributes(&self) -> Result<BTreeMap<u32, OpenAttribute>, JournalError> {
        let mut all = BTreeMap::new();
        for (place, entry) in self.entries() {
            all.insert(place, open_attribute(entry, self.offset)?);
        }
        Ok(all)
    }

    pub(super) fn dirty_pages(&self) -> Result<Vec<DirtyPage>, JournalError> {
        self.entries()
            .map(|(_, entry)| dirty_page(entry, self.offset))
            .collect()
    }

    /// The first records of the transactions.
    pub(super) fn transactions(&self) -> Result<Vec<(u32, u64)>, JournalError> {
        let each = self.entries().map(|(place, entry)| {
            let lost = || odd("transaction", self.offset, "32 bytes", entry.len());
            let found = bytes::view::<Transaction>(entry, 0).ok_or_else(lost)?;
            Ok((place, found.first_lsn.get()))
        });
        each.collect()
    }
}

/// Parses an open attribute; its length tells the two forms apart.
pub(super) fn open_attribute(entry: &[u8], offset: u64) -> Result<OpenAttribute, JournalError> {
    let (file, kind) = if entry.len() == size_of::<OpenAttribute64>() {
        let found = bytes::view::<OpenAttribute64>(entry, 0);
        found.map(|found| (found.file, found.kind)).unzip()
    } else {
        let is_known = entry.len() == size_of::<OpenAttribute32>();
        let found = bytes::view::<OpenAttribute32>(entry, 0).filter(|_| is_known);
        found.map(|found| (found.file, found.kind)).unzip()
    };
    match (file, kind) {
        (Some(file), Some(kind)) => Ok(OpenAttribute {
            file: FileId::from_reference(file.get()),
            kind: kind.get(),
        }),
        _ => Err(odd("open attribute", offset, "40 or 44 bytes", entry.len())),
    }
}

/// Parses a page. Its number of clusters, which is at the same place in both forms, and the length
/// of the entry tell these apart.
fn dirty_page(entry: &[u8], offset: u64) -> Result<DirtyPage, JournalError> {
    let lost = || odd("dirty page", offset, "40 bytes, or 44", entry.len());
    let count = bytes::view::<DirtyPage64>(entry, 0).ok_or_else(lost)?;
    let count = count.lcns_to_follow.get();
    if count > MOST_CLUSTERS {
        return Err(odd(
            "clusters of a dirty page",
            offset,
            "at most 128",
            count,
        ));
    }
    let of_32 = size_of::<DirtyPage32>();
    let of_64 = size_of::<DirtyPage64>();
    let is_64 = to_u64(entry.len()).is_multiple_of(8);
    let count = usize::try_from(count).map_err(|_| lost())?;
    let (at, oldest_lsn) = if is_64 {
        let found = bytes::view::<DirtyPage64>(entry, 0).ok_or_else(lost)?;
        (of_64, found.oldest_lsn)
    } else {
        let found = bytes::view::<DirtyPage32>(entry, 0).ok_or_else(lost)?;
        (of_32, found.oldest_lsn)
    };
    let lcns = bytes::view_many::<U64>(entry, at, count).ok_or_else(lost)?;
    Ok(DirtyPage {
        oldest_lsn: oldest_lsn.get(),
        lcns: lcns.iter().map(|lcn| lcn.get()).collect(),
    })
}
