//! The full structural check of a hive in memory.
//!
//! The first pass goes through the bins in their order: the bins must follow each other to the end
//! of the hive, and cells must fill each bin. The second pass goes from the root key to every
//! structure that it leads to. Both mark positions in bitmaps, which reveal cells without a
//! reference or with two. Volatile subkey lists mean nothing on disk and are never followed; the
//! value count of a key with a predefined handle is not a count.
//!
//! An *error* means that Windows would refuse the hive or not see part of it, or that an edit could
//! lose data. A *warning* is something that Windows tolerates and that does not make edits unsafe:
//! an edit never frees a security cell by its reference count alone.
//!
//! # Kinds of problems
//!
//! Sections are those of the regf spec.
//!
//! | code | severity | meaning | section |
//! |---|---|---|---|
//! | `base-block` | error | A field of the base block | Base block |
//! | `bin-signature` | error | A hive bin without its signature | Hive bin |
//! | `bin-offset` | error | A hive bin that states another offset than its own | Hive bin |
//! | `bin-size` | error | A hive bin with a size that is not a multiple of 4096 or reaches past the end of the bins | Hive bin |
//! | `cell-size` | error | A cell with a size that is 0, not a multiple of 8, or reaches past its bin | Cell |
//! | `cell-too-long` | error | A cell of more than 1 MiB that something refers to | Cell |
//! | `free-not-coalesced` | warning | Two free cells side by side | Cell |
//! | `cell-not-allocated` | error | A reference to something that is not an allocated cell | Cell |
//! | `cell-referenced-twice` | error | A cell with a second reference | Cell |
//! | `cell-leaked` | warning | An allocated cell without a reference | Cell |
//! | `key-signature` | error | A key node without its signature | Key node |
//! | `key-size` | error | A key node shorter than its structure and name, or longer than Windows accepts | Key node |
//! | `key-parent` | error | A key node that names another parent than its own | Key node |
//! | `key-name` | error | A key name that is empty or ends in half a UTF-16 unit | Key node |
//! | `key-name-long` | warning | A key name longer than 255 UTF-16 units | Key node |
//! | `key-name-character` | warning | A key name with control characters, or with a backslash, so that no path leads to the key | Key node |
//! | `key-name-uncompressed` | warning | A key name in UTF-16 that Latin-1 could hold | Key node |
//! | `key-flags` | warning | Flags that do not fit the key's place: a volatile key, a root without the flag of a root, and so on | Key node |
//! | `key-depth` | error | A key more levels below the root than Windows loads, 511 | Key node |
//! | `key-tombstone` | warning | A tombstone of a layered key with subkeys, values or a class | Key node |
//! | `key-layered` | error | A layered key in a hive that is not marked to hold layered keys | Key node |
//! | `class-size` | error | A class name longer than its cell | Key node |
//! | `class-name` | warning | A class name without a cell, or of half UTF-16 units | Key node |
//! | `max-subkey-name` | warning | The stated longest subkey name is shorter than the longest | Key node |
//! | `max-class` | warning | The stated longest class name of subkeys is shorter than the longest | Key node |
//! | `max-value-name` | warning | The stated longest value name is shorter than the longest | Key node |
//! | `max-value-data` | warning | The stated longest value data are shorter than the longest | Key node |
//! | `subkey-list-signature` | error | A subkey list without a list's signature, or an index root below another | Subkeys list |
//! | `subkey-list-size` | error | A subkey list longer than its cell | Subkeys list |
//! | `subkey-list-empty` | error | A subkey list without an element | Subkeys list |
//! | `subkey-list-version` | warning | A kind of subkey list that the minor version does not have | Subkeys list |
//! | `subkey-count` | error | The subkey lists hold another number of elements than the key has subkeys | Subkeys list |
//! | `subkey-order` | error | A subkey before another one with a name that sorts lower: searches miss it | Subkeys list |
//! | `subkey-order-version` | warning | The same, but a letter of either name has another upper case in later versions of Windows | Subkeys list |
//! | `subkey-duplicate` | warning | Two subkeys of one name | Subkeys list |
//! | `subkey-hash` | warning | A hash or hint in a subkey list that is not that of the subkey's name | Subkeys list |
//! | `value-list-size` | error | A value list shorter than the number of values | Key values list |
//! | `value-signature` | error | A key value without its signature | Key value |
//! | `value-size` | error | A key value shorter than its structure and name | Key value |
//! | `value-name` | error | A value name that ends in half a UTF-16 unit | Key value |
//! | `value-name-long` | warning | A value name longer than 16383 UTF-16 units | Key value |
//! | `value-name-uncompressed` | warning | A value name in UTF-16 that Latin-1 could hold | Key value |
//! | `value-duplicate` | warning | Two values of one name in one key, unless it has very many values | Key value |
//! | `value-inline` | error | More than four bytes of data in the value itself | Key value |
//! | `value-data-size` | error | A data cell shorter than the data, or a data cell of a value without data | Key value |
//! | `big-data-signature` | error | A big data record without its signature | Big data |
//! | `big-data-count` | error | A big data record with another number of segments than the length of the data demands | Big data |
//! | `big-data-size` | error | A big data record or segment list shorter than its structure | Big data |
//! | `big-data-segment` | error | A segment of big data shorter than its part of the data | Big data |
//! | `security-signature` | error | A security cell without its signature | Key security |
//! | `security-size` | error | A security cell shorter than its structure and descriptor | Key security |
//! | `security-descriptor` | error | A security descriptor that is not valid | Key security |
//! | `security-link` | error | A link of the security ring that does not lead back | Key security |
//! | `security-not-on-ring` | error | A key that uses a security cell outside the ring | Key security |
//! | `security-reference-count` | warning | A security cell with a reference count that is not the number of its keys | Key security |

mod bitmap;
mod fingerprint;
mod keys;
mod kind;
mod leaves;
mod lists;
mod path;
mod pool;
mod readahead;
mod report;
mod security;
mod tiling;
mod values;
mod walk;
mod wide;

use std::thread;

pub use kind::{ProblemKind, Severity};
pub use report::{Content, Problem, Report};
pub(crate) use security::descriptor_fault;

use diskmend_base::bytes;
use diskmend_base::upcase::CaseTable;

use self::bitmap::Bitmap;
use self::path::Parents;
use self::pool::{Pending, Pool};
use self::report::Collector;
use self::security::{Counts, Ring};
use self::tiling::Tiling;
use self::walk::{Ground, Walker};
use crate::error::Corruption;
use crate::format::{BaseBlock, CellHeader, KeyNode};
use crate::hive::Hive;
use crate::offset::{CellOffset, FileOffset};

/// Shorter hives are checked by one thread.
const MIN_PARALLEL_LEN: usize = 2 << 20;
/// The maximum size in bytes of bitmaps beyond 1/32 of the hive for more threads.
const PARALLEL_MEMORY: usize = 3 << 20;
/// More threads than this would mostly wait for each other.
const MAX_THREADS: usize = 8;

/// Checks a hive's structure, from its base block to the last cell.
///
/// The check takes time in proportion to the length of the hive, and at most 1/20 of that length
/// plus 16 MiB of memory, whatever the hive contains. It uses several threads for a long hive. It
/// ignores the sequence numbers and the checksum of the base block: they are right after a hive was
/// opened or committed.
#[must_use]
pub fn check(hive: &Hive) -> Report {
    let available = thread::available_parallelism().map_or(1, usize::from);
    check_with(hive, threads_for(hive.image().bins_len(), available))
}

/// Each thread needs a bitmap of 1/64 of the hive, in addition to one that they share.
fn threads_for(len: usize, available: usize) -> usize {
    if len < MIN_PARALLEL_LEN {
        return 1;
    }
    let affordable = 1 + PARALLEL_MEMORY * 64 / len;
    available.min(affordable).min(MAX_THREADS)
}

fn check_with(hive: &Hive, threads: usize) -> Report {
    let base = hive.base_block();
    let subject = Subject {
        data: hive.image().bins(),
        minor: base.minor_version.get(),
        table: hive.case_table(),
        layered: base.flags.get() & BaseBlock::FLAG_LAYERED != 0,
        root: CellOffset::new(base.root_cell.get()),
        fault: base.validate().err(),
    };
    let (report, depends_on_threads) = subject.check(threads);
    if depends_on_threads && threads > 1 {
        let (report, _) = subject.check(1);
        return report;
    }
    report
}

struct Subject<'a> {
    data: &'a [u8],
    minor: u32,
    table: CaseTable,
    layered: bool,
    root: CellOffset,
    fault: Option<Corruption>,
}

impl Subject<'_> {
    /// Checks with several threads, or with one. The second value is true if the report depends on
    /// which thread was faster.
    fn check(&self, threads: usize) -> (Report, bool) {
        let mut tiling = tiling::tile(self.data, threads);
        let mut found = std::mem::take(&mut tiling.tally.found);
        let mut taken = std::mem::take(&mut tiling.taken);
        if let Some(fault) = &self.fault {
            found.add(ProblemKind::BaseBlock, fault.offset, None, || {
                let actual = format!("{} {}", fault.what, fault.found);
                (fault.expected.clone(), actual)
            });
        }
        let ring = self.ring(&tiling, &mut taken, &mut found);
        let ground = Ground {
            data: self.data,
            minor: self.minor,
            table: self.table,
            layered: self.layered,
            starts: &tiling.starts,
            broken: &tiling.tally.broken,
            ring: &ring,
        };
        let outcome = self.walk(ground, taken, threads);
        found.merge(outcome.found);
        ring.compare_counts(self.data, &outcome.security_counts, &mut found);
        for at in tiling.starts.without(&outcome.taken) {
            leaked(self.data, &tiling.starts, at, &mut found);
        }
        let depends_on_threads = outcome.overlap
            || found.overflowed()
            || found.contains(ProblemKind::CellReferencedTwice);
        let content = Content {
            bins: tiling.tally.bins,
            cells: tiling.tally.cells,
            keys: outcome.keys,
            values: outcome.values,
            security_cells: ring.len(),
            free_bytes: tiling.tally.free_bytes,
        };
        let report = found.report(content, |key| {
            outcome.parents.path(self.data, self.root, key)
        });
        (report, depends_on_threads)
    }

    fn ring(&self, tiling: &Tiling, taken: &mut Bitmap, found: &mut Collector) -> Ring {
        let at = self.root.index().checked_add(CellHeader::LEN);
        match at.and_then(|at| bytes::view::<KeyNode>(self.data, at)) {
            Some(node) if node.signature == KeyNode::SIGNATURE => {
                let first = CellOffset::new(node.security.get());
                Ring::collect(self.data, first, tiling, taken, found)
            }
            // The walk reports the root.
            _ => Ring::new(self.data.len()),
        }
    }

    fn walk<'a>(&'a self, ground: Ground<'a>, taken: Bitmap, threads: usize) -> Outcome {
        let mut first = Walker::new(ground, taken);
        let mut pending = Vec::new();
        if first.key_node(self.root, None).is_some() {
            pending.push(Pending {
                key: self.root,
                depth: 0,
                passed: 0,
            });
        }
        let pool = Pool::new(pending, threads);
        let pool = &pool;
        let walkers = thread::scope(|scope| {
            let mut others = Vec::new();
            for _ in 1..threads {
                // Merging the walkers shows which cells the first walker already knew to be taken.
                let mut walker = Walker::new(ground, Bitmap::new(self.data.len()));
                let spawned = thread::Builder::new().spawn_scoped(scope, move || {
                    let guard = AbandonOnPanic(pool);
                    walker.run(guard.0);
                    walker
                });
                match spawned {
                    Ok(other) => others.push(other),
                    Err(_) => pool.retire_one(),
                }
            }
            let guard = AbandonOnPanic(pool);
            first.run(guard.0);
            let mut walkers = Vec::new();
            for other in others {
                match other.join() {
                    Ok(walker) => walkers.push(walker),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            walkers
        });
        let mut outcome = Outcome {
            taken: first.taken,
            found: first.found,
            keys: first.keys,
            values: first.values,
            security_counts: first.security_counts,
            parents: first.parents,
            overlap: false,
        };
        for walker in walkers {
            outcome.overlap |= !outcome.taken.merge(&walker.taken);
            outcome.found.merge(walker.found);
            outcome.keys += walker.keys;
            outcome.values += walker.values;
            outcome
                .security_counts
                .merge(walker.security_counts, ground.ring);
            outcome.parents.merge(walker.parents);
        }
        outcome.security_counts.settle();
        outcome
    }
}

/// The combined counts and problems of all walkers.
struct Outcome {
    taken: Bitmap,
    found: Collector,
    keys: usize,
    values: usize,
    security_counts: Counts,
    parents: Parents,
    /// Two walkers were led to one place.
    overlap: bool,
}

/// Stops the other walkers if one panics, so that the panic is reported and the check does not
/// hang.
struct AbandonOnPanic<'p, 'a>(&'p Pool<'a>);

impl Drop for AbandonOnPanic<'_, '_> {
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
            let head = bytes::array(data, at + CellHeader::LEN).map(walk::quoted);
            let head = head.unwrap_or("nothing".to_owned());
            let actual = format!("none to {len} bytes that start with {head}");
            ("a reference", actual)
        },
    );
}

#[cfg(test)]
mod tests;
