//! The block allocation table of a VHDX (MS-VHDX 2.5).
//!
//! The entries for the blocks of a chunk are followed by one for the sector bitmap, which only a
//! differencing disk has. For other disks this entry is ignored, because some versions of qemu left
//! other values there.

use super::Vhdx;
use super::format::{BatEntry, MIB};
use crate::container::error::ContainerError;
use crate::container::pieces::Block;
use crate::device::Device;
use diskmend_base::count::to_usize;
use std::num::NonZeroU64;

/// The number of sectors that one sector bitmap block describes.
const SECTORS_OF_CHUNK: u64 = 1 << 23;
/// The maximum length of a file that can be written: the checks need one bit for each MiB.
const MAX_FILE: u64 = 128 << 40;
/// The number of bytes of the table that are checked at once.
const TABLE_CHUNK: u64 = 1 << 18;

/// The offset of a block in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockStart(pub(super) u64);

/// The place of a block's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The bytes are in the file.
    File(BlockStart),
    /// The bytes are not stored: they are zero.
    Zero,
    /// The bytes are not stored: they are zero here, but other programs may read any bytes.
    Undefined,
}

/// The layout of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// The number of payload blocks in a chunk.
    chunk_ratio: NonZeroU64,
    /// The number of payload blocks.
    pub(super) blocks: u64,
}

impl Layout {
    pub(super) fn new(disk_size: u64, block_size: NonZeroU64, logical_sector_size: u32) -> Self {
        let chunk = SECTORS_OF_CHUNK.saturating_mul(logical_sector_size.into());
        Self {
            // A block is never longer than a chunk (MS-VHDX 2.5.1).
            chunk_ratio: NonZeroU64::new(chunk / block_size).unwrap_or(NonZeroU64::MIN),
            blocks: disk_size.div_ceil(block_size.get()),
        }
    }

    /// Index of the entry of a payload block.
    pub(super) fn index(self, block: Block) -> u64 {
        block.0.saturating_add(block.0 / self.chunk_ratio)
    }

    /// The payload block of an entry; `None` for a sector bitmap.
    fn block(self, index: u64) -> Option<Block> {
        let period = self.chunk_ratio.saturating_add(1);
        let bitmaps = index / period;
        let is_bitmap = index % period == self.chunk_ratio.get();
        (!is_bitmap).then(|| Block(index.saturating_sub(bitmaps)))
    }

    /// The number of bytes of the table that are in use.
    pub(super) fn len(self) -> u64 {
        let Some(last) = self.blocks.checked_sub(1) else {
            return 0;
        };
        let entries = self.index(Block(last)).saturating_add(1);
        entries.saturating_mul(BatEntry::LEN)
    }
}

impl Vhdx {
    /// The position of the entry of `block` in the table.
    pub(super) fn entry_at(&self, block: Block) -> u64 {
        let entry = self.layout.index(block).saturating_mul(BatEntry::LEN);
        self.regions.bat.start.saturating_add(entry)
    }

    /// The place of `block`.
    pub(super) fn place(&self, block: Block) -> Result<Place, ContainerError> {
        let mut entry = [0; 8];
        self.pages
            .read(&self.view, &mut entry, self.entry_at(block))?;
        let entry = BatEntry(u64::from_le_bytes(entry));
        self.checked_place(block, entry, self.view.len())
    }

    /// The content of an entry, if the block is in the file and outside all regions.
    fn checked_place(
        &self,
        block: Block,
        entry: BatEntry,
        file_len: u64,
    ) -> Result<Place, ContainerError> {
        match entry.state() {
            BatEntry::ZERO => return Ok(Place::Zero),
            BatEntry::NOT_PRESENT | BatEntry::UNDEFINED | BatEntry::UNMAPPED => {
                return Ok(Place::Undefined);
            }
            BatEntry::FULLY_PRESENT => {}
            state => {
                return Err(ContainerError::corrupt(
                    "the state of an entry of the VHDX block allocation table",
                    self.entry_at(block),
                    "0 to 3 or 6",
                    state,
                ));
            }
        }
        let start = entry.file_offset();
        // qemu ends a fixed file with the disk, in the middle of the last block.
        let used = self
            .metadata
            .disk_size
            .saturating_sub(block.0.saturating_mul(self.metadata.block_size.get()))
            .min(self.metadata.block_size.get());
        let end = start.saturating_add(self.metadata.block_size.get());
        let overlaps = |taken: &std::ops::Range<u64>| taken.start < end && start < taken.end;
        if start.saturating_add(used) > file_len || self.regions.taken.iter().any(overlaps) {
            return Err(ContainerError::corrupt(
                "an entry of the VHDX block allocation table",
                self.entry_at(block),
                format_args!("a block of {used} bytes within {file_len}"),
                format_args!("one at {start} that is not, or lies on other structures"),
            ));
        }
        Ok(Place::File(BlockStart(start)))
    }

    /// Reads the whole table and checks that no blocks overlap; otherwise writing to one would
    /// change another. Returns the end of the last block.
    pub(super) fn check_table(&self) -> Result<u64, ContainerError> {
        let file_len = self.view.len();
        if file_len > MAX_FILE {
            return Err(ContainerError::Unwritable {
                format: "VHDX",
                reason: format!("the file has {file_len} bytes, more than {MAX_FILE}"),
            });
        }
        let units = file_len.saturating_add(self.metadata.block_size.get()) / MIB;
        let words = to_usize(units / 64).saturating_add(1);
        let mut taken = vec![0_u64; words];
        let mut end_of_blocks = 0;
        let end = self.regions.bat.start.saturating_add(self.layout.len());
        let mut at = self.regions.bat.start;
        let mut chunk = Vec::new();
        let mut index = 0_u64;
        while at < end {
            let len = end.saturating_sub(at).min(TABLE_CHUNK);
            chunk.resize(to_usize(len), 0);
            self.view.read_exact_at(&mut chunk, at)?;
            for entry in chunk.as_chunks::<8>().0 {
                let block = self.layout.block(index);
                index = index.saturating_add(1);
                let Some(block) = block else { continue };
                let entry = BatEntry(u64::from_le_bytes(*entry));
                if let Place::File(start) = self.checked_place(block, entry, file_len)? {
                    let end = start.0.saturating_add(self.metadata.block_size.get());
                    self.claim(&mut taken, block, start.0..end)?;
                    end_of_blocks = end.max(end_of_blocks);
                }
            }
            at = at.saturating_add(len);
        }
        Ok(end_of_blocks)
    }

    fn claim(
        &self,
        taken: &mut [u64],
        block: Block,
        bytes: std::ops::Range<u64>,
    ) -> Result<(), ContainerError> {
        for unit in bytes.start / MIB..bytes.end / MIB {
            let word = to_usize(unit / 64);
            let bit = 1 << (unit % 64);
            match taken.get_mut(word) {
                Some(word) if *word & bit == 0 => *word |= bit,
                _ => {
                    return Err(ContainerError::corrupt(
                        "an entry of the VHDX block allocation table",
                        self.entry_at(block),
                        "a block that no other entry has",
                        format_args!("one at {} that another entry has", bytes.start),
                    ));
                }
            }
        }
        Ok(())
    }
}
