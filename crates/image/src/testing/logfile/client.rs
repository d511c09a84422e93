//! What NTFS stores in the records of the log: operations, tables, and restart areas.

use super::bytes::{put, put_u16, put_u32, put_u64};
use super::lfs::Version;

/// What a record does, `NTFS_LOG_OPERATION`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum Operation {
    /// Nothing.
    Noop = 0x00,
    /// As what undoes: the record itself has undone another, or ends a transaction.
    CompensationLogRecord = 0x01,
    /// Writes a FILE record from its start.
    InitializeFileRecordSegment = 0x02,
    /// Marks a FILE record as unused.
    DeallocateFileRecordSegment = 0x03,
    /// Replaces the end of a FILE record.
    WriteEndOfFileRecordSegment = 0x04,
    /// Inserts an attribute.
    CreateAttribute = 0x05,
    /// Removes an attribute.
    DeleteAttribute = 0x06,
    /// Replaces bytes of a resident value, up to its end if the length changes.
    UpdateResidentValue = 0x07,
    /// Replaces bytes in clusters.
    UpdateNonresidentValue = 0x08,
    /// Replaces mapping pairs up to their end.
    UpdateMappingPairs = 0x09,
    /// Forgets changes of clusters that were given up.
    DeleteDirtyClusters = 0x0A,
    /// Replaces the sizes of an attribute in clusters.
    SetNewAttributeSizes = 0x0B,
    /// Inserts an entry into an index root.
    AddIndexEntryRoot = 0x0C,
    /// Removes an entry of an index root.
    DeleteIndexEntryRoot = 0x0D,
    /// Inserts an entry into an index block.
    AddIndexEntryAllocation = 0x0E,
    /// Removes an entry of an index block.
    DeleteIndexEntryAllocation = 0x0F,
    /// Replaces the end of an index block.
    WriteEndOfIndexBuffer = 0x10,
    /// Replaces the child of an entry of an index root.
    SetIndexEntryVcnRoot = 0x11,
    /// Replaces the child of an entry of an index block.
    SetIndexEntryVcnAllocation = 0x12,
    /// Replaces times and sizes in an entry of an index root.
    UpdateFileNameRoot = 0x13,
    /// Replaces times and sizes in an entry of an index block.
    UpdateFileNameAllocation = 0x14,
    /// Sets bits of a bitmap.
    SetBitsInNonresidentBitMap = 0x15,
    /// Clears bits of a bitmap.
    ClearBitsInNonresidentBitMap = 0x16,
    /// Tells that a bad cluster was replaced.
    HotFix = 0x17,
    /// Ends a part of a transaction that is never undone.
    EndTopLevelAction = 0x18,
    /// Tells that a transaction is about to commit.
    PrepareTransaction = 0x19,
    /// Tells that a transaction is committed.
    CommitTransaction = 0x1A,
    /// Ends a transaction.
    ForgetTransaction = 0x1B,
    /// Adds an attribute to the table of open attributes.
    OpenNonresidentAttribute = 0x1C,
    /// The table of open attributes.
    OpenAttributeTableDump = 0x1D,
    /// The names of open attributes.
    AttributeNamesDump = 0x1E,
    /// The table of dirty pages.
    DirtyPageTableDump = 0x1F,
    /// The table of transactions.
    TransactionTableDump = 0x20,
    /// Replaces the data of an entry of a view index's root.
    UpdateRecordDataRoot = 0x21,
    /// Replaces the data of an entry of a view index's block.
    UpdateRecordDataAllocation = 0x22,
}

/// An operation and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The operation.
    pub operation: Operation,
    /// Its bytes.
    pub data: Vec<u8>,
}

impl Action {
    /// An operation with bytes.
    #[must_use]
    pub fn new(operation: Operation, data: Vec<u8>) -> Self {
        Self { operation, data }
    }

    /// An operation without bytes.
    #[must_use]
    pub const fn bare(operation: Operation) -> Self {
        Self {
            operation,
            data: Vec::new(),
        }
    }
}

/// What an operation changes, as the log names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of the attribute in the table of open attributes.
    pub(super) attribute: u16,
    /// Offset of the attribute in the FILE record, or of the bytes in a page.
    pub(super) record_offset: u16,
    /// Offset in the attribute, or of an entry in an index block.
    pub(super) attribute_offset: u16,
    /// Offset in the cluster of the FILE record, in units of 512 bytes.
    pub(super) block: u16,
    /// The length of the FILE record or index block in units of 512 bytes.
    pub(super) block_len: u16,
    /// First cluster of the attribute that is changed.
    pub(super) vcn: u64,
    /// The position of this cluster on the volume, if the record changes a page.
    pub(super) lcn: Option<u64>,
}

/// The data of a record.
pub(super) fn encode(place: &Place, redo: &Action, undo: &Action) -> Vec<u8> {
    const FIXED: usize = 0x28;
    // Windows stores equal bytes of both once.
    let redo_len = redo.data.len().next_multiple_of(8);
    let undo_at = FIXED + redo_len;
    let mut data = vec![0; undo_at + undo.data.len().next_multiple_of(8)];
    put_u16(&mut data, 0, redo.operation as u16);
    put_u16(&mut data, 2, undo.operation as u16);
    put_u16(&mut data, 4, FIXED as u16);
    put_u16(&mut data, 6, redo.data.len() as u16);
    put_u16(&mut data, 8, undo_at as u16);
    put_u16(&mut data, 0xA, undo.data.len() as u16);
    put_u16(&mut data, 0xC, place.attribute);
    put_u16(&mut data, 0xE, u16::from(place.lcn.is_some()));
    put_u16(&mut data, 0x10, place.record_offset);
    put_u16(&mut data, 0x12, place.attribute_offset);
    put_u16(&mut data, 0x14, place.block);
    put_u16(&mut data, 0x16, place.block_len);
    put_u64(&mut data, 0x18, place.vcn);
    put_u64(&mut data, 0x20, place.lcn.unwrap_or(0));
    put(&mut data, FIXED, &redo.data);
    put(&mut data, undo_at, &undo.data);
    data
}

/// An attribute in the table of open attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OpenAttribute {
    /// Reference of the file, with its sequence number.
    pub(super) file: u64,
    pub(super) kind: u32,
    pub(super) name: String,
    /// For $INDEX_ALLOCATION: the length of a block.
    pub(super) index_block: u32,
    /// The LSN of the last record before it was opened.
    pub(super) lsn: u64,
}

/// Entries of a table begin after its header.
const TABLE: usize = 0x18;
/// Marks an entry that is used.
const USED: u32 = 0xFFFF_FFFF;

/// The length of an entry of the table of open attributes.
pub(super) const fn open_entry_len(version: Version) -> usize {
    match version {
        Version::V1 => 0x2C,
        Version::V1NewTables | Version::V2 => 0x28,
    }
}

/// The index of an entry, which is its offset in the table.
pub(super) const fn table_index(entry_len: usize, number: usize) -> u16 {
    (TABLE + number * entry_len) as u16
}

/// An entry of the table of open attributes, as the table and [`Operation::OpenNonresidentAttribute`]
/// contain it.
pub(super) fn open_entry(version: Version, index: u16, it: &OpenAttribute) -> Vec<u8> {
    let mut entry = vec![0; open_entry_len(version)];
    put_u32(&mut entry, 0, USED);
    match version {
        Version::V1 => {
            put_u32(&mut entry, 4, index.into());
            put_u64(&mut entry, 8, it.file);
            put_u64(&mut entry, 0x10, it.lsn);
            put_u32(&mut entry, 0x1C, it.kind);
            put_u32(&mut entry, 0x28, it.index_block);
        }
        Version::V1NewTables | Version::V2 => {
            put_u32(&mut entry, 4, it.index_block);
            put_u32(&mut entry, 8, it.kind);
            put_u64(&mut entry, 0x10, it.file);
            put_u64(&mut entry, 0x18, it.lsn);
        }
    }
    entry
}

/// A name as it follows an [`open_entry`].
pub(super) fn name_bytes(name: &str) -> Vec<u8> {
    name.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The names of open attributes.
pub(super) fn names_dump(version: Version, attributes: &[OpenAttribute]) -> Vec<u8> {
    let mut dump = Vec::new();
    for (number, attribute) in attributes.iter().enumerate() {
        if attribute.name.is_empty() {
            continue;
        }
        let name = name_bytes(&attribute.name);
        let index = table_index(open_entry_len(version), number);
        dump.extend(index.to_le_bytes());
        dump.extend((name.len() as u16).to_le_bytes());
        dump.extend(name);
        dump.extend([0; 2]);
    }
    if !dump.is_empty() {
        dump.extend([0; 4]);
    }
    dump
}

/// A table with entries, a few of which are not used.
fn table(entry_len: usize, entries: &[Vec<u8>]) -> Vec<u8> {
    const SPARE: usize = 3;
    let total = entries.len() + SPARE;
    let mut table = vec![0; TABLE + total * entry_len];
    put_u16(&mut table, 0, entry_len as u16);
    put_u16(&mut table, 2, total as u16);
    put_u16(&mut table, 4, entries.len() as u16);
    put_u32(&mut table, 0xC, USED);
    let at = |number: usize| TABLE + number * entry_len;
    put_u32(&mut table, 0x10, at(entries.len()) as u32);
    put_u32(&mut table, 0x14, at(total - 1) as u32);
    for (number, entry) in entries.iter().enumerate() {
        put(&mut table, at(number), entry);
    }
    for number in entries.len()..total - 1 {
        put_u32(&mut table, at(number), at(number + 1) as u32);
    }
    table
}

/// The table of open attributes.
pub(super) fn open_dump(version: Version, attributes: &[OpenAttribute]) -> Vec<u8> {
    let len = open_entry_len(version);
    let entries = attributes.iter().enumerate();
    let entries = entries.map(|(number, it)| open_entry(version, table_index(len, number), it));
    table(len, &entries.collect::<Vec<_>>())
}

/// A page that may be older on the volume than in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DirtyPage {
    /// Index of the attribute.
    pub(super) attribute: u16,
    pub(super) vcn: u64,
    pub(super) lcn: u64,
    /// The oldest record whose change may be missing.
    pub(super) oldest: u64,
}

/// The table of dirty pages.
pub(super) fn dirty_dump(version: Version, page_len: u32, pages: &[DirtyPage]) -> Vec<u8> {
    let (len, vcn_at) = match version {
        Version::V1 => (0x2C, 0x14),
        Version::V1NewTables | Version::V2 => (0x28, 0x10),
    };
    let entries = pages.iter().map(|page| {
        let mut entry = vec![0; len];
        put_u32(&mut entry, 0, USED);
        put_u32(&mut entry, 4, page.attribute.into());
        put_u32(&mut entry, 8, page_len);
        put_u32(&mut entry, 0xC, 1);
        put_u64(&mut entry, vcn_at, page.vcn);
        put_u64(&mut entry, vcn_at + 8, page.oldest);
        put_u64(&mut entry, vcn_at + 16, page.lcn);
        entry
    });
    table(len, &entries.collect::<Vec<_>>())
}

/// A transaction that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InFlight {
    /// Its first record.
    pub(super) first: u64,
    /// Its last record.
    pub(super) previous: u64,
    /// The next record to undo.
    pub(super) undo_next: u64,
    /// The number of records to undo.
    pub(super) undo_records: u32,
}

/// The length of an entry of the table of transactions.
pub(super) const TRANSACTION_LEN: usize = 0x28;

/// The table of transactions, by their slots.
pub(super) fn transaction_dump(slots: &[Option<InFlight>]) -> Vec<u8> {
    const ACTIVE: u8 = 1;
    let entries = slots.iter().map(|slot| {
        let mut entry = vec![0; TRANSACTION_LEN];
        if let Some(it) = slot {
            put_u32(&mut entry, 0, USED);
            put(&mut entry, 4, &[ACTIVE]);
            put_u64(&mut entry, 8, it.first);
            put_u64(&mut entry, 0x10, it.previous);
            put_u64(&mut entry, 0x18, it.undo_next);
            put_u32(&mut entry, 0x20, it.undo_records);
            put_u32(&mut entry, 0x24, it.undo_records * 0x100);
        }
        entry
    });
    table(TRANSACTION_LEN, &entries.collect::<Vec<_>>())
}

/// The tables that a checkpoint has written, each with its LSN and length; zeros if it is empty.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tables {
    pub(super) open: (u64, u32),
    pub(super) names: (u64, u32),
    pub(super) dirty: (u64, u32),
    pub(super) transactions: (u64, u32),
}

/// The data of a restart record.
pub(super) fn restart(
    version: Version,
    start: u64,
    tables: &Tables,
    oldest: u64,
    cluster: u32,
) -> Vec<u8> {
    let mut data = vec![0; RESTART_LEN];
    put_u32(&mut data, 0, u32::from(version != Version::V1));
    put_u64(&mut data, 8, start);
    let all = [tables.open, tables.names, tables.dirty, tables.transactions];
    for (number, (lsn, len)) in all.into_iter().enumerate() {
        put_u64(&mut data, 0x10 + 8 * number, lsn);
        put_u32(&mut data, 0x30 + 4 * number, len);
    }
    put_u32(&mut data, 0x50, cluster);
    put_u64(&mut data, 0x68, oldest);
    data
}

/// The length of a restart record's data.
pub(super) const RESTART_LEN: usize = 0x70;
