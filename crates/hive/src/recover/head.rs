//! The base block of a log file.

use zerocopy::{FromZeros, IntoBytes};

use crate::error::Corruption;
use crate::format::BaseBlock;
use crate::offset::FileOffset;
use crate::recover::log_kind::LogFormat;

/// A log's valid base block (regf spec, Format of transaction log files, Base block).
pub(crate) struct LogHead {
    /// The format of the log.
    pub(crate) format: LogFormat,
    /// The stored file type, which distinguishes the writers of the old format.
    pub(crate) file_type: u32,
    /// The backup of the primary file's base block, with the type of a primary file. Bytes that a
    /// log does not contain are zero.
    pub(crate) base: Box<BaseBlock>,
}

impl LogHead {
    /// Parses the first 512 bytes of a log.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub(crate) fn parse(log: &[u8]) -> Result<Self, Corruption> {
        let wrong = |what, at, expected: String, actual: String| {
            Corruption::new(what, FileOffset(at), expected, actual)
        };
        let Some(header) = log.get(..BaseBlock::HEADER_LEN) else {
            return Err(wrong(
                "log length",
                0,
                format!("at least {}", BaseBlock::HEADER_LEN),
                log.len().to_string(),
            ));
        };
        let mut base = Box::new(BaseBlock::new_zeroed());
        for (to, from) in base.as_mut_bytes().iter_mut().zip(header) {
            *to = *from;
        }
        let computed = base.expected_checksum();
        let stored = base.checksum.get();
        if stored != computed {
            return Err(wrong(
                "log base block checksum",
                508,
                format!("{computed:#010x}"),
                format!("{stored:#010x}"),
            ));
        }
        let (primary, secondary) = (base.primary_sequence.get(), base.secondary_sequence.get());
        if primary != secondary {
            return Err(wrong(
                "log secondary sequence number",
                8,
                primary.to_string(),
                secondary.to_string(),
            ));
        }
        let file_type = base.file_type.get();
        let format = match file_type {
            BaseBlock::TYPE_LOG_OLD | BaseBlock::TYPE_LOG_NT4 => LogFormat::Old,
            BaseBlock::TYPE_LOG_NEW => LogFormat::New,
            other => {
                return Err(wrong(
                    "log file type",
                    28,
                    "1, 2 or 6, a log".into(),
                    other.to_string(),
                ));
            }
        };
        base.file_type = BaseBlock::TYPE_PRIMARY.into();
        base.validate()?;
        base.seal();
        Ok(Self {
            format,
            file_type,
            base,
        })
    }

    /// The number of the log's first entry.
    pub(crate) fn sequence(&self) -> u32 {
        self.base.primary_sequence.get()
    }

    /// The length of the hive bins in bytes when the log was started.
    pub(crate) fn bins_len(&self) -> usize {
        self.base.bins_len.get() as usize
    }
}
