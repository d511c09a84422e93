//! What redoing and undoing the records of a journal may change.

use std::ops::Range;

use diskmend_base::bytes;
use zerocopy::byteorder::little_endian::U64;

use super::super::boot::Geometry;
use super::super::format::{attribute_type, system};
use super::super::layout::Layout;
use super::super::place::Lcn;
use super::super::runs::Run;
use super::error::{JournalError, odd};
use super::format::{Bits, Change};
use super::operation::Operation;
use super::tables::{DirtyPage, OpenAttribute};
use crate::ranges::Ranges;

/// The unit of the offset of a FILE record in its cluster, in bytes.
const BLOCK: u64 = 512;
/// The most clusters that a record names: 64 KiB in clusters of 512 bytes.
const MOST_CLUSTERS: u16 = 128;
/// The number that stands for a cluster that does not exist.
const HOLE: u64 = u64::MAX;
/// The most separate places that are kept of each kind. A journal of 64 MiB has room for about as
/// many records.
const MOST_PLACES: usize = 1 << 20;

/// What may change on a volume when its journal is replayed.
#[derive(Debug, Default)]
pub struct Touches {
    records: Ranges,
    clusters: Ranges,
    owners: Ranges,
}

impl Touches {
    /// True if the FILE record with a number may change.
    #[must_use]
    pub fn record(&self, number: u64) -> bool {
        self.records.meets(number..number.saturating_add(1))
    }

    /// True if the content of one of these clusters may change.
    #[must_use]
    pub fn clusters(&self, range: Range<u64>) -> bool {
        self.clusters.meets(range)
    }

    /// True if one of these clusters may become used or unused ($Bitmap).
    #[must_use]
    pub fn owners(&self, range: Range<u64>) -> bool {
        self.owners.meets(range)
    }

    /// The numbers of FILE records, of clusters with content that may change, and of clusters that
    /// may become used or unused.
    #[must_use]
    pub fn counts(&self) -> [u64; 3] {
        [&self.records, &self.clusters, &self.owners].map(Ranges::total)
    }
}

/// Where the volume's own files are, and how it is divided.
pub(in super::super) struct Ground {
    cluster_len: u64,
    record_len: u64,
    clusters: u64,
    mft: Places,
    mft_bitmap: Places,
    bitmap: Places,
}

impl Ground {
    /// Takes the layouts of $MFT, of its bitmap and of $Bitmap; without a layout, a value is in its
    /// FILE record.
    pub(in super::super) fn new(geometry: &Geometry, files: [Option<&Layout>; 3]) -> Self {
        let [mft, mft_bitmap, bitmap] = files.map(Places::of);
        let sizes = [&geometry.cluster_len, &geometry.record_len].map(|len| len.get());
        let [cluster_len, record_len] = sizes;
        Self {
            mft,
            mft_bitmap,
            bitmap,
            ..Self::of_sizes(cluster_len, record_len, geometry.clusters)
        }
    }

    /// A volume of which nothing but the sizes is known.
    pub(super) fn of_sizes(cluster_len: u64, record_len: u64, clusters: u64) -> Self {
        let [mft, mft_bitmap, bitmap] = [None; 3].map(Places::of);
        Self {
            cluster_len,
            record_len,
            clusters,
            mft,
            mft_bitmap,
            bitmap,
        }
    }
}

/// The runs of a file in the order of their clusters on the volume.
struct Places(Vec<Run>);

impl Places {
    fn of(layout: Option<&Layout>) -> Self {
        let runs = layout.into_iter().flat_map(Layout::runs);
        let mut runs: Vec<_> = runs.filter(|run| run.lcn.is_some()).copied().collect();
        runs.sort_by_key(|run| run.lcn);
        Self(runs)
    }

    /// The cluster of the file that a cluster of the volume is.
    fn vcn(&self, lcn: u64) -> Option<u64> {
        let after = self.0.partition_point(|run| run.lcn <= Some(Lcn(lcn)));
        let run = self.0.get(after.checked_sub(1)?)?;
        let within = lcn.checked_sub(run.lcn?.0)?;
        (within < run.len).then(|| run.vcn.saturating_add(within))
    }
}

/// Collects what records touch.
pub(super) struct Collector<'a> {
    ground: &'a Ground,
    pub touches: Touches,
}

/// A change, with the record that it was read from.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub change: &'a Change,
    /// The data of the record.
    pub data: &'a [u8],
    pub operations: [Operation; 2],
    /// The attribute that it changes, if the tables say so.
    pub attribute: Option<OpenAttribute>,
    /// The record's offset in the journal.
    pub offset: u64,
}

impl<'a> Collector<'a> {
    pub(super) fn new(ground: &'a Ground) -> Self {
        Self {
            ground,
            touches: Touches::default(),
        }
    }

    /// Adds a page in memory that differed from the volume.
    pub(super) fn add_page(&mut self, page: &DirtyPage, offset: u64) -> Result<(), JournalError> {
        for lcn in &page.lcns {
            self.cluster(*lcn, offset)?;
        }
        self.check_size(offset)
    }

    /// Adds a change.
    pub(super) fn add(&mut self, seen: Seen<'_>) -> Result<(), JournalError> {
        let Seen { change, offset, .. } = seen;
        if seen.operations.contains(&Operation::HOT_FIX) {
            let expected = "one without bad clusters";
            return Err(odd("operation", offset, expected, Operation::HOT_FIX));
        }
        let count = change.lcns_to_follow.get();
        let lcns = bytes::view_many::<U64>(seen.data, size_of::<Change>(), count.into());
        let lcns = lcns.filter(|_| count <= MOST_CLUSTERS);
        let Some(lcns) = lcns else {
            let expected = format!("at most {MOST_CLUSTERS}, in the record");
            return Err(odd(
                "number of clusters of a record",
                offset,
                expected,
                count,
            ));
        };
        let lcns: Vec<u64> = lcns.iter().map(|lcn| lcn.get()).collect();
        if lcns.is_empty() {
            return Ok(());
        }
        for lcn in &lcns {
            self.cluster(*lcn, offset)?;
        }
        self.add_records(seen, &lcns)?;
        for (operation, at, len) in [
            (
                change.redo_operation,
                change.redo_offset,
                change.redo_length,
            ),
            (
                change.undo_operation,
                change.undo_offset,
                change.undo_length,
            ),
        ] {
            if Operation::changes_bits(operation.get()) {
                let bits = bytes::slice(seen.data, at.get().into(), len.get().into());
                let bits = bits.and_then(|data| bytes::view::<Bits>(data, 0));
                let lost = || odd("bits", offset, "8 bytes", len);
                self.add_bits(seen, bits.ok_or_else(lost)?, &lcns)?;
            }
        }
        self.check_size(offset)
    }

    /// Adds a cluster with content that may change.
    fn cluster(&mut self, lcn: u64, offset: u64) -> Result<(), JournalError> {
        let clusters = self.ground.clusters;
        if lcn == HOLE {
            return Ok(());
        }
        if lcn >= clusters {
            let expected = format!("less than {clusters}");
            return Err(odd("cluster of a record", offset, expected, lcn));
        }
        self.touches.clusters.insert(lcn..lcn.saturating_add(1));
        Ok(())
    }

    /// Adds the FILE records that a change is in, by its place in $MFT and by its clusters: the
    /// tables do not tell of attributes that were closed since.
    fn add_records(&mut self, seen: Seen<'_>, lcns: &[u64]) -> Result<(), JournalError> {
        let Ground {
            cluster_len,
            record_len,
            ..
        } = *self.ground;
        let within = u64::from(seen.change.cluster_block_offset.get()) * BLOCK;
        let record = |vcn: u64, within: u64| {
            let start = vcn.checked_mul(cluster_len)?.checked_add(within)?;
            start.checked_div(record_len)
        };
        let mut numbers = Vec::new();
        if seen.is_in(system::MFT, attribute_type::DATA) {
            numbers.push((seen.change.target_vcn.get(), within, within));
        }
        for lcn in lcns {
            if let Some(vcn) = self.ground.mft.vcn(*lcn) {
                numbers.push(match lcns.len() {
                    1 => (vcn, within, within),
                    _ => (vcn, 0, cluster_len.saturating_sub(1)),
                });
            }
        }
        for (vcn, first, last) in numbers {
            let (Some(first), Some(last)) = (record(vcn, first), record(vcn, last)) else {
                return Err(odd("cluster of $MFT", seen.offset, "less than 2^48", vcn));
            };
            self.touches.records.insert(first..last.saturating_add(1));
        }
        Ok(())
    }

    /// Adds bits of the bitmaps of clusters and of FILE records.
    fn add_bits(&mut self, seen: Seen<'_>, bits: &Bits, lcns: &[u64]) -> Result<(), JournalError> {
        let ground = self.ground;
        let is_at = |places: &Places| lcns.iter().any(|lcn| places.vcn(*lcn).is_some());
        let of_clusters = seen.is_in(system::BITMAP, attribute_type::DATA) || is_at(&ground.bitmap);
        let of_records =
            seen.is_in(system::MFT, attribute_type::BITMAP) || is_at(&ground.mft_bitmap);
        if seen.attribute.is_none() && !of_clusters && !of_records {
            let expected = "bits of an attribute in the table of open attributes";
            let found = seen.change.target_attribute;
            return Err(odd("bits", seen.offset, expected, found));
        }
        let (first, count) = (u64::from(bits.offset.get()), u64::from(bits.count.get()));
        let page = seen.change.target_vcn.get().checked_mul(ground.cluster_len);
        let page = page.and_then(|bytes| bytes.checked_mul(8));
        let start = page.and_then(|page| page.checked_add(first));
        let end = start.and_then(|start| start.checked_add(count));
        let (Some(start), Some(end)) = (start, end) else {
            return Err(odd("bits", seen.offset, "less than 2^64", first));
        };
        // Where the offset counts from is known only for the first page of a bitmap: both count.
        for range in [start..end, first..first.saturating_add(count)] {
            if of_clusters {
                self.touches.owners.insert(range.clone());
            }
            if of_records {
                self.touches.records.insert(range);
            }
        }
        Ok(())
    }

    fn check_size(&self, offset: u64) -> Result<(), JournalError> {
        let Touches {
            records,
            clusters,
            owners,
        } = &self.touches;
        let most = [records, clusters, owners]
            .map(Ranges::len)
            .into_iter()
            .max();
        if most > Some(MOST_PLACES) {
            let expected = format!("at most {MOST_PLACES}");
            return Err(odd(
                "number of places that change",
                offset,
                expected,
                "more",
            ));
        }
        Ok(())
    }
}

impl Seen<'_> {
    fn is_in(&self, file: u64, kind: u32) -> bool {
        let is = |attribute: OpenAttribute| attribute.file.record == file && attribute.kind == kind;
        self.attribute.is_some_and(is)
    }
}
