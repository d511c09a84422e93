//! $LogFile as it is on disk (Linux-NTFS, $LogFile).

use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::super::format::ProtectedHeader;

/// Header of a restart page.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct RestartPage {
    /// `RSTR`; `CHKD` if chkdsk has changed it.
    pub protected: ProtectedHeader,
    /// Last change that chkdsk has made.
    pub chkdsk_lsn: U64,
    /// The length of a restart page in bytes.
    pub system_page_size: U32,
    /// The length of the other pages in bytes.
    pub log_page_size: U32,
    /// Offset of the restart area.
    pub restart_area_offset: U16,
    /// Version of the journal, the part after the dot.
    pub minor_version: U16,
    /// The part before the dot.
    pub major_version: U16,
}

/// The restart area.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct RestartArea {
    /// The number of the last record when it was written; of two areas, the one with the greater
    /// number counts.
    pub current_lsn: U64,
    /// The number of clients; NTFS is the only one.
    pub log_clients: U16,
    /// First client that is free.
    pub client_free_list: U16,
    /// First client that uses the journal.
    pub client_in_use_list: U16,
    /// See [`Self::VOLUME_IS_CLEAN`].
    pub flags: U16,
    /// The number of high bits of an LSN that count how often the journal was filled.
    pub seq_number_bits: U32,
    /// Its length in bytes, with the clients.
    pub restart_area_length: U16,
    /// Offset of the clients, from its start.
    pub client_array_offset: U16,
    /// The bytes of $LogFile that are used.
    pub file_size: U64,
    /// The length of the data of the last record.
    pub last_lsn_data_length: U32,
    /// The length of a record's header.
    pub record_header_length: U16,
    /// Offset of the records in a page.
    pub log_page_data_offset: U16,
}

impl RestartArea {
    /// Closed by a system that sets this flag.
    pub(super) const VOLUME_IS_CLEAN: u16 = 2;
    /// The number of a client that means none.
    pub(super) const NO_CLIENT: u16 = 0xFFFF;
}

/// A client of the journal.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Client {
    /// The oldest record that it may need.
    pub oldest_lsn: U64,
    /// Its last checkpoint; 0 if there is none.
    pub client_restart_lsn: U64,
    /// The client before it.
    pub prev_client: U16,
    /// The client after it.
    pub next_client: U16,
    /// How often its place was used.
    pub seq_number: U16,
    /// Unused.
    pub reserved: [u8; 6],
    /// The length of its name in bytes.
    pub name_length: U32,
    /// Its name in UTF-16.
    pub name: [u8; 8],
}

/// Header of a page with records.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct RecordPage {
    /// `RCRD`.
    pub protected: ProtectedHeader,
    /// The last record that begins in it. In a copy of version 1 the offset of the page that it is
    /// a copy of.
    pub last_lsn: U64,
    /// See [`Self::RECORD_END`].
    pub flags: U32,
    /// The number of pages that were written together.
    pub page_count: U16,
    /// The place among these, from 1.
    pub page_position: U16,
    /// Offset of the first byte after the last record that ends in it.
    pub next_record_offset: U16,
    /// Unused.
    pub reserved: [u8; 6],
    /// The last record that ends in it.
    pub last_end_lsn: U64,
}

impl RecordPage {
    /// A record ends in the page.
    pub(super) const RECORD_END: u32 = 1;
}

/// Header of a record.
#[derive(Clone, Copy, FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct RecordHeader {
    /// Its own number.
    pub this_lsn: U64,
    /// The client's record before it, of the same transaction.
    pub client_previous_lsn: U64,
    /// The record that is undone next.
    pub client_undo_next_lsn: U64,
    /// The length of the client's data.
    pub client_data_length: U32,
    /// How often the client's place was used.
    pub client_seq_number: U16,
    /// The client.
    pub client_index: U16,
    /// See [`Self::CLIENT_RECORD`].
    pub record_type: U32,
    /// The place of its transaction in the table of transactions.
    pub transaction_id: U32,
    /// 1 if it goes on in another page.
    pub flags: U16,
    /// Unused.
    pub reserved: [u8; 6],
}

impl RecordHeader {
    /// A change.
    pub(super) const CLIENT_RECORD: u32 = 1;
    /// A checkpoint.
    pub(super) const CLIENT_RESTART: u32 = 2;
}

/// The data of a checkpoint of NTFS.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Checkpoint {
    /// Version of NTFS's records: 0 with tables of 32-bit systems, 1 with others.
    pub major_version: U32,
    /// The part after the dot.
    pub minor_version: U32,
    /// The first record that belongs to the checkpoint.
    pub start_lsn: U64,
    /// The record with the table of open attributes, and so on; 0 if there is none.
    pub open_attributes_lsn: U64,
    /// The names of open attributes.
    pub attribute_names_lsn: U64,
    /// The table of pages in memory that differ from the volume.
    pub dirty_pages_lsn: U64,
    /// The table of transactions.
    pub transactions_lsn: U64,
    /// The lengths of the four, in bytes.
    pub open_attributes_length: U32,
    /// Of the names.
    pub attribute_names_length: U32,
    /// Of the pages.
    pub dirty_pages_length: U32,
    /// Of the transactions.
    pub transactions_length: U32,
}

/// The data of a change, before the clusters.
#[derive(Clone, Copy, FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Change {
    /// What redoes it.
    pub redo_operation: U16,
    /// What undoes it.
    pub undo_operation: U16,
    /// Offset of the bytes for redoing it.
    pub redo_offset: U16,
    /// Their number.
    pub redo_length: U16,
    /// Offset of the bytes for undoing it.
    pub undo_offset: U16,
    /// Their number.
    pub undo_length: U16,
    /// The place of the attribute in the table of open attributes.
    pub target_attribute: U16,
    /// The number of clusters at the end.
    pub lcns_to_follow: U16,
    /// Offset in the FILE record or index block.
    pub record_offset: U16,
    /// Offset in the attribute or the cluster.
    pub attribute_offset: U16,
    /// Offset of the FILE record in its cluster, in units of 512 bytes.
    pub cluster_block_offset: U16,
    /// Unused.
    pub reserved: U16,
    /// The cluster of the attribute.
    pub target_vcn: U64,
}

/// The data for setting or clearing bits.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Bits {
    /// The first bit.
    pub offset: U32,
    /// The number of bits.
    pub count: U32,
}

/// Header of a table.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct TableHeader {
    /// The length of an entry.
    pub entry_size: U16,
    /// The number of entries.
    pub entries: U16,
    /// The number of entries in use.
    pub allocated: U16,
    /// Unused here: the list of free entries.
    pub free: [u8; 18],
}

/// An open attribute, as 32-bit systems have it.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct OpenAttribute32 {
    /// See [`super::tables::IN_USE`].
    pub allocated: U32,
    /// Means nothing on disk.
    pub pointer: U32,
    /// The file.
    pub file: U64,
    /// The record that opened it.
    pub open_lsn: U64,
    /// 1 if pages of it are in the table of pages.
    pub dirty_pages: U32,
    /// Its type.
    pub kind: U32,
    /// Means nothing on disk.
    pub name: U64,
    /// The length of an index block.
    pub bytes_per_index_block: U32,
}

/// An open attribute.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct OpenAttribute64 {
    /// See [`super::tables::IN_USE`].
    pub allocated: U32,
    /// The length of an index block.
    pub bytes_per_index_block: U32,
    /// Its type.
    pub kind: U32,
    /// 1 if pages of it are in the table of pages.
    pub dirty_pages: U32,
    /// The file.
    pub file: U64,
    /// The record that opened it.
    pub open_lsn: U64,
    /// Means nothing on disk.
    pub pointer: U64,
}

/// A page in memory that differs from the volume, as 32-bit systems have it. Clusters follow.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct DirtyPage32 {
    /// See [`super::tables::IN_USE`].
    pub allocated: U32,
    /// The place of the attribute in the table of open attributes.
    pub target_attribute: U32,
    /// The length of the page.
    pub length: U32,
    /// The number of clusters.
    pub lcns_to_follow: U32,
    /// Unused.
    pub reserved: U32,
    /// Its first cluster in the attribute.
    pub vcn: U64,
    /// The oldest record that is not in the volume.
    pub oldest_lsn: U64,
}

/// A page in memory that differs from the volume. Clusters follow.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct DirtyPage64 {
    /// See [`super::tables::IN_USE`].
    pub allocated: U32,
    /// The place of the attribute in the table of open attributes.
    pub target_attribute: U32,
    /// The length of the page.
    pub length: U32,
    /// The number of clusters.
    pub lcns_to_follow: U32,
    /// Its first cluster in the attribute.
    pub vcn: U64,
    /// The oldest record that is not in the volume.
    pub oldest_lsn: U64,
}

/// A transaction.
#[derive(FromBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Transaction {
    /// See [`super::tables::IN_USE`].
    pub allocated: U32,
    /// 1 for one that is active; 0, 2 and 3 for one that isn't any more.
    pub state: u8,
    /// Unused.
    pub reserved: [u8; 3],
    /// Its first record.
    pub first_lsn: U64,
    /// Its last record.
    pub previous_lsn: U64,
    /// The record that is undone next.
    pub undo_next_lsn: U64,
}
