//! What redoing and undoing the records of a journal may change.

use std::ops::Range;

use diskmend_base::bytes;
use diskmend_base::count::to_u64;
use zerocopy::FromBytes;
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

/// What is wrong with the clusters of a record.
const CLUSTERS: &str = "number of clusters of a record";

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
            return Err(odd(CLUSTERS, offset, expected, count));
        };
        let lcns: Vec<u64> = lcns.iter().map(|lcn| lcn.get()).collect();
        let [redo, undo] = seen.operations;
        if lcns.is_empty() {
            if redo.changes_nothing() && undo.changes_nothing() {
                return Ok(());
            }
            let expected = "at least 1 for a change of the volume";
            return Err(odd(CLUSTERS, offset, expected, 0));
        }
        for lcn in &lcns {
            self.cluster(*lcn, offset)?;
        }
        self.add_records(seen, &lcns)?;
        for (operation, at, len) in [
            (redo, change.redo_offset, change.redo_length),
            (undo, change.undo_offset, change.undo_length),
        ] {
            if operation.changes_bits() {
                let bits = bytes::slice(seen.data, at.get().into(), len.get().into());
                let bits = bits.and_then(|data| Bits::ref_from_bytes(data).ok());
                let lost = || odd("bits", offset, "8 bytes", len);
                self.add_bits(seen, bits.ok_or_else(lost)?, &lcns)?;
            } else if !operation.changes_nothing() {
                self.add_bytes_of_bits(seen, &lcns)?;
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
        let is_of_record = |it: Operation| it.changes_record() || it.changes_nothing();
        let (first, last) = if lcns.len() == 1 && seen.operations.into_iter().all(is_of_record) {
            (within, within)
        } else {
            (0, cluster_len.saturating_sub(1))
        };
        let is_in_mft = seen.is_in(system::MFT, attribute_type::DATA);
        for (vcn, lcn) in (seen.change.target_vcn.get()..).zip(lcns) {
            let by_place = is_in_mft.then_some(vcn);
            for vcn in by_place.into_iter().chain(self.ground.mft.vcn(*lcn)) {
                let (Some(first), Some(last)) = (record(vcn, first), record(vcn, last)) else {
                    return Err(odd("cluster of $MFT", seen.offset, "less than 2^48", vcn));
                };
                self.touches.records.insert(first..last.saturating_add(1));
            }
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
        let vcn = seen.change.target_vcn.get();
        let (first, count) = (u64::from(bits.offset.get()), u64::from(bits.count.get()));
        let range = || {
            let page = self.bits_of(vcn, lcns.len())?;
            let start = page.start.checked_add(first)?;
            let end = start.checked_add(count)?;
            (end <= page.end).then_some(start..end)
        };
        let outside = || odd("bits", seen.offset, "bits in their page", first);
        let range = range().ok_or_else(outside)?;
        // $Bitmap never moves.
        let places = (vcn..).zip(lcns);
        let elsewhere = places.map(|(vcn, lcn)| ground.bitmap.vcn(*lcn).filter(|it| *it != vcn));
        if let Some(place) = elsewhere.flatten().next() {
            let expected = format!("page {place}");
            return Err(odd("page of $Bitmap", seen.offset, expected, vcn));
        }
        if of_clusters {
            self.touches.owners.insert(range.clone());
        }
        if of_records {
            self.touches.records.insert(range);
        }
        Ok(())
    }

    /// Adds all bits of the clusters of a change that writes bytes, if they are of a bitmap.
    fn add_bytes_of_bits(&mut self, seen: Seen<'_>, lcns: &[u64]) -> Result<(), JournalError> {
        let ground = self.ground;
        let is_in_bitmap = seen.is_in(system::BITMAP, attribute_type::DATA);
        let is_in_mft_bitmap = seen.is_in(system::MFT, attribute_type::BITMAP);
        for (vcn, lcn) in (seen.change.target_vcn.get()..).zip(lcns) {
            let of = |is_in: bool, places: &Places| {
                let by_place = is_in.then_some(vcn);
                let vcns = by_place.into_iter().chain(places.vcn(*lcn));
                let ranges = vcns
                    .map(|vcn| self.bits_of(vcn, 1))
                    .collect::<Option<Vec<_>>>();
                ranges.ok_or_else(|| odd("page of a bitmap", seen.offset, "less than 2^48", vcn))
            };
            let owners = of(is_in_bitmap, &ground.bitmap)?;
            let records = of(is_in_mft_bitmap, &ground.mft_bitmap)?;
            owners
                .into_iter()
                .for_each(|it| self.touches.owners.insert(it));
            records
                .into_iter()
                .for_each(|it| self.touches.records.insert(it));
        }
        Ok(())
    }

    /// The bits of a bitmap that its clusters from `vcn` on contain.
    fn bits_of(&self, vcn: u64, clusters: usize) -> Option<Range<u64>> {
        let per_cluster = self.ground.cluster_len.checked_mul(8)?;
        let start = vcn.checked_mul(per_cluster)?;
        let len = per_cluster.checked_mul(to_u64(clusters))?;
        Some(start..start.checked_add(len)?)
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
