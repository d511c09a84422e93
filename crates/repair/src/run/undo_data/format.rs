//! The format of undo data.

use xxhash_rust::xxh3::Xxh3;

/// The signature of undo data.
pub(super) const MAGIC: [u8; 8] = *b"DMENDUN\x1a";
/// The version of the format with old bytes only, which diskmend 0.1.0 wrote.
pub(super) const OLD_ONLY: u32 = 1;
pub(super) const VERSION: u32 = 2;
/// The length of signature, version and four zeros.
pub(super) const START_LEN: usize = 16;
/// The length of the header of version 1: start, number of records, checksum.
pub(super) const OLD_HEADER_LEN: usize = START_LEN + 16;
/// The length of the header: start, number of old and of new records, least and greatest length of
/// the file, checksum.
pub(super) const HEADER_LEN: usize = START_LEN + 40;
pub(super) const RECORD_HEADER_LEN: usize = 24;
/// The maximum number of records of a kind: enough for two writes to every page of the largest
/// hive.
pub(super) const MAX_RECORDS: u64 = 1 << 20;
/// The maximum length of a record in bytes; longer extents are split.
pub(crate) const MAX_RECORD: usize = 1 << 20;
/// The maximum length of undo data in bytes: the old and the new bytes of two writes to the whole
/// largest hive, and the headers of all records.
pub(crate) const MAX_LEN: u64 =
    4 * ((2 << 30) + (1 << 20)) + 2 * MAX_RECORDS * RECORD_HEADER_LEN as u64;
/// The journal's name for the undo data with this number, from 1.
pub(crate) fn name(number: usize) -> String {
    format!("undo-{number}.bin")
}

/// The number of the undo data with this name.
pub(crate) fn number(called: &str) -> Option<u8> {
    let digits = called.strip_prefix("undo-")?.strip_suffix(".bin")?;
    let number = digits.parse::<u8>().ok()?;
    (name(number.into()) == called).then_some(number)
}

/// Bytes that were at an offset before a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreImage {
    /// Offset in the file.
    pub(crate) offset: u64,
    /// The bytes; at most [`MAX_RECORD`].
    pub(crate) bytes: Vec<u8>,
}

/// The checksum of a record.
pub(super) fn checksum_of(offset: u64, bytes: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&offset.to_le_bytes());
    hash.update(&(bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
    hash.digest()
}
