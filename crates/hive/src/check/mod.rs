//! The full structural check of a hive in memory.
mod bitmap;
mod fingerprint;
mod keys;
mod kind;
mod lists;
mod path;
mod pool;
mod readahead;
mod report;
mod security;
mod tiling;
mod values;
mod walk;

use std::thread;

pub use kind::{ProblemKind, Severity};
pub use report::{Content, MAX_PROBLEMS, Problem, Report};

use self::bitmap::Bitmap;
use self::path::Parents;
use self::pool::{Pending, Pool};
use self::report::Collector;
use self::security::Ring;
use self::tiling::Tiling;
use self::walk::{Ground, Walker};
use crate::bytes;
use crate::error::Corruption;
use crate::format::{CellHeader, KeyNode};
use crate::hive::Hive;
use crate::offset::{CellOffset, FileOffset};

/// Hives shorter than this are checked by one thread.
const MIN_PARALLEL_LEN: usize = 2 << 20;
/// Bytes of bitmaps beyond 1/32 of the hive that more threads may take.
const PARALLEL_MEMORY: usize = 3 << 20;
/// More threads than this wait for each other most of the time.
const MAX_THREADS: usize = 8;

/// Checks a hive's structure, from its base block to the last cell.
///
/// Takes time in proportion to the length of the hive, memory of at most 1/32 of it and 4 MiB
/// where the hive is sound, and several threads where it is long. The sequence numbers and the
/// checksum of the base block are not looked at: they are right once a hive was opened or
/// committed.
#[must_use]
pub fn check(hive: &Hive) -> Report {
    let available = thread::available_parallelism().map_or(1, usize::from);
    check_with(hive, threads_for(hive.image().bins_len(), available))
}

/// Each thread needs a bitmap of 1/64 of the hive, beside one that they share.
fn threads_for(len: usize, available: usize) -> usize {
    if len < MIN_PARALLEL_LEN {
        return 1;
    }
    let affordable = 1 + PARALLEL_MEMORY * 64 / len;
    available.min(affordable).min(MAX_THREADS)
}

fn check_with(hive: &Hive, threads: usize) -> Report {
    let Some(base) = hive.image().base_block() else {
        return Report::default();
    };
    let subject = Subject {
        data: hive.image().bins(),
        minor: base.minor_version.get(),
        root: CellOffset::new(base.root_cell.get()),
        fault: base.validate().err(),
    };
    if threads > 1
        && let Some(report) = subject.check(threads)
    {
        return report;
    }
    subject.check(1).unwrap_or_default()
}

struct Subject<'a> {
    data: &'a [u8],
    minor: u32,
    root: CellOffset,
    fault: Option<Corruption>,
}

impl Subject<'_> {
    /// Checks with several threads, or with one. With several, `None` where the report would
    /// depend on which of them was faster.
    fn check(&self, threads: usize) -> Option<Report> {
        let mut tiling = tiling::tile(self.data, threads);
        let mut found = std::mem::take(&mut tiling.tally.found);
        let mut taken = std::mem::take(&mut tiling.taken);
        if let Some(fault) = &self.fault {
            found.add(ProblemKind::BaseBlock, fault.offset, None, || {
                let actual = format!("{} {}", fault.what, fault.actual);
                (fault.expected.clone(), actual)
            });
        }
        let ring = self.ring(&tiling, &mut taken, &mut found);
        let ground = Ground {
            data: self.data,
            minor: self.minor,
            starts: &tiling.starts,
            broken: &tiling.tally.broken,
            ring: &ring,
        };
        let outcome = self.walk(ground, taken, threads)?;
        found.merge(outcome.found);
        ring.compare_counts(self.data, &outcome.security_counts, &mut found);
        for at in tiling.starts.without(&outcome.taken) {
            leaked(self.data, &tiling.starts, at, &mut found);
        }
        if threads > 1 && found.overflowed() {
            return None;
        }
        let content = Content {
            bins: tiling.tally.bins,
            cells: tiling.tally.cells,
            keys: outcome.keys,
            values: outcome.values,
            security_cells: ring.len(),
            free_bytes: tiling.tally.free_bytes,
        };
        Some(found.report(content, |key| {
            outcome.parents.path(self.data, self.root, key)
        }))
    }

    fn ring(&self, tiling: &Tiling, taken: &mut Bitmap, found: &mut Collector) -> Ring {
        let at = self.root.index().checked_add(CellHeader::LEN);
        match at.and_then(|at| bytes::view::<KeyNode>(self.data, at)) {
            Some(node) if node.signature == KeyNode::SIGNATURE => {
                let first = CellOffset::new(node.security.get());
                Ring::collect(self.data, first, tiling, taken, found)
            }
            // The walk reports the root.
            _ => Ring::default(),
        }
    }

    fn walk<'a>(&'a self, ground: Ground<'a>, taken: Bitmap, threads: usize) -> Option<Outcome> {
        let mut first = Walker::new(ground, taken);
        let mut pending = Vec::new();
        if first.key_node(self.root, None).is_some() {
            pending.push(Pending {
                key: self.root,
                depth: 0,
            });
        }
        let pool = Pool::new(pending, threads);
        let pool = &pool;
        let mut walkers = thread::scope(|scope| {
            let others: Vec<_> = (1..threads)
                .map(|_| {
                    // What the first walker knows to be taken shows when all are merged.
                    let mut walker = Walker::new(ground, Bitmap::new(self.data.len()));
                    scope.spawn(move || {
                        let guard = AbandonOnPanic(pool);
                        walker.run(guard.0);
                        walker
                    })
                })
                .collect();
            let guard = AbandonOnPanic(pool);
            first.run(guard.0);
            let mut walkers = vec![first];
            for other in others {
                match other.join() {
                    Ok(walker) => walkers.push(walker),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            walkers
        })
        .into_iter();
        let first = walkers.next()?;
        let mut outcome = Outcome {
            taken: first.taken,
            found: first.found,
            keys: first.keys,
            values: first.values,
            security_counts: first.security_counts,
            parents: first.parents,
        };
        for walker in walkers {
            if !outcome.taken.merge(&walker.taken) {
                return None;
            }
            outcome.found.merge(walker.found);
            outcome.keys += walker.keys;
            outcome.values += walker.values;
            let counts = outcome.security_counts.iter_mut();
            for (count, more) in counts.zip(walker.security_counts) {
                *count += more;
            }
            outcome.parents.merge(walker.parents);
        }
        Some(outcome)
    }
}

/// What all walkers together counted and found.
struct Outcome {
    taken: Bitmap,
    found: Collector,
    keys: usize,
    values: usize,
    security_counts: Vec<u32>,
    parents: Parents,
}

/// Lets the other walkers end when one panics, so that the panic is seen and not a hang.
struct AbandonOnPanic<'p>(&'p Pool);

impl Drop for AbandonOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.abandon();
        }
    }
}

#[cold]
fn leaked(data: &[u8], starts: &Bitmap, at: usize, found: &mut Collector) {
    found.add(
        ProblemKind::CellLeaked,
        FileOffset::of_bins(at),
        None,
        || {
            let len = starts.next_after(at).unwrap_or(data.len()) - at;
            let head: [u8; 2] = bytes::view(data, at + CellHeader::LEN)
                .copied()
                .unwrap_or_default();
            let actual = format!("none to {len} bytes that start with {}", walk::quoted(head));
            ("a reference", actual)
        },
    );
}
