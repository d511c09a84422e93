//! The file that holds the bytes of before a run: one for each file that the run writes
//! (docs/undo.md describes the format).
//!
//! The records are in the order of the run's writes, and each holds what was there before that
//! very write. Restored from the last to the first they take the file through the same states
//! that the run took it through, backwards.

use std::io;

use xxhash_rust::xxh3::Xxh3;

use crate::store::OpenFile;

/// Signature of the file.
const MAGIC: [u8; 8] = *b"DMENDUN\x1a";
const VERSION: u32 = 1;
const HEADER_LEN: usize = 32;
const RECORD_HEADER_LEN: usize = 24;
/// Most records of a file: enough for every page of the largest hive, written twice.
const MAX_RECORDS: u64 = 1 << 20;
/// Longest record in bytes; longer extents are split.
pub(crate) const MAX_RECORD: usize = 1 << 20;

/// Bytes that were at an offset before a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreImage {
    /// Offset in the file.
    pub(crate) offset: u64,
    /// The bytes; at most [`MAX_RECORD`].
    pub(crate) bytes: Vec<u8>,
}

/// Encodes a whole file of records.
pub(crate) fn encode(records: &[PreImage]) -> Vec<u8> {
    let len: usize = records.iter().map(record_len).sum();
    let mut file = Vec::with_capacity(HEADER_LEN + len);
    file.extend(MAGIC);
    file.extend(VERSION.to_le_bytes());
    file.extend(0u32.to_le_bytes());
    file.extend((records.len() as u64).to_le_bytes());
    let checksum = xxhash_rust::xxh3::xxh3_64(&file);
    file.extend(checksum.to_le_bytes());
    for record in records {
        file.extend(record.offset.to_le_bytes());
        file.extend((record.bytes.len() as u64).to_le_bytes());
        file.extend(checksum_of(record).to_le_bytes());
        file.extend(&record.bytes);
    }
    file
}

fn record_len(record: &PreImage) -> usize {
    RECORD_HEADER_LEN + record.bytes.len()
}

fn checksum_of(record: &PreImage) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&record.offset.to_le_bytes());
    hash.update(&(record.bytes.len() as u64).to_le_bytes());
    hash.update(&record.bytes);
    hash.digest()
}

/// What is wrong with a file of records.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UndoDataError {
    /// The system could not read it.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The header.
    #[error("the header is not that of undo data of version {VERSION}")]
    Header,
    /// A record.
    #[error("record {index} at offset {offset} is damaged")]
    Record {
        /// Its index.
        index: u64,
        /// Its place in the file.
        offset: u64,
    },
}

/// A file of records, every one of them checked.
pub(crate) struct UndoData {
    file: Box<dyn OpenFile>,
    records: Vec<Record>,
}

/// Where a record's bytes come from and go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    /// Offset in the file that they belong to.
    offset: u64,
    /// Their number, at most [`MAX_RECORD`].
    len: usize,
    /// Where they lie in the file of records.
    at: u64,
}

impl UndoData {
    /// Reads and checks all records; their bytes do not stay in memory.
    pub(crate) fn open(file: Box<dyn OpenFile>) -> Result<Self, UndoDataError> {
        let len = file.len()?;
        let mut header = [0; HEADER_LEN];
        if len < HEADER_LEN as u64 {
            return Err(UndoDataError::Header);
        }
        file.read_exact_at(&mut header, 0)?;
        let count = parse_header(&header).ok_or(UndoDataError::Header)?;
        if count > MAX_RECORDS {
            return Err(UndoDataError::Header);
        }
        let mut undo = Self {
            file,
            records: Vec::new(),
        };
        let mut at = HEADER_LEN as u64;
        for index in 0..count {
            let record = undo
                .check_record(at, len)?
                .ok_or(UndoDataError::Record { index, offset: at })?;
            at = record.at + record.len as u64;
            undo.records.push(record);
        }
        Ok(undo)
    }

    fn check_record(&self, at: u64, file_len: u64) -> io::Result<Option<Record>> {
        let mut header = [0; RECORD_HEADER_LEN];
        let body = at + RECORD_HEADER_LEN as u64;
        if body > file_len {
            return Ok(None);
        }
        self.file.read_exact_at(&mut header, at)?;
        let [offset, size, checksum] = words(&header);
        // Checked against the file's length before anything of that size is allocated.
        let fits = size <= MAX_RECORD as u64 && size <= file_len - body;
        if !fits || offset.checked_add(size).is_none() {
            return Ok(None);
        }
        let record = Record {
            offset,
            len: usize::try_from(size).unwrap_or_default(),
            at: body,
        };
        let sound = checksum_of(&self.read(record)?) == checksum;
        Ok(sound.then_some(record))
    }

    fn read(&self, record: Record) -> io::Result<PreImage> {
        let mut bytes = vec![0; record.len];
        self.file.read_exact_at(&mut bytes, record.at)?;
        Ok(PreImage {
            offset: record.offset,
            bytes,
        })
    }

    /// Number of records.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Bytes of all records.
    pub(crate) fn bytes(&self) -> u64 {
        self.records.iter().map(|record| record.len as u64).sum()
    }

    /// Where the last byte of any record belongs.
    pub(crate) fn end(&self) -> u64 {
        let ends = self
            .records
            .iter()
            .map(|record| record.offset.saturating_add(record.len as u64));
        ends.max().unwrap_or_default()
    }

    /// One record; `None` past the last.
    pub(crate) fn get(&self, index: usize) -> io::Result<Option<PreImage>> {
        self.records
            .get(index)
            .map(|record| self.read(*record))
            .transpose()
    }
}

fn parse_header(header: &[u8; HEADER_LEN]) -> Option<u64> {
    let (signed, checksum) = header.split_at(HEADER_LEN - 8);
    let expected = xxhash_rust::xxh3::xxh3_64(signed).to_le_bytes();
    let rest = signed.strip_prefix(&MAGIC)?;
    let rest = rest.strip_prefix(&VERSION.to_le_bytes())?;
    let count = rest.strip_prefix(&[0; 4])?;
    (checksum == expected).then_some(())?;
    Some(u64::from_le_bytes(count.try_into().ok()?))
}

fn words(header: &[u8; RECORD_HEADER_LEN]) -> [u64; 3] {
    let (words, _) = header.as_chunks::<8>();
    let mut numbers = [0; 3];
    for (number, word) in numbers.iter_mut().zip(words) {
        *number = u64::from_le_bytes(*word);
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::faulty::MemoryFile;

    fn records() -> Vec<PreImage> {
        vec![
            PreImage {
                offset: 4096,
                bytes: vec![7; 4096],
            },
            PreImage {
                offset: 0,
                bytes: vec![1, 2, 3],
            },
        ]
    }

    fn decode(bytes: Vec<u8>) -> Result<Vec<PreImage>, UndoDataError> {
        let undo = UndoData::open(Box::new(MemoryFile::new(bytes)))?;
        let records = (0..undo.len()).map(|index| undo.get(index));
        Ok(records.collect::<io::Result<Option<_>>>()?.expect("all"))
    }

    #[test]
    fn records_survive_in_order() {
        assert_eq!(decode(encode(&records())).expect("sound"), records());
        assert_eq!(decode(encode(&[])).expect("sound"), []);
    }

    #[test]
    fn every_damaged_byte_and_every_missing_one_is_noticed() {
        let sound = encode(&records());
        for at in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x10;
            assert!(decode(damaged).is_err(), "byte {at}");
            assert!(decode(sound[..at].to_vec()).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn hostile_lengths_allocate_nothing() {
        let mut file = encode(&records());
        file[HEADER_LEN + 8..HEADER_LEN + 16].copy_from_slice(&u64::MAX.to_le_bytes());
        let error = decode(file).expect_err("damaged");
        assert!(matches!(error, UndoDataError::Record { index: 0, .. }));
    }
}
