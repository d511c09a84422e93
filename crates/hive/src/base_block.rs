//! Rules of the base block: signature, version, checksum, sequence numbers (regf spec, Base block).

use std::mem::offset_of;

use diskmend_base::upcase::CaseTable;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::error::Corruption;
use crate::format::BaseBlock;
use crate::offset::{FileOffset, PAGE_LEN};

/// The minor versions that this crate reads and writes.
pub(crate) const MINOR_VERSIONS: std::ops::RangeInclusive<u32> = 3..=6;

/// Bytes of a base block before its checksum.
const SUMMED: usize = offset_of!(BaseBlock, checksum);

/// The checksum of a base block that begins so.
#[must_use]
pub fn checksum(start: &[u8; SUMMED]) -> u32 {
    let (words, _) = start.as_chunks();
    match words
        .iter()
        .fold(0, |sum, word| sum ^ u32::from_le_bytes(*word))
    {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

/// A base block. Only its start has a meaning here.
#[derive(FromBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Parts {
    summed: [u8; SUMMED],
    rest: [u8; size_of::<BaseBlock>() - SUMMED],
}

impl BaseBlock {
    /// The table with which the names of the hive were ordered and hashed: Windows Vista and later
    /// mark each hive that they load (regf spec, Base block: GUID signature, last reorganized).
    pub(crate) fn case_table(&self) -> CaseTable {
        let marked = self.guid_signature == Self::GUID_SIGNATURE;
        if marked || self.last_reorganized.get() != 0 || self.minor_version.get() > 5 {
            CaseTable::Later
        } else {
            CaseTable::Nt5
        }
    }

    /// The checksum that the fields before it require.
    pub(crate) fn expected_checksum(&self) -> u32 {
        let parts: &Parts = zerocopy::transmute_ref!(self);
        checksum(&parts.summed)
    }

    /// Sets the checksum that the other fields require.
    pub(crate) fn seal(&mut self) {
        self.checksum = self.expected_checksum().into();
    }

    /// The part that a commit writes and a log copies.
    pub(crate) fn header(&self) -> &[u8] {
        self.as_bytes().split_at(Self::HEADER_LEN).0
    }

    /// Checks every rule for a primary file's base block, except those about sequence numbers.
    ///
    /// # Errors
    /// The first field that Windows would refuse.
    pub(crate) fn validate(&self) -> Result<(), Corruption> {
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

/// The maximum number of bytes of hive bins: the highest bit of an offset marks volatile storage.
pub(crate) const MAX_BINS_LEN: usize = 0x8000_0000 - PAGE_LEN;

#[cfg(test)]
mod tests {
    use zerocopy::FromBytes as _;

    use super::*;

    /// Each mark alone shows that Windows Vista or later has written the hive.
    #[test]
    fn the_base_block_shows_which_case_table_counts() {
        let table = |minor: u32, mark: fn(&mut BaseBlock)| {
            let zeros = [0; size_of::<BaseBlock>()];
            let mut base = BaseBlock::read_from_bytes(&zeros).expect("its size");
            base.minor_version = minor.into();
            mark(&mut base);
            base.case_table()
        };
        for minor in [3, 4, 5] {
            assert_eq!(table(minor, |_| {}), CaseTable::Nt5);
            let marked = table(minor, |base| {
                base.guid_signature = BaseBlock::GUID_SIGNATURE;
            });
            assert_eq!(marked, CaseTable::Later);
            let reorganized = table(minor, |base| base.last_reorganized = 1.into());
            assert_eq!(reorganized, CaseTable::Later);
        }
        assert_eq!(table(6, |_| {}), CaseTable::Later);
    }
}
