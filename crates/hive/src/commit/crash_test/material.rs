//! Hives and logs made by hand. Each bin has one page, filled with numbers that identify its
//! origin. Recovery and commit do not look into cells.

use std::borrow::Cow;

use zerocopy::{FromBytes, IntoBytes};

use crate::commit::log_content::{new_format, old_format};
use crate::commit::pages::PageRun;
use crate::format::{BaseBlock, HiveBin};
use crate::hive::Hive;
use crate::offset::{BASE_BLOCK_LEN, PAGE_LEN};

/// The time of the last write of the hives.
pub(crate) const TIME: u64 = 1000;

/// A base block.
#[derive(Clone, Copy)]
pub(crate) struct Base {
    pub(crate) minor: u32,
    pub(crate) primary: u32,
    pub(crate) secondary: u32,
    pub(crate) time: u64,
    pub(crate) pages: usize,
}

impl Base {
    pub(crate) fn block(self) -> Box<BaseBlock> {
        let mut base = BaseBlock::read_from_bytes(&[0; BASE_BLOCK_LEN]).expect("4096 bytes");
        base.signature = BaseBlock::SIGNATURE;
        base.primary_sequence = self.primary.into();
        base.secondary_sequence = self.secondary.into();
        base.last_written = self.time.into();
        base.major_version = 1.into();
        base.minor_version = self.minor.into();
        base.file_format = 1.into();
        base.root_cell = 32.into();
        base.bins_len = ((self.pages * PAGE_LEN) as u32).into();
        base.clustering_factor = 1.into();
        base.reserved2.fill(0x77);
        base.seal();
        Box::new(base)
    }
}

/// A page of the bins, with numbers made from `seed`.
pub(super) fn page(index: usize, seed: u8, time: u64) -> Vec<u8> {
    let mut page: Vec<u8> = (0..PAGE_LEN)
        .map(|at| {
            seed.wrapping_mul(31)
                .wrapping_add((at / 8) as u8 ^ index as u8)
        })
        .collect();
    let bin = HiveBin {
        signature: HiveBin::SIGNATURE,
        offset: ((index * PAGE_LEN) as u32).into(),
        size: (PAGE_LEN as u32).into(),
        reserved: [0; 8],
        timestamp: if index == 0 { time } else { 0 }.into(),
        spare: 0.into(),
    };
    page[..HiveBin::LEN].copy_from_slice(bin.as_bytes());
    page
}

/// A primary file, with `slack` bytes after the bins.
pub(crate) fn primary(base: Base, seed: u8, slack: usize) -> Vec<u8> {
    let mut file = base.block().as_bytes().to_vec();
    for index in 0..base.pages {
        file.extend(page(index, seed, base.time));
    }
    file.resize(file.len() + slack, 0x3C);
    file
}

fn run(index: usize, seed: u8, time: u64) -> PageRun<'static> {
    PageRun {
        first: index,
        data: Cow::Owned(page(index, seed, time)),
    }
}

fn joined(pieces: Vec<(u64, Cow<'_, [u8]>)>) -> Vec<u8> {
    let mut log = Vec::new();
    for (offset, data) in pieces {
        assert_eq!(offset, log.len() as u64);
        log.extend_from_slice(&data);
    }
    log
}

/// A log in the new format. Its first entry has the base's primary sequence number. Each entry is a
/// list of pages, and the seed of their numbers.
pub(crate) fn new_log(base: Base, entries: &[(&[usize], u8)]) -> Vec<u8> {
    let entries: Vec<Vec<_>> = entries
        .iter()
        .map(|(pages, seed)| {
            pages
                .iter()
                .map(|&index| run(index, *seed, base.time))
                .collect()
        })
        .collect();
    joined(new_format(&base.block(), &entries).pieces)
}

/// A log in the old format.
pub(crate) fn old_log(base: Base, pages: &[usize], seed: u8) -> Vec<u8> {
    let runs: Vec<_> = pages
        .iter()
        .map(|&index| run(index, seed, base.time))
        .collect();
    joined(old_format(&base.block(), BaseBlock::TYPE_LOG_OLD, &runs).pieces)
}

/// Overwrites some bytes of each page.
pub(super) fn change(hive: &mut Hive, pages: &[usize], seed: u8) {
    for &index in pages {
        let bytes = [seed ^ index as u8; 100];
        hive.image
            .write(index * PAGE_LEN + 700 + index % 7, &bytes)
            .expect("in the bins");
    }
}

/// Makes the bins longer by whole new pages.
pub(super) fn grow(hive: &mut Hive, pages: usize, seed: u8) {
    let old = hive.image.bins_len() / PAGE_LEN;
    lengthen(hive, pages);
    for index in old..old + pages {
        hive.image
            .write(index * PAGE_LEN, &page(index, seed, 0))
            .expect("in the bins");
    }
}

/// Lengthens the bins without writing a byte to the new pages.
pub(super) fn lengthen(hive: &mut Hive, pages: usize) {
    let len = hive.image.bins_len() + pages * PAGE_LEN;
    hive.image.set_bins_len(len).expect("memory");
    hive.image.base_block_mut().bins_len = (len as u32).into();
}
