//! The first pass: bins follow each other to the end, and cells fill each bin (regf spec, Hive bin
//! and Cell).

use std::thread;

use diskmend_base::bytes;

use super::bitmap::{self, Bitmap, WORD_SPAN};
use super::kind::ProblemKind;
use super::report::Collector;
use crate::format::{CellHeader, HiveBin};
use crate::offset::{FileOffset, PAGE_LEN};

/// The starts of cells, and the problems of bins and cells.
#[derive(Default)]
pub(super) struct Tiling {
    /// Every position at which a cell or a bin starts, so that the next position is a cell's end.
    pub(super) starts: Bitmap,
    /// The positions in `starts` to which no reference may lead: bins, free cells, broken cells.
    pub(super) taken: Bitmap,
    pub(super) tally: Tally,
}

/// The counts and problems of one walk over bins.
#[derive(Default)]
pub(super) struct Tally {
    /// Positions of cells that have no valid size, in ascending order; at most one for each bin.
    pub(super) broken: Vec<usize>,
    pub(super) bins: usize,
    pub(super) cells: usize,
    pub(super) free_bytes: usize,
    pub(super) found: Collector,
}

/// Walks over all bins, with up to `threads` threads.
pub(super) fn tile(data: &[u8], threads: usize) -> Tiling {
    if threads > 1
        && let Some(tiling) = tile_in_parts(data, threads)
    {
        return tiling;
    }
    let mut starts = Bitmap::new(data.len());
    let mut taken = Bitmap::new(data.len());
    let mut walk = Walk::new(data, 0, starts.words_mut(), taken.words_mut());
    walk.run(data.len());
    let tally = walk.tally;
    Tiling {
        starts,
        taken,
        tally,
    }
}

/// Divides the bins at places that look like headers; `None` if the walk over one part does not end
/// at the next one, because the data of a cell looked like a header.
fn tile_in_parts(data: &[u8], threads: usize) -> Option<Tiling> {
    let mut cuts = vec![0];
    for part in 1..threads {
        let from = (data.len() / threads * part).next_multiple_of(PAGE_LEN);
        let cut = next_header(data, from)?;
        if cuts.last().is_none_or(|last| cut > *last) {
            cuts.push(cut);
        }
    }
    cuts.push(data.len());

    let mut starts = Bitmap::new(data.len());
    let mut taken = Bitmap::new(data.len());
    let mut tally = Tally::default();
    let mut joined = true;
    thread::scope(|scope| {
        let mut start_words = starts.words_mut();
        let mut taken_words = taken.words_mut();
        let mut walks = Vec::new();
        for (&from, &to) in cuts.iter().zip(cuts.iter().skip(1)) {
            let words = (to - from).div_ceil(WORD_SPAN);
            let Some((start_part, start_rest)) = start_words.split_at_mut_checked(words) else {
                break;
            };
            let Some((taken_part, taken_rest)) = taken_words.split_at_mut_checked(words) else {
                break;
            };
            start_words = start_rest;
            taken_words = taken_rest;
            let mut walk = Walk::new(data, from, start_part, taken_part);
            walks.push(move || {
                let end = walk.run(to);
                (walk.tally, end == to)
            });
        }
        let mut walks = walks.into_iter();
        let first = walks.next();
        let others: Vec<_> = walks
            .map(|walk| thread::Builder::new().spawn_scoped(scope, walk))
            .collect();
        let mut join = |(part, ends_at_next)| {
            tally.append(part);
            joined &= ends_at_next;
        };
        if let Some(first) = first {
            join(first());
        }
        for other in others {
            match other.map(thread::ScopedJoinHandle::join) {
                Ok(Ok(walked)) => join(walked),
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(_) => join((Tally::default(), false)),
            }
        }
    });
    joined.then_some(Tiling {
        starts,
        taken,
        tally,
    })
}

impl Tally {
    fn append(&mut self, later: Self) {
        self.broken.extend(later.broken);
        self.bins += later.bins;
        self.cells += later.cells;
        self.free_bytes += later.free_bytes;
        self.found.merge(later.found);
    }
}

/// The first page from `from` on that starts like a hive bin.
fn next_header(data: &[u8], from: usize) -> Option<usize> {
    (from..data.len()).step_by(PAGE_LEN).find(|&at| {
        bytes::view::<HiveBin>(data, at).is_some_and(|bin| {
            bin.signature == HiveBin::SIGNATURE && bin.offset.get() as usize == at
        })
    })
}

/// A walk over the bins of one part of the hive.
struct Walk<'a, 'w> {
    data: &'a [u8],
    /// The position of the first bit.
    base: usize,
    starts: &'w mut [u64],
    taken: &'w mut [u64],
    tally: Tally,
}

impl<'a, 'w> Walk<'a, 'w> {
    fn new(data: &'a [u8], base: usize, starts: &'w mut [u64], taken: &'w mut [u64]) -> Self {
        Self {
            data,
            base,
            starts,
            taken,
            tally: Tally::default(),
        }
    }

    /// Walks over the bins that start below `to`; returns the end of the last of them.
    fn run(&mut self, to: usize) -> usize {
        let mut at = self.base;
        while at < to {
            at = match self.bin_len(at) {
                Some(len) => {
                    self.cells(at, len);
                    at + len
                }
                // The pages up to the next header are unknown.
                None => {
                    self.close(at);
                    next_header(self.data, at + PAGE_LEN).map_or(to, |next| next.min(to))
                }
            };
        }
        at
    }

    /// The length of the bin at `at`, cut at the end of the bins; `None` if it is not a bin.
    fn bin_len(&mut self, at: usize) -> Option<usize> {
        let offset = FileOffset::of_bins(at);
        let bin = bytes::view::<HiveBin>(self.data, at)?;
        if bin.signature != HiveBin::SIGNATURE {
            let found = &mut self.tally.found;
            found.add(ProblemKind::BinSignature, offset, None, || {
                ("\"hbin\"", format!("\"{}\"", bin.signature.escape_ascii()))
            });
            return None;
        }
        self.tally.bins += 1;
        let stated = bin.offset.get();
        if stated as usize != at {
            let found = &mut self.tally.found;
            found.add(ProblemKind::BinOffset, offset, None, || {
                (format!("{at:#x}"), format!("{stated:#x}"))
            });
        }
        let left = self.data.len() - at;
        let len = bin.size.get() as usize;
        if len == 0 || !len.is_multiple_of(PAGE_LEN) || len > left {
            let found = &mut self.tally.found;
            found.add(ProblemKind::BinSize, offset, None, || {
                let expected = format!("a multiple of 4096 up to {left:#x}");
                (expected, format!("{len:#x}"))
            });
            // A bin that reaches too far still starts with cells; any other wrong size says
            // nothing.
            return (len > left).then_some(left);
        }
        Some(len)
    }

    /// Records a place at which a cell ends and no other starts.
    fn close(&mut self, at: usize) {
        bitmap::insert(self.starts, at - self.base);
        bitmap::insert(self.taken, at - self.base);
    }

    fn cells(&mut self, bin: usize, len: usize) {
        self.close(bin);
        // `bin_len` has cut the length at the end of the bins.
        let (_, rest) = self.data.split_at(bin);
        let (cells, _) = rest.split_at(len);
        let base = bin - self.base;
        let mut at = HiveBin::LEN;
        let mut after_free = false;
        while let Some(header) = bytes::view::<CellHeader>(cells, at) {
            let size = header.size.get();
            let cell_len = size.unsigned_abs() as usize;
            if cell_len == 0
                || !cell_len.is_multiple_of(CellHeader::ALIGN)
                || cell_len > cells.len() - at
            {
                self.broken_cell(bin + at, size, cells.len() - at);
                return;
            }
            self.tally.cells += 1;
            bitmap::insert(self.starts, base + at);
            if size > 0 {
                bitmap::insert(self.taken, base + at);
                self.tally.free_bytes += cell_len;
                if after_free {
                    self.not_coalesced(bin + at, cell_len);
                }
            }
            after_free = size > 0;
            at += cell_len;
        }
    }

    #[cold]
    fn broken_cell(&mut self, at: usize, size: i32, left: usize) {
        self.close(at);
        self.tally.broken.push(at);
        let found = &mut self.tally.found;
        found.add(ProblemKind::CellSize, FileOffset::of_bins(at), None, || {
            let expected = format!("a multiple of 8 from 8 to {left}, negative when allocated");
            (expected, size.to_string())
        });
    }

    #[cold]
    fn not_coalesced(&mut self, at: usize, len: usize) {
        let found = &mut self.tally.found;
        let offset = FileOffset::of_bins(at);
        found.add(ProblemKind::FreeNotCoalesced, offset, None, || {
            let actual = format!("{len} free bytes after a free cell");
            ("one free cell", actual)
        });
    }
}
