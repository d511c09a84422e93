//! Rules of the base block: signature, version, checksum, sequence numbers (regf spec, Base block).

use diskmend_base::bytes;

use crate::error::Corruption;
use crate::format::BaseBlock;
use crate::offset::{FileOffset, PAGE_LEN};

/// The minor versions that this crate reads and writes.
pub const MINOR_VERSIONS: std::ops::RangeInclusive<u32> = 3..=6;

/// Computes the checksum over the first 508 bytes of a base block; `None` where there are fewer.
#[must_use]
pub fn checksum(header: &[u8]) -> Option<u32> {
    let words: &[zerocopy::little_endian::U32] = bytes::view_many(header, 0, 127)?;
    let sum = words.iter().fold(0, |sum, word| sum ^ word.get());
    Some(match sum {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    })
}

impl BaseBlock {
    /// Sets the checksum to what the other fields demand.
    pub(crate) fn seal(&mut self) {
        if let Some(sum) = checksum(zerocopy::IntoBytes::as_bytes(self)) {
            self.checksum = sum.into();
        }
    }

    /// Checks all that must hold in a primary file's base block, whatever its sequence numbers.
    ///
    /// # Errors
    /// The first field that Windows would refuse.
    pub fn validate(&self) -> Result<(), Corruption> {
        let wrong = |what, at, expected: &'static str, actual: String| {
            Err(Corruption::new(what, FileOffset(at), expected, actual))
        };
        if self.signature != Self::SIGNATURE {
            return wrong(
                "base block signature",
                0,
                "\"regf\"",
                format!("{:02x?}", self.signature),
            );
        }
        if self.major_version.get() != 1 {
            return wrong("major version", 20, "1", self.major_version.to_string());
        }
        if !MINOR_VERSIONS.contains(&self.minor_version.get()) {
            return wrong(
                "minor version",
                24,
                "3 to 6",
                self.minor_version.to_string(),
            );
        }
        if self.file_type.get() != Self::TYPE_PRIMARY {
            return wrong(
                "file type",
                28,
                "0, a primary file",
                self.file_type.to_string(),
            );
        }
        if self.file_format.get() != 1 {
            return wrong("file format", 32, "1", self.file_format.to_string());
        }
        if self.clustering_factor.get() != 1 {
            return wrong(
                "clustering factor",
                44,
                "1",
                self.clustering_factor.to_string(),
            );
        }
        let len = self.bins_len.get() as usize;
        if len == 0 || !len.is_multiple_of(PAGE_LEN) || len > MAX_BINS_LEN {
            return wrong(
                "length of the hive bins",
                40,
                "a multiple of 4096 below 2 GiB",
                format!("{len:#x}"),
            );
        }
        Ok(())
    }
}

/// Most bytes of hive bins: the highest bit of an offset marks volatile storage.
pub const MAX_BINS_LEN: usize = 0x8000_0000 - PAGE_LEN;
