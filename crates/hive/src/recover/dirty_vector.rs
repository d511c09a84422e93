//! The old log format: a bitmap of dirty sectors and their bytes (regf spec, Format of transaction
//! log files, Old format).

use diskmend_base::bytes;

use crate::error::Corruption;
use crate::format::BaseBlock;
use crate::offset::{FileOffset, PAGE_LEN};

/// The signature of the dirty vector.
pub(crate) const SIGNATURE: [u8; 4] = *b"DIRT";
/// The number of bytes that one bit of the vector represents.
pub(crate) const SECTOR: usize = 512;
/// The vector starts after the log's base block.
pub(crate) const START: usize = BaseBlock::HEADER_LEN;

/// The length of the bitmap for hive bins of `bins_len` bytes: one bit for each sector.
pub(crate) const fn bitmap_len(bins_len: usize) -> usize {
    bins_len.div_ceil(PAGE_LEN)
}

/// The position of the first dirty sector in the log.
pub(crate) const fn data_start(bins_len: usize) -> usize {
    START + (SIGNATURE.len() + bitmap_len(bins_len)).next_multiple_of(SECTOR)
}

/// The dirty sectors of a log in the old format.
pub(crate) struct DirtyVector<'a> {
    bitmap: &'a [u8],
    data: &'a [u8],
}

impl<'a> DirtyVector<'a> {
    /// Checks the log's vector for hive bins of `bins_len` bytes.
    ///
    /// # Errors
    /// If the signature is wrong or the log ends too early.
    pub(crate) fn parse(log: &'a [u8], bins_len: usize) -> Result<Self, Corruption> {
        let too_short = |needed: usize| {
            Corruption::new(
                "log length",
                FileOffset(log.len() as u64),
                format!("at least {needed}"),
                log.len().to_string(),
            )
        };
        let start = data_start(bins_len);
        let signature =
            bytes::slice(log, START, SIGNATURE.len()).ok_or_else(|| too_short(start))?;
        if signature != SIGNATURE {
            return Err(Corruption::new(
                "dirty vector signature",
                FileOffset(START as u64),
                "\"DIRT\"",
                format!("\"{}\"", signature.escape_ascii()),
            ));
        }
        let bitmap = bytes::slice(log, START + SIGNATURE.len(), bitmap_len(bins_len))
            .ok_or_else(|| too_short(start))?;
        let len = sectors(bitmap) * SECTOR;
        let data = bytes::slice(log, start, len).ok_or_else(|| too_short(start + len))?;
        Ok(Self { bitmap, data })
    }

    /// Runs of dirty sectors: position in the hive bins, and the bytes.
    pub(crate) fn sectors(&self) -> impl Iterator<Item = (usize, &'a [u8])> {
        let dirty = self.bitmap.iter().enumerate().flat_map(|(index, &bits)| {
            (0..8)
                .filter(move |bit| bits & (1 << bit) != 0)
                .map(move |bit| (index * 8 + bit) * SECTOR)
        });
        dirty.zip(self.data.chunks(SECTOR))
    }
}

/// The number of sectors that a bitmap marks.
pub(crate) fn sectors(bitmap: &[u8]) -> usize {
    bitmap.iter().map(|bits| bits.count_ones() as usize).sum()
}
