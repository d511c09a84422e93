//! Proving that a hive on disk is equal, byte for byte, to the one that was verified in memory.

use diskmend_base::count::{to_u64, to_usize};
use std::collections::BTreeMap;
use std::ops::Range;

use diskmend_hive::commit::{CommitPlan, HiveFileKind, Step};
use diskmend_hive::{BASE_BLOCK_LEN, Change, Hive};

use diskmend_disk::File;

use crate::digest::{Chunks, Digest};
use crate::error::Error;
use crate::hive_on_disk::reopen_clean;
use crate::run::Content;
use crate::session::verify::look;

/// What the primary file must hold after a commit, computed from memory alone.
pub(crate) struct Wanted {
    /// The digest of base block and bins.
    head: Digest,
    /// The end of the bins in the file, in bytes.
    bins_end: usize,
    chunks: Chunks,
    /// The chunks that the commit writes to.
    written: Vec<Range<usize>>,
    /// The length of the file in bytes.
    length: u64,
}

impl Wanted {
    /// Applies a plan's writes to the hive in memory. `before` are the chunks of the file when it
    /// was opened.
    pub(crate) fn of(hive: &Hive, plan: &CommitPlan<'_>, before: &Chunks) -> Self {
        let image = hive.image();
        let file = image.file();
        let length = plan
            .change(HiveFileKind::Primary)
            .map_or(to_u64(file.len()), |change| change.len_after);
        let bins_end = BASE_BLOCK_LEN.saturating_add(image.bins_len());
        let overlay = overlay(plan);
        let is_changed = |range: &Range<usize>| is_written(&overlay, range);
        let bytes = |range: Range<usize>| pieces(file, &overlay, range);
        let chunks = before.after(to_usize(length), is_changed, bytes);
        Self {
            head: chunks.head(bins_end, bytes),
            bins_end,
            written: Chunks::ranges(to_usize(length))
                .filter(is_changed)
                .collect(),
            chunks,
            length,
        }
    }
}

/// The bytes that a plan writes last to each place of the primary file.
fn overlay<'a>(plan: &'a CommitPlan<'_>) -> BTreeMap<usize, &'a [u8]> {
    let mut written: BTreeMap<usize, &'a [u8]> = BTreeMap::new();
    // From the last write to the first, each only in places without a later write.
    for step in plan.steps().iter().rev() {
        let Step::Write {
            file: HiveFileKind::Primary,
            offset,
            data,
        } = step
        else {
            continue;
        };
        let start = to_usize(*offset);
        let end = start.saturating_add(data.len());
        let mut at = start;
        while at < end {
            let before = written.range(..=at).next_back();
            let taken = before.map(|(from, bytes)| from.saturating_add(bytes.len()));
            if let Some(taken) = taken.filter(|taken| *taken > at) {
                at = taken;
                continue;
            }
            let next = written.range(at..).next().map_or(end, |(from, _)| *from);
            let next = next.min(end);
            if let Some(part) = data.get(at - start..next - start) {
                written.insert(at, part);
            }
            at = next;
        }
    }
    written
}

/// True if any byte of the range is written.
fn is_written(written: &BTreeMap<usize, &[u8]>, range: &Range<usize>) -> bool {
    let last = written.range(..range.end).next_back();
    last.is_some_and(|(start, bytes)| start.saturating_add(bytes.len()) > range.start)
}

/// A range of the hive in memory, with the written bytes in their places. If a piece were missing,
/// the digest would be that of no file, and the hive would count as another than the verified one.
fn pieces<'a>(
    image: &'a [u8],
    written: &BTreeMap<usize, &'a [u8]>,
    range: Range<usize>,
) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut at = range.start;
    let before = written.range(..range.start).next_back();
    for (start, bytes) in before.into_iter().chain(written.range(range.clone())) {
        let end = start.saturating_add(bytes.len()).min(range.end);
        if end <= at {
            continue;
        }
        let from = at.max(*start);
        pieces.extend(image.get(at..from));
        pieces.extend(bytes.get(from - start..end - start));
        at = end;
    }
    pieces.extend(image.get(at..range.end));
    pieces
}

/// Reads back every chunk of the file that the commit wrote to, including what is around the
/// writes. The other chunks were read when the hive was opened.
///
/// # Errors
/// [`Error::ReadBack`] if anything differs.
pub(crate) fn of_chunks(primary: &dyn File, path: &str, wanted: &Wanted) -> Result<Content, Error> {
    let io = || Error::io(path, "read the hive back");
    let found = |found: String| Error::ReadBack {
        path: path.to_owned(),
        found,
    };
    let length = primary.len().map_err(io())?;
    if length != wanted.length {
        return Err(found(format!("a file of {length} bytes")));
    }
    let mut on_disk = Vec::new();
    for range in &wanted.written {
        on_disk.resize(range.len(), 0);
        primary
            .read_exact_at(&mut on_disk, to_u64(range.start))
            .map_err(io())?;
        if !wanted.chunks.is_at(range.start, &on_disk) {
            let Range { start, end } = range;
            return Err(found(format!("other bytes from {start:#x} to {end:#x}")));
        }
    }
    Ok(Content {
        length,
        xxh3: wanted.chunks.digest(),
    })
}

/// Opens the hive from the disk again, looks up every change, and compares the whole hive with the
/// verified one. The bytes behind the end of the bins after a recovery are known only from the
/// disk.
///
/// # Errors
/// [`Error::ReadBack`] if anything differs.
pub(crate) fn of_hive(
    primary: &dyn File,
    path: &str,
    changes: &[Change],
    wanted: &Wanted,
) -> Result<Content, Error> {
    let hive = reopen_clean(primary, path)?;
    look(&hive, path, changes)?;
    let file = hive.image().file();
    let chunks = Chunks::of(file);
    let head = chunks.head(wanted.bins_end, |range| file.get(range));
    if head != wanted.head {
        return Err(Error::ReadBack {
            path: path.to_owned(),
            found: "other bytes than those that were verified".to_owned(),
        });
    }
    Ok(Content {
        length: to_u64(file.len()),
        xxh3: chunks.digest(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_with_a_write_is_compared_in_full_and_the_length_too() {
        let file: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
        let written: Vec<_> = Chunks::ranges(file.len()).skip(1).take(1).collect();
        let (start, end) = (written[0].start, written[0].end);
        let wanted = Wanted {
            head: Digest::of(&file),
            bins_end: file.len(),
            chunks: Chunks::of(&file),
            written,
            length: to_u64(file.len()),
        };
        let content = of_chunks(&file, "SYSTEM", &wanted).expect("as written");
        assert_eq!(content.xxh3, Digest::of(&file));

        let refused = |file: &Vec<u8>| {
            let error = of_chunks(file, "SYSTEM", &wanted).expect_err("other bytes");
            assert!(matches!(error, Error::ReadBack { .. }), "{error}");
        };
        for at in [start, start + 1000, end - 1] {
            let mut other = file.clone();
            other[at] ^= 1;
            refused(&other);
        }
        refused(&file[..file.len() - 1].to_vec());
    }
}
