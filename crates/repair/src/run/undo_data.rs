//! The undo data of a run: for each file that the run writes, the bytes of before and of after
//! (docs/undo-format.md describes the format). They are a part of the run file; runs of earlier versions
//! have a file for each.
//!
//! The old bytes are in the order of the run's writes, and each record holds what was there before
//! that very write. Restored from the last to the first they take the file through the same states
//! that the run took it through, backwards. The new bytes tell afterwards, whatever the state of the
//! run, whether somebody else has written to the file since.

use std::io;
use std::ops::RangeInclusive;

use diskmend_base::count::to_usize;
use xxhash_rust::xxh3::Xxh3;

use super::run_file::Part;

/// Signature of the file.
const MAGIC: [u8; 8] = *b"DMENDUN\x1a";
/// The version of the format that holds old bytes only, as diskmend 0.1.0 wrote it.
const OLD_ONLY: u32 = 1;
const VERSION: u32 = 2;
/// Bytes of signature, version and four zeros.
const START_LEN: usize = 16;
/// Length of the header of version 1: start, number of records, checksum.
const OLD_HEADER_LEN: usize = START_LEN + 16;
/// Length of the header: start, number of old and of new records, least and greatest length of the
/// file, checksum.
const HEADER_LEN: usize = START_LEN + 40;
const RECORD_HEADER_LEN: usize = 24;
/// Most records of a kind: enough for every page of the largest hive, written twice.
const MAX_RECORDS: u64 = 1 << 20;
/// Longest record in bytes; longer extents are split.
pub(crate) const MAX_RECORD: usize = 1 << 20;
/// Longest file of undo data in bytes: the old and the new bytes of the largest hive, each written
/// twice, and the headers of all records.
pub(super) const MAX_LEN: u64 =
    4 * ((2 << 30) + (1 << 20)) + 2 * MAX_RECORDS * RECORD_HEADER_LEN as u64;
/// Bytes that are collected before they are written.
const PIECE: usize = 1 << 20;

/// The name by which a journal calls the undo data of that number, from 1.
pub(crate) fn name(number: usize) -> String {
    format!("undo-{number}.bin")
}

/// The number of undo data of that name.
pub(super) fn number(called: &str) -> Option<u8> {
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

/// Bytes that a write puts at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PostImage<'a> {
    /// Offset in the file.
    pub(crate) offset: u64,
    /// The bytes, however many.
    pub(crate) bytes: &'a [u8],
}

/// What goes into the file: all that a run finds and makes of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Images<'a> {
    /// What each write overwrites or cuts off, in order.
    pub(crate) before: Vec<PreImage>,
    /// What each write leaves, in order.
    pub(crate) after: Vec<PostImage<'a>>,
    /// The least and the greatest length that the file has on the way.
    pub(crate) lengths: RangeInclusive<u64>,
}

impl Images<'_> {
    /// Bytes that the file of undo data takes.
    pub(crate) fn len(&self) -> u64 {
        let before = self.before.iter().map(|image| record_len(&image.bytes));
        let after = self.pieces().map(|(_, bytes)| record_len(bytes));
        before
            .chain(after)
            .fold(HEADER_LEN as u64, u64::saturating_add)
    }

    /// The new bytes in pieces that fit a record.
    fn pieces(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.after.iter().flat_map(|image| {
            let offsets = (image.offset..).step_by(MAX_RECORD);
            offsets.zip(image.bytes.chunks(MAX_RECORD))
        })
    }

    /// Encodes the file; `write` gets it piece by piece.
    pub(crate) fn encode(&self, mut write: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let mut piece = Vec::with_capacity(HEADER_LEN);
        piece.extend(MAGIC);
        piece.extend(VERSION.to_le_bytes());
        piece.extend(0u32.to_le_bytes());
        let after = self.pieces().count() as u64;
        let (least, greatest) = (*self.lengths.start(), *self.lengths.end());
        for number in [self.before.len() as u64, after, least, greatest] {
            piece.extend(number.to_le_bytes());
        }
        let checksum = xxhash_rust::xxh3::xxh3_64(&piece);
        piece.extend(checksum.to_le_bytes());
        let before = self.before.iter();
        let before = before.map(|image| (image.offset, image.bytes.as_slice()));
        for (offset, bytes) in before.chain(self.pieces()) {
            if piece.len().saturating_add(bytes.len()) > PIECE {
                write(&piece)?;
                piece.clear();
            }
            piece.extend(offset.to_le_bytes());
            piece.extend((bytes.len() as u64).to_le_bytes());
            piece.extend(checksum_of(offset, bytes).to_le_bytes());
            piece.extend(bytes);
        }
        write(&piece)
    }
}

fn record_len(bytes: &[u8]) -> u64 {
    RECORD_HEADER_LEN as u64 + bytes.len() as u64
}

fn checksum_of(offset: u64, bytes: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&offset.to_le_bytes());
    hash.update(&(bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
    hash.digest()
}

/// What is wrong with a file of records.
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
        /// Its place in the file.
        offset: u64,
    },
}

/// Refuses a file that is longer than its records, before all of it is read. Only headers are.
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
    // Checked against the file's length before anything of that size is allocated.
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

/// A file of undo data, every record of it checked.
pub(crate) struct UndoData {
    file: Part,
    before: Vec<Record>,
    after: Option<After>,
}

/// What the run makes of the file.
struct After {
    records: Vec<Record>,
    /// The least and the greatest length that the file has on the way.
    lengths: RangeInclusive<u64>,
}

/// Where a record's bytes come from and go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Offset in the file that they belong to.
    pub(super) offset: u64,
    /// Their number, at most [`MAX_RECORD`].
    pub(super) len: usize,
    /// Where they lie in the file of undo data.
    at: u64,
}

impl Record {
    /// Where the last of its bytes belongs.
    pub(super) const fn end(&self) -> u64 {
        self.offset.saturating_add(self.len as u64)
    }
}

/// What a header says.
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

    /// Number of records of old bytes.
    pub(crate) fn len(&self) -> usize {
        self.before.len()
    }

    /// Old bytes of all records.
    pub(crate) fn bytes(&self) -> u64 {
        self.before.iter().map(|record| record.len as u64).sum()
    }

    /// Whether the first records of old bytes hold every byte of a range.
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

    /// Where the last byte of any record belongs.
    pub(crate) fn end(&self) -> u64 {
        self.records().map(Record::end).max().unwrap_or_default()
    }

    /// The least and the greatest length that the run gives the file; `None` for undo data that hold
    /// old bytes only.
    pub(crate) fn lengths(&self) -> Option<&RangeInclusive<u64>> {
        self.after.as_ref().map(|after| &after.lengths)
    }

    /// One record of old bytes; `None` past the last.
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
    /// `None` if it is not that of undo data.
    fn read(file: &Part, len: u64) -> io::Result<Option<Self>> {
        let mut bytes = [0; HEADER_LEN];
        let readable = usize::try_from(len).unwrap_or(HEADER_LEN).min(HEADER_LEN);
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

#[cfg(test)]
mod tests {
    use super::*;
    fn images() -> Images<'static> {
        Images {
            before: vec![
                PreImage {
                    offset: 4096,
                    bytes: vec![7; 4096],
                },
                PreImage {
                    offset: 0,
                    bytes: vec![1, 2, 3],
                },
            ],
            after: vec![PostImage {
                offset: 4096,
                bytes: &[8; 4200],
            }],
            lengths: 8192..=8296,
        }
    }

    fn encode(images: &Images<'_>) -> Vec<u8> {
        let mut file = Vec::new();
        let collect = |piece: &[u8]| {
            file.extend(piece);
            Ok(())
        };
        images.encode(collect).expect("in memory");
        assert_eq!(file.len() as u64, images.len());
        file
    }

    fn open(bytes: Vec<u8>) -> Result<UndoData, UndoDataError> {
        UndoData::open(Part::whole(Box::new(bytes))?)
    }

    fn before(undo: &UndoData) -> Vec<PreImage> {
        let records = (0..undo.len()).map(|index| undo.get(index));
        let records = records.collect::<io::Result<Option<_>>>();
        records.expect("in memory").expect("all")
    }

    #[test]
    fn records_survive_in_order() {
        let undo = open(encode(&images())).expect("sound");
        assert_eq!(before(&undo), images().before);
        let after = undo.after.as_ref().expect("version 2");
        assert_eq!(after.lengths, 8192..=8296);
        let [record] = after.records[..] else {
            panic!("{:?}", after.records);
        };
        let image = undo.read(record).expect("in memory");
        assert_eq!((image.offset, image.bytes), (4096, vec![8; 4200]));
        assert_eq!(undo.end(), 8296);
    }

    #[test]
    fn long_writes_are_divided() {
        let bytes = vec![5; 2 * MAX_RECORD + 10];
        let images = Images {
            before: Vec::new(),
            after: vec![PostImage {
                offset: 512,
                bytes: &bytes,
            }],
            lengths: 0..=0,
        };
        let undo = open(encode(&images)).expect("sound");
        let after = undo.after.as_ref().expect("version 2");
        let records = after.records.iter();
        let found: Vec<_> = records.map(|record| (record.offset, record.len)).collect();
        let offset = 512 + MAX_RECORD as u64;
        let last = offset + MAX_RECORD as u64;
        let expected = [(512, MAX_RECORD), (offset, MAX_RECORD), (last, 10)];
        assert_eq!(found, expected);
    }

    /// Undo data of diskmend 0.1.0 can be used.
    #[test]
    fn version_1_is_read() {
        let mut file = Vec::new();
        file.extend(MAGIC);
        file.extend(1u32.to_le_bytes());
        file.extend([0; 4]);
        file.extend(1u64.to_le_bytes());
        file.extend(xxhash_rust::xxh3::xxh3_64(&file).to_le_bytes());
        file.extend(512u64.to_le_bytes());
        file.extend(3u64.to_le_bytes());
        file.extend(checksum_of(512, b"old").to_le_bytes());
        file.extend(b"old");
        let undo = open(file).expect("sound");
        let expected = PreImage {
            offset: 512,
            bytes: b"old".to_vec(),
        };
        assert_eq!(before(&undo), [expected]);
        assert!(undo.after.is_none());
    }

    #[test]
    fn every_damaged_byte_and_every_missing_one_is_noticed() {
        let sound = encode(&images());
        for at in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x10;
            assert!(open(damaged).is_err(), "byte {at}");
            assert!(open(sound[..at].to_vec()).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn hostile_lengths_allocate_nothing() {
        let mut file = encode(&images());
        file[HEADER_LEN + 8..HEADER_LEN + 16].copy_from_slice(&u64::MAX.to_le_bytes());
        let Err(error) = open(file) else {
            panic!("it was read");
        };
        assert!(matches!(error, UndoDataError::Record { index: 0, .. }));
    }
}
