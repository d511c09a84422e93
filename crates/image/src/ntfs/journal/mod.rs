//! $LogFile: what Windows will do to the volume when it mounts it next (Linux-NTFS, $LogFile).
//!
//! NTFS notes each change of its own structures in a circular journal before it makes it. After a
//! crash, it redoes the changes from the oldest one on that may not be in the volume yet, and undoes
//! those of transactions that did not end. It does not note the content of files.
//!
//! Nothing is ever replayed here: what the records touch is collected, so that others can be sure to
//! write elsewhere.
//!
//! ```text
//! | restart | restart | copies of the last pages: 2 in version 1, 32 in version 2 | records, circular |
//! ```
//!
//! A number of a record (LSN) is a position, in units of 8 bytes, below a count of how often the
//! journal was filled.

mod error;
mod format;
mod operation;
mod pages;
mod restart;
mod source;
mod tables;
#[cfg(test)]
mod tests;
mod touches;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use diskmend_base::bytes;
use diskmend_base::count::{to_u64, to_usize};

pub use error::JournalError;
pub use operation::Operation;
pub use touches::Touches;

pub(super) use restart::Restart;
pub(super) use source::Source;
pub(super) use touches::Ground;

use super::format::{attribute_type, system};
use error::odd;
use format::{Change, Checkpoint, RecordHeader};
use pages::Pages;
use tables::{OpenAttribute, Table};
use touches::{Collector, Seen};
use walk::Record;

/// The most transactions that are told apart.
const MOST_TRANSACTIONS: usize = 1 << 16;

/// What a journal has to do that was not dismounted.
#[derive(Debug)]
pub struct Journal {
    /// The version of the journal: the parts before and after the dot.
    pub version: (u16, u16),
    /// The oldest record that is needed.
    pub oldest_lsn: u64,
    /// The last checkpoint.
    pub checkpoint_lsn: u64,
    /// The last record.
    pub last_lsn: u64,
    /// The number of records from the oldest one on.
    pub records: u64,
    /// The number of records after the last checkpoint.
    pub since_checkpoint: u64,
    /// The number of transactions that did not end. They will be undone.
    pub unfinished: usize,
    /// The number of changes by what redoes them and what they change.
    pub changes: BTreeMap<(Operation, Target), u64>,
    /// What redoing and undoing all records may change.
    pub touches: Touches,
}

/// What a change changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// FILE records.
    Mft,
    /// The bits of FILE records in use.
    MftBitmap,
    /// The bits of clusters in use.
    Bitmap,
    /// The index of a folder or another index.
    Index,
    /// Data of a system file of the volume, such as `$Secure`, or of `$UsnJrnl`.
    Data,
    /// Another attribute.
    Other,
    /// An attribute that no table tells of.
    Unknown,
    /// Nothing on the volume.
    Nothing,
}

impl Journal {
    /// Reads a copy of $LogFile without its volume, which has this number of clusters, and FILE
    /// records of 1024 bytes. Records of $MFT are then known only as far as the journal's own tables
    /// tell of $MFT.
    ///
    /// # Errors
    /// If the copy isn't understood as a whole.
    pub fn of_copy(
        log_file: &[u8],
        cluster_len: NonZeroU64,
        clusters: u64,
    ) -> Result<Self, JournalError> {
        let ground = Ground::of_sizes(cluster_len.get(), 1024, clusters);
        Self::read(&Source::Bytes(log_file), &ground)
    }

    /// Reads a journal that was not dismounted.
    ///
    /// # Errors
    /// If $LogFile can't be read, or isn't understood as a whole.
    pub(super) fn read(source: &Source<'_>, ground: &Ground) -> Result<Self, JournalError> {
        let lost = || odd("restart pages", 0, "one that is whole", "none");
        let restart = Restart::newest(source)?.ok_or_else(lost)?;
        let shape = restart.shape(source.len())?;
        let mut pages = Pages::read(source, shape)?;
        let mut reader = Reader::new(ground);
        let oldest_lsn = reader.start(&mut pages)?;
        let missing = |what| odd(what, 0, format!("record {oldest_lsn:#x}"), "none");
        let first = walk::record(&mut pages, oldest_lsn)?;
        let mut record = first.ok_or_else(|| missing("oldest record that is needed"))?;
        let (mut records, mut since_checkpoint) = (0_u64, 0_u64);
        loop {
            records = records.saturating_add(1);
            if record.lsn > shape.checkpoint_lsn {
                since_checkpoint = since_checkpoint.saturating_add(1);
            }
            reader.add(&record)?;
            match walk::next(&mut pages, &record)? {
                Some(next) => record = next,
                None => break,
            }
            // Only a hostile journal goes on after a whole round.
            if !shape.is_within_a_round(oldest_lsn, record.lsn) {
                let expected = "the end of the journal before its first record";
                return Err(odd("records", record.offset, expected, "more"));
            }
        }
        let known = [shape.current_lsn, shape.checkpoint_lsn, pages.greatest_lsn];
        let greatest = known.into_iter().max().unwrap_or(0);
        if record.lsn < greatest {
            let expected = format!("record {greatest:#x} after it");
            let found = format!("{:#x}", record.lsn);
            return Err(odd("last record", record.offset, expected, found));
        }
        Ok(Self {
            version: shape.version,
            oldest_lsn,
            checkpoint_lsn: shape.checkpoint_lsn,
            last_lsn: record.lsn,
            records,
            since_checkpoint,
            unfinished: reader.active.len(),
            changes: reader.changes,
            touches: reader.collector.touches,
        })
    }
}

/// What is known of the records so far.
struct Reader<'a> {
    collector: Collector<'a>,
    attributes: BTreeMap<u32, OpenAttribute>,
    /// The transactions that have not ended.
    active: BTreeSet<u32>,
    changes: BTreeMap<(Operation, Target), u64>,
}

impl<'a> Reader<'a> {
    fn new(ground: &'a Ground) -> Self {
        Self {
            collector: Collector::new(ground),
            attributes: BTreeMap::new(),
            active: BTreeSet::new(),
            changes: BTreeMap::new(),
        }
    }

    /// Reads the last checkpoint. Returns the oldest record that is needed.
    fn start(&mut self, pages: &mut Pages<'_>) -> Result<u64, JournalError> {
        let shape = pages.shape;
        let lsn = shape.checkpoint_lsn;
        let missing = || odd("last checkpoint", 0, format!("record {lsn:#x}"), "none");
        let record = walk::record(pages, lsn)?.ok_or_else(missing)?;
        let checkpoint = bytes::view::<Checkpoint>(&record.data, 0);
        let checkpoint = checkpoint.filter(|_| record.kind == RecordHeader::CLIENT_RESTART);
        let checkpoint = checkpoint.ok_or_else(|| {
            let found = format!("type {} with {} bytes", record.kind, record.data.len());
            odd("checkpoint", record.offset, "type 2 with 64 bytes", found)
        })?;
        let major = checkpoint.major_version.get();
        if major > 1 {
            return Err(odd(
                "version of a checkpoint",
                record.offset,
                "0 or 1",
                major,
            ));
        }
        let mut oldest = lsn;
        let mut needs = |lsn: u64| {
            if lsn != 0 {
                oldest = oldest.min(lsn);
            }
        };
        needs(checkpoint.start_lsn.get());
        let dump = |pages: &mut Pages<'_>, lsn: u64, len: u32| dump(pages, lsn, len);
        let (at, len) = (
            checkpoint.open_attributes_lsn,
            checkpoint.open_attributes_length,
        );
        if let Some((data, offset)) = dump(pages, at.get(), len.get())? {
            self.attributes = Table::parse(&data, offset)?.open_attributes()?;
        }
        let (at, len) = (checkpoint.dirty_pages_lsn, checkpoint.dirty_pages_length);
        if let Some((data, offset)) = dump(pages, at.get(), len.get())? {
            for page in Table::parse(&data, offset)?.dirty_pages()? {
                needs(page.oldest_lsn);
                self.collector.add_page(&page, offset)?;
            }
        }
        let (at, len) = (checkpoint.transactions_lsn, checkpoint.transactions_length);
        if let Some((data, offset)) = dump(pages, at.get(), len.get())? {
            for (place, first_lsn) in Table::parse(&data, offset)?.transactions()? {
                needs(first_lsn);
                self.active.insert(place);
            }
        }
        if oldest < shape.oldest_lsn {
            let expected = format!("at least {:#x}", shape.oldest_lsn);
            let found = format!("{oldest:#x}");
            return Err(odd(
                "oldest record that is needed",
                record.offset,
                expected,
                found,
            ));
        }
        Ok(oldest)
    }

    fn add(&mut self, record: &Record) -> Result<(), JournalError> {
        if record.kind != RecordHeader::CLIENT_RECORD {
            return Ok(());
        }
        let offset = record.offset;
        let change = bytes::view::<Change>(&record.data, 0);
        let lost = || odd("change", offset, "at least 32 bytes", record.data.len());
        let change = change.ok_or_else(lost)?;
        let operation = |number: u16| {
            let unknown = || odd("operation", offset, "a known one", format!("{number:#x}"));
            Operation::known(number).ok_or_else(unknown)
        };
        let redo = operation(change.redo_operation.get())?;
        let undo = operation(change.undo_operation.get())?;
        let place = u32::from(change.target_attribute.get());
        if redo == Operation::OPEN_ATTRIBUTE {
            let (at, len) = (change.redo_offset.get(), change.redo_length.get());
            let entry = bytes::slice(&record.data, at.into(), len.into());
            let entry =
                entry.ok_or_else(|| odd("open attribute", offset, "40 or 44 bytes", len))?;
            let attribute = tables::open_attribute(entry, offset)?;
            self.attributes.insert(place, attribute);
        }
        let ends = [Operation::COMMIT_TRANSACTION, Operation::FORGET_TRANSACTION];
        if ends.contains(&redo) {
            self.active.remove(&record.transaction);
        } else if record.transaction != 0 && !redo.is_of_checkpoint() {
            self.active.insert(record.transaction);
            if self.active.len() > MOST_TRANSACTIONS {
                let expected = format!("at most {MOST_TRANSACTIONS}");
                return Err(odd("number of transactions", offset, expected, "more"));
            }
        }
        let attribute = self.attributes.get(&place).copied();
        let count = self
            .changes
            .entry((redo, target(change, attribute)))
            .or_default();
        *count = count.saturating_add(1);
        self.collector.add(Seen {
            change,
            data: &record.data,
            operations: [redo, undo],
            attribute,
            offset,
        })
    }
}

/// The table in the record with a number, and the record's offset; `None` if there is none.
fn dump(pages: &mut Pages<'_>, lsn: u64, len: u32) -> Result<Option<(Vec<u8>, u64)>, JournalError> {
    if lsn == 0 || len == 0 {
        return Ok(None);
    }
    let missing = || {
        odd(
            "table of a checkpoint",
            0,
            format!("record {lsn:#x}"),
            "none",
        )
    };
    let mut record = walk::record(pages, lsn)?.ok_or_else(missing)?;
    let start = bytes::view::<Change>(&record.data, 0).map(|change| change.redo_offset.get());
    let data = start.and_then(|at| bytes::slice(&record.data, at.into(), to_usize(len)));
    let Some(start) = start.filter(|_| data.is_some()) else {
        let expected = format!("{len} bytes");
        let found = to_u64(record.data.len());
        return Err(odd("table of a checkpoint", record.offset, expected, found));
    };
    record.data.drain(..usize::from(start));
    record.data.truncate(to_usize(len));
    Ok(Some((record.data, record.offset)))
}

fn target(change: &Change, attribute: Option<OpenAttribute>) -> Target {
    if change.lcns_to_follow.get() == 0 {
        return Target::Nothing;
    }
    let Some(OpenAttribute { file, kind }) = attribute else {
        return Target::Unknown;
    };
    match (file.record, kind) {
        (system::MFT, attribute_type::DATA) => Target::Mft,
        (system::MFT, attribute_type::BITMAP) => Target::MftBitmap,
        (system::BITMAP, attribute_type::DATA) => Target::Bitmap,
        (_, attribute_type::INDEX_ALLOCATION | attribute_type::BITMAP) => Target::Index,
        (_, attribute_type::DATA) => Target::Data,
        _ => Target::Other,
    }
}
