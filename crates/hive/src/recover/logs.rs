//! Reading the log files beside a hive.

use std::io;

use crate::base_block::MAX_BINS_LEN;
use crate::bytes;
use crate::format::LogEntry;
use crate::recover::dirty_vector;
use crate::recover::entries::FIRST_ENTRY;
use crate::recover::error::{LogFault, ReadLogError};
use crate::recover::head::LogHead;
use crate::recover::log_kind::{LogFormat, LogKind};
use crate::storage::Storage;

/// Longest log that is read, in bytes.
pub const MAX_LOG_LEN: u64 = MAX_BINS_LEN as u64 + (64 << 20);

/// The transaction logs of one hive: which exist, and all of them that could ever be applied.
#[derive(Default)]
pub struct Logs {
    files: [Option<LogFile>; 3],
}

/// One log file in memory, up to where its entries or dirty sectors end.
pub(crate) struct LogFile {
    /// Length of the file in bytes.
    pub(crate) len: u64,
    bytes: Vec<u8>,
}

impl Logs {
    /// Reads the logs that exist; `None` stands for a file that does not.
    ///
    /// # Errors
    /// Where an existing log can't be read or is longer than [`MAX_LOG_LEN`].
    pub fn read(
        log: Option<&dyn Storage>,
        log1: Option<&dyn Storage>,
        log2: Option<&dyn Storage>,
    ) -> Result<Self, ReadLogError> {
        let read = |kind, storage: Option<&dyn Storage>| {
            storage.map(|file| LogFile::read(kind, file)).transpose()
        };
        Ok(Self {
            files: [
                read(LogKind::Log, log)?,
                read(LogKind::Log1, log1)?,
                read(LogKind::Log2, log2)?,
            ],
        })
    }

    /// Whether the file exists, even without a byte in it.
    #[must_use]
    pub fn exists(&self, kind: LogKind) -> bool {
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

    /// Bytes of all logs that may be applied.
    pub(crate) fn content_len(&self) -> usize {
        self.files.iter().flatten().map(|log| log.bytes.len()).sum()
    }

    /// The bytes and the base block of a log.
    ///
    /// # Errors
    /// Why the log can't be applied to any hive.
    pub(crate) fn open(&self, kind: LogKind) -> Result<(&[u8], LogHead), LogFault> {
        let file = self.file(kind).ok_or(LogFault::Missing)?;
        if file.len == 0 {
            return Err(LogFault::Empty);
        }
        Ok((&file.bytes, LogHead::parse(&file.bytes)?))
    }
}

impl LogFile {
    fn read(log: LogKind, storage: &dyn Storage) -> Result<Self, ReadLogError> {
        let io = |source| ReadLogError::Io { log, source };
        let len = storage.len().map_err(io)?;
        if len > MAX_LOG_LEN {
            return Err(ReadLogError::TooLong {
                log,
                len,
                max: MAX_LOG_LEN,
            });
        }
        let bytes = read_content(storage, len).map_err(io)?;
        Ok(Self { len, bytes })
    }
}

/// Reads a log up to the end of what its structures reach, so that the empty rest of a log, or a
/// sparse file, takes no memory.
fn read_content(storage: &dyn Storage, len: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    extend(storage, len, &mut content, FIRST_ENTRY as u64)?;
    let Ok(head) = LogHead::parse(&content) else {
        return Ok(content);
    };
    match head.format {
        LogFormat::New => {
            let end = chain_end(storage, len)?;
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
            let sectors = bitmap.map_or(0, dirty_vector::sectors);
            let end = start + sectors * dirty_vector::SECTOR;
            extend(storage, len, &mut content, end as u64)?;
        }
    }
    Ok(content)
}

/// Reads on until `content` holds the first `end` bytes, or all `len`.
fn extend(storage: &dyn Storage, len: u64, content: &mut Vec<u8>, end: u64) -> io::Result<()> {
    let have = content.len();
    let end = usize::try_from(end.min(len)).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let more = end.saturating_sub(have);
    content
        .try_reserve_exact(more)
        .map_err(|_| io::ErrorKind::OutOfMemory)?;
    content.resize(have + more, 0);
    let new = content.get_mut(have..).unwrap_or_default();
    storage.read_exact_at(new, have as u64)
}

/// Where the chain of log entries ends, going by their signatures and sizes only; the header that
/// ends it is included, so that it can be reported.
fn chain_end(storage: &dyn Storage, len: u64) -> io::Result<u64> {
    let mut at = FIRST_ENTRY as u64;
    let mut header = [0; LogEntry::LEN];
    loop {
        let after = at + header.len() as u64;
        if after > len {
            return Ok(len);
        }
        storage.read_exact_at(&mut header, at)?;
        let entry = bytes::view::<LogEntry>(&header, 0)
            .filter(|entry| entry.signature == LogEntry::SIGNATURE);
        let Some(entry) = entry else {
            return Ok(after);
        };
        let size = u64::from(entry.size.get());
        if size < LogEntry::LEN as u64
            || !size.is_multiple_of(LogEntry::ALIGN as u64)
            || size > len - at
        {
            return Ok(after);
        }
        at += size;
    }
}
