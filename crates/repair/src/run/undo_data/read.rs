//! Reading undo data. They are on an untrusted disk, so every length and every record is checked.

use std::io;
use std::ops::RangeInclusive;

use diskmend_base::count::to_usize;

use super::format::{
    HEADER_LEN, MAGIC, MAX_LEN, MAX_RECORD, MAX_RECORDS, OLD_HEADER_LEN, OLD_ONLY, PreImage,
    RECORD_HEADER_LEN, START_LEN, VERSION, checksum_of,
};
use crate::run::run_file::Part;

/// The fault of a file of undo data.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UndoDataError {
    /// The system could not read it.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The header.
    #[error("the header is not that of undo data of version {OLD_ONLY} or {VERSION}")]
    Header,
    /// Its length.
    #[error("{0} bytes long, which its records are not")]
    Length(u64),
    /// A record.
    #[error("record {index} at offset {offset} is damaged")]
    Record {
        /// Its index.
        index: u64,
        /// Its offset in the file.
        offset: u64,
    },
}

/// Reads only the headers, and refuses a file that is longer than its records before all of it is
/// read.
pub(crate) fn check_len(file: &Part) -> Result<(), UndoDataError> {
    let len = file.len();
    if len > MAX_LEN {
        return Err(UndoDataError::Length(len));
    }
    let header = Header::read(file, len)?.ok_or(UndoDataError::Header)?;
    let after = header.after.map_or(0, |(count, _)| count);
    if header.before > MAX_RECORDS || after > MAX_RECORDS {
        return Err(UndoDataError::Header);
    }
    let mut at = header.len as u64;
    for index in 0..header.before + after {
        let record = record_at(file, at, len)?;
        let (record, _) = record.ok_or(UndoDataError::Record { index, offset: at })?;
        at = record.at + record.len as u64;
    }
    if at == len {
        Ok(())
    } else {
        Err(UndoDataError::Length(len))
    }
}

/// The record at an offset of a file of undo data, with its checksum; `None` if it does not fit.
fn record_at(file: &Part, at: u64, file_len: u64) -> io::Result<Option<(Record, u64)>> {
    let mut header = [0; RECORD_HEADER_LEN];
    let body = at + RECORD_HEADER_LEN as u64;
    if body > file_len {
        return Ok(None);
    }
    file.read_exact_at(&mut header, at)?;
    let [offset, size, checksum] = words(&header);
    // This is checked before anything of that size is allocated.
    let fits = size <= MAX_RECORD as u64 && size <= file_len - body;
    if !fits || offset.checked_add(size).is_none() {
        return Ok(None);
    }
    let record = Record {
        offset,
        len: to_usize(size),
        at: body,
    };
    Ok(Some((record, checksum)))
}

/// Undo data with checked records.
pub(crate) struct UndoData {
    file: Part,
    before: Vec<Record>,
    pub(super) after: Option<After>,
}

/// What the run writes to the file.
pub(super) struct After {
    pub(super) records: Vec<Record>,
    /// The least and the greatest length of the file during the run.
    pub(super) lengths: RangeInclusive<u64>,
}

/// The source and the destination of a record's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The offset in the file to which they belong.
    pub(super) offset: u64,
    /// Their number, at most [`MAX_RECORD`].
    pub(super) len: usize,
    /// Their offset in the undo data.
    at: u64,
}

impl Record {
    /// The end of these bytes in the file that is restored.
    pub(super) const fn end(&self) -> u64 {
        self.offset.saturating_add(self.len as u64)
    }
}

/// The content of a header.
struct Header {
    len: usize,
    before: u64,
    /// Number of records, and the lengths of the file; absent in version 1.
    after: Option<(u64, RangeInclusive<u64>)>,
}

impl UndoData {
    /// Reads and checks all records; their bytes do not stay in memory.
    pub(crate) fn open(file: Part) -> Result<Self, UndoDataError> {
        let len = file.len();
        let header = Header::read(&file, len)?.ok_or(UndoDataError::Header)?;
        let mut undo = Self {
            file,
            before: Vec::new(),
            after: None,
        };
        let mut at = header.len as u64;
        let mut index = 0;
        let mut records = |count: u64| {
            if count > MAX_RECORDS {
                return Err(UndoDataError::Header);
            }
            let mut records = Vec::new();
            for _ in 0..count {
                let record = undo
                    .check_record(at, len)?
                    .ok_or(UndoDataError::Record { index, offset: at })?;
                at = record.at + record.len as u64;
                index += 1;
                records.push(record);
            }
            Ok(records)
        };
        let before = records(header.before)?;
        let after = match header.after {
            None => None,
            Some((count, lengths)) => Some(After {
                records: records(count)?,
                lengths,
            }),
        };
        undo.before = before;
        undo.after = after;
        Ok(undo)
    }

    fn check_record(&self, at: u64, file_len: u64) -> io::Result<Option<Record>> {
        let Some((record, checksum)) = record_at(&self.file, at, file_len)? else {
            return Ok(None);
        };
        let sound = checksum_of(record.offset, &self.read(record)?.bytes) == checksum;
        Ok(sound.then_some(record))
    }

    pub(super) fn read(&self, record: Record) -> io::Result<PreImage> {
        let mut bytes = vec![0; record.len];
        self.file.read_exact_at(&mut bytes, record.at)?;
        Ok(PreImage {
            offset: record.offset,
            bytes,
        })
    }

    /// The number of records with old bytes.
    pub(crate) fn len(&self) -> usize {
        self.before.len()
    }

    /// The number of old bytes in all records.
    pub(crate) fn bytes(&self) -> u64 {
        self.before.iter().map(|record| record.len as u64).sum()
    }

    /// True if the first `first` records with old bytes contain every byte of a range.
    pub(crate) fn cover(&self, first: usize, range: std::ops::Range<u64>) -> bool {
        let mut records: Vec<_> = self.before.iter().take(first).collect();
        records.sort_unstable_by_key(|record| record.offset);
        let mut reached = range.start;
        for record in records {
            if record.offset > reached {
                break;
            }
            reached = reached.max(record.end());
        }
        reached >= range.end
    }

    /// The largest end of all records; 0 without records.
    pub(crate) fn end(&self) -> u64 {
        self.records().map(Record::end).fold(0, u64::max)
    }

    /// The least and the greatest length that the run gives the file; `None` for undo data with old
    /// bytes only.
    pub(crate) fn lengths(&self) -> Option<&RangeInclusive<u64>> {
        self.after.as_ref().map(|after| &after.lengths)
    }

    /// A record with old bytes; `None` after the last.
    pub(crate) fn get(&self, index: usize) -> io::Result<Option<PreImage>> {
        self.before
            .get(index)
            .map(|record| self.read(*record))
            .transpose()
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        let after = self.after.iter().flat_map(|after| &after.records);
        self.before.iter().chain(after)
    }
}

impl Header {
    /// `None` if it is not the header of undo data.
    fn read(file: &Part, len: u64) -> io::Result<Option<Self>> {
        let mut bytes = [0; HEADER_LEN];
        let readable = to_usize(len).min(HEADER_LEN);
        let Some(bytes) = bytes.get_mut(..readable) else {
            return Ok(None);
        };
        file.read_exact_at(bytes, 0)?;
        Ok(Self::parse(bytes))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let after_magic = bytes.strip_prefix(&MAGIC)?;
        let (version, _) = after_magic.split_first_chunk()?;
        let len = match u32::from_le_bytes(*version) {
            OLD_ONLY => OLD_HEADER_LEN,
            VERSION => HEADER_LEN,
            _ => return None,
        };
        let (signed, checksum) = bytes.get(..len)?.split_last_chunk()?;
        if xxhash_rust::xxh3::xxh3_64(signed) != u64::from_le_bytes(*checksum) {
            return None;
        }
        let (start, numbers) = signed.split_at_checked(START_LEN)?;
        start.ends_with(&[0; 4]).then_some(())?;
        let (numbers, _) = numbers.as_chunks::<8>();
        let mut numbers = numbers.iter().map(|number| u64::from_le_bytes(*number));
        let before = numbers.next()?;
        let after = match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(count), Some(least), Some(greatest)) => Some((count, least..=greatest)),
            _ => None,
        };
        Some(Self { len, before, after })
    }
}

fn words(header: &[u8; RECORD_HEADER_LEN]) -> [u64; 3] {
    let (words, _) = header.as_chunks::<8>();
    let mut numbers = [0; 3];
    for (number, word) in numbers.iter_mut().zip(words) {
        *number = u64::from_le_bytes(*word);
    }
    numbers
}
