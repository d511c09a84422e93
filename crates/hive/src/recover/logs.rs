//! Reads the log files of a hive.

use std::io;

use diskmend_base::bytes;

use crate::base_block::MAX_BINS_LEN;
use crate::format::LogEntry;
use crate::recover::dirty_vector;
use crate::recover::entries::FIRST_ENTRY;
use crate::recover::error::{LogFault, ReadLogError};
use crate::recover::head::LogHead;
use crate::recover::log_kind::{LogFormat, LogKind};
use crate::recover::marvin::marvin32;
use diskmend_base::Storage;

/// The maximum length of a log of any hive, in bytes.
pub(crate) const MAX_LOG_LEN: u64 = MAX_BINS_LEN as u64 + (64 << 20);
/// The maximum length of a log of the smallest hive, in bytes. A log in the new format contains the
/// changes of up to an hour, so it can be longer than the hive.
const MIN_LIMIT: u64 = 64 << 20;
/// A longer log may be at most this many times as long as its hive.
const TIMES_HIVE: u64 = 4;

/// The maximum length of a log of a hive file of `hive_len` bytes.
fn max_len(hive_len: u64) -> u64 {
    let of_hive = hive_len.saturating_mul(TIMES_HIVE);
    MIN_LIMIT.saturating_add(of_hive).min(MAX_LOG_LEN)
}

/// The transaction logs of one hive: which of them exist, and the content that could ever be
/// applied.
#[derive(Default)]
pub struct Logs {
    files: [Option<LogFile>; 3],
}

/// One log file in memory, up to the end of its entries or dirty sectors.
pub(crate) struct LogFile {
    /// The length of the file in bytes.
    pub(crate) len: u64,
    bytes: Vec<u8>,
}

impl Logs {
    /// Reads the logs of a hive file of `hive_len` bytes; `None` means a file that does not exist.
    ///
    /// # Errors
    /// If an existing log can't be read, or is longer than a hive of this length could make it: a
    /// sparse file can claim any length at no cost. No byte of a log that is too long is read.
    pub fn read(
        hive_len: u64,
        log: Option<&dyn Storage>,
        log1: Option<&dyn Storage>,
        log2: Option<&dyn Storage>,
    ) -> Result<Self, ReadLogError> {
        let read = |kind, storage: Option<&dyn Storage>| {
            let max = max_len(hive_len);
            storage
                .map(|file| LogFile::read(kind, file, max))
                .transpose()
        };
        Ok(Self {
            files: [
                read(LogKind::Log, log)?,
                read(LogKind::Log1, log1)?,
                read(LogKind::Log2, log2)?,
            ],
        })
    }

    /// True if the file exists, even if it is empty.
    #[must_use]
    pub(crate) fn exists(&self, kind: LogKind) -> bool {
        self.file(kind).is_some()
    }

    pub(crate) fn file(&self, kind: LogKind) -> Option<&LogFile> {
        let [log, log1, log2] = &self.files;
        match kind {
            LogKind::Log => log,
            LogKind::Log1 => log1,
            LogKind::Log2 => log2,
        }
        .as_ref()
    }

    /// The number of bytes of all logs that may be applied.
    pub(crate) fn content_len(&self) -> usize {
        self.files.iter().flatten().map(|log| log.bytes.len()).sum()
    }

    /// The bytes and the base block of a log.
    ///
    /// # Errors
    /// The reason why the log can't be applied to any hive.
    pub(crate) fn open(&self, kind: LogKind) -> Result<(&[u8], LogHead), LogFault> {
        let file = self.file(kind).ok_or(LogFault::Missing)?;
        if file.len == 0 {
            return Err(LogFault::Empty);
        }
        Ok((&file.bytes, LogHead::parse(&file.bytes)?))
    }
}

impl LogFile {
    fn read(log: LogKind, storage: &dyn Storage, max: u64) -> Result<Self, ReadLogError> {
        let io = |source| ReadLogError::Io { log, source };
        let len = storage.len().map_err(io)?;
        if len > max {
            return Err(ReadLogError::TooLong { log, len, max });
        }
        let bytes = read_content(storage, len).map_err(io)?;
        Ok(Self { len, bytes })
    }
}

/// Reads a log up to the end of its structures, so that the empty rest of a log, or a sparse file,
/// takes no memory.
fn read_content(storage: &dyn Storage, len: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    extend(storage, len, &mut content, FIRST_ENTRY as u64)?;
    let Ok(head) = LogHead::parse(&content) else {
        return Ok(content);
    };
    match head.format {
        LogFormat::New => {
            let end = chain_end(storage, len, head.sequence())?;
            extend(storage, len, &mut content, end)?;
        }
        LogFormat::Old => {
            let bins_len = head.bins_len();
            let start = dirty_vector::data_start(bins_len);
            extend(storage, len, &mut content, start as u64)?;
            let bitmap = bytes::slice(
                &content,
                dirty_vector::START + dirty_vector::SIGNATURE.len(),
                dirty_vector::bitmap_len(bins_len),
            );
            if let Some(bitmap) = bitmap {
                let end = start + dirty_vector::sectors(bitmap) * dirty_vector::SECTOR;
                extend(storage, len, &mut content, end as u64)?;
            }
        }
    }
    Ok(content)
}

/// The number of bytes that are read at once.
const PIECE: usize = 1 << 14;

/// Continues reading until `content` contains the first `end` bytes, or all `len`.
fn extend(storage: &dyn Storage, len: u64, content: &mut Vec<u8>, end: u64) -> io::Result<()> {
    let have = content.len();
    let end = usize::try_from(end.min(len)).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let more = end.saturating_sub(have);
    content
        .try_reserve_exact(more)
        .map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut piece = [0; PIECE];
    while content.len() < have + more {
        let (piece, _) = piece.split_at_mut(PIECE.min(have + more - content.len()));
        storage.read_exact_at(piece, content.len() as u64)?;
        content.extend_from_slice(piece);
    }
    Ok(())
}

/// The end of the chain of log entries that starts with the number `next`, judged only by their
/// headers. It includes the header that ends the chain, so that it can be reported. A header counts
/// only if its hash is right: no other entry is replayed, whatever follows it.
fn chain_end(storage: &dyn Storage, len: u64, mut next: u32) -> io::Result<u64> {
    let mut at = FIRST_ENTRY as u64;
    let mut header = [0; LogEntry::LEN];
    loop {
        let after = at + header.len() as u64;
        if after > len {
            return Ok(len);
        }
        storage.read_exact_at(&mut header, at)?;
        let size = entry_size(&header, next).filter(|&size| size <= len - at);
        let Some(size) = size else {
            return Ok(after);
        };
        at += size;
        next = next.wrapping_add(1);
    }
}

/// The size that the header of entry `sequence` states; `None` if the chain ends there.
fn entry_size(header: &[u8], sequence: u32) -> Option<u64> {
    let entry = bytes::view::<LogEntry>(header, 0)?;
    let hashed = header.get(..LogEntry::HASHED_LEN)?;
    let size = entry.size.get() as usize;
    let goes_on = entry.signature == LogEntry::SIGNATURE
        && entry.sequence.get() == sequence
        && entry.hash2.get() == marvin32(hashed)
        && size >= LogEntry::LEN;
    goes_on.then_some(size as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::crash_test::disk::ReadOnly;

    const HIVE_LEN: u64 = 1 << 20;

    /// `truncate -s 1T SYSTEM.LOG1` makes such a log at no cost.
    #[test]
    fn a_log_longer_than_its_hive_could_make_is_not_read() {
        for len in [1 << 40, u64::MAX, max_len(HIVE_LEN) + 1] {
            let file = ReadOnly::new(Vec::new(), len);
            match Logs::read(HIVE_LEN, None, Some(&file), None) {
                Err(ReadLogError::TooLong {
                    len: found, max, ..
                }) => {
                    assert_eq!((found, max), (len, 68 << 20));
                }
                _ => panic!("a log of {len} bytes is read"),
            }
            assert_eq!(file.bytes_read(), 0);
        }
        assert_eq!(max_len(u64::MAX), MAX_LOG_LEN);
    }

    /// A header claims that a whole hole is an entry. Without the right hash and number, the hole
    /// is not read.
    #[test]
    fn an_invalid_entry_is_not_read() {
        use crate::commit::crash_test::material::{Base, TIME, new_log};
        let base = Base {
            minor: 5,
            primary: 20,
            secondary: 20,
            time: TIME,
            pages: 3,
        };
        let whole = new_log(base, &[(&[1], 2), (&[0, 2], 3)]);
        let second = FIRST_ENTRY + 7680;
        for (field, value) in [(0, 0), (4, 60 << 20), (12, 22), (32, 1)] {
            let mut bytes = whole.clone();
            let place = second + field..second + field + 4;
            bytes[place].copy_from_slice(&u32::to_le_bytes(value));
            let file = ReadOnly::new(bytes, max_len(HIVE_LEN));
            let logs = Logs::read(HIVE_LEN, None, Some(&file), None).expect("reads");
            let expected = second + LogEntry::LEN;
            assert_eq!(logs.content_len(), expected, "{field}");
            assert!(file.bytes_read() < 2 * expected as u64, "{field}");
        }
    }
}
