//! The positions on the volume of a value's bytes, for a value that is not resident.

use std::num::NonZeroU64;

use super::attribute::AttributeAt;
use super::boot::Geometry;
use super::disk::Disk;
use super::error::{Corruption, VolumeError};
use super::format::AttributeHeader;
use super::place::{Extent, Lcn};
use super::record::Record;
use super::runs::{self, Run};
use diskmend_base::count::{to_u64, to_usize};

/// The number of zeros that are written at once.
const ZEROS: usize = 1 << 20;
/// The maximum number of runs of a value; a volume with more fragments can't be repaired anyway.
const MAX_RUNS: usize = 1 << 20;

/// Clusters and sizes of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    runs: Vec<Run>,
    cluster_len: NonZeroU64,
    /// The number of bytes in its clusters.
    pub(crate) allocated: u64,
    /// The length of the value in bytes.
    pub(crate) len: u64,
    /// The number of bytes that were written; the rest reads as zeros.
    pub(crate) initialized: u64,
    /// For a sparse value: the number of clusters that are allocated together, as Windows does.
    pub(crate) sparse_unit: Option<NonZeroU64>,
    /// For a compressed value: the number of clusters of a unit; each unit is compressed
    /// separately.
    pub(crate) compressed_unit: Option<NonZeroU64>,
}

/// Consecutive bytes of a value on the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Offset in the volume; `None` if no cluster is there.
    pub(crate) offset: Option<u64>,
    /// The number of bytes.
    pub(crate) len: usize,
}

/// Builds a layout from the attributes that describe it, in the order of their clusters.
pub(crate) struct Builder<'a> {
    geometry: &'a Geometry,
    layout: Option<Layout>,
    holes_allowed: bool,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(geometry: &'a Geometry) -> Self {
        Self {
            geometry,
            layout: None,
            holes_allowed: false,
        }
    }

    /// Adds the attribute at `at` of `record`, which is not resident.
    pub(crate) fn add(&mut self, record: &Record, at: AttributeAt) -> Result<(), Corruption> {
        let wrong =
            |what, expected: String, actual: String| record.corruption(what, at, expected, actual);
        let attribute = record.attribute(at);
        let (Some(header), Some(pairs), Some(flags)) = (
            attribute.and_then(|attribute| attribute.non_resident()),
            attribute.and_then(|attribute| attribute.mapping_pairs()),
            attribute.map(|attribute| attribute.flags()),
        ) else {
            let expected = "one that is not resident".to_owned();
            return Err(wrong("attribute", expected, "another".to_owned()));
        };
        let lowest = header.lowest_vcn.get();
        let next = self.layout.as_ref().map_or(0, Layout::clusters);
        if lowest != next {
            return Err(wrong("lowest VCN", next.to_string(), lowest.to_string()));
        }
        let found = runs::decode(pairs, lowest, self.geometry.clusters).map_err(|error| {
            wrong(
                "mapping pairs",
                "runs inside the volume".to_owned(),
                error.to_string(),
            )
        })?;
        let end = found.last().map_or(lowest, Run::end);
        let highest = header.highest_vcn.get();
        // An empty value has -1 here, and some writers leave 0.
        if highest.wrapping_add(1) != end && !(found.is_empty() && highest == 0) {
            let expected = format!("the cluster before {end}");
            return Err(wrong("highest VCN", expected, highest.to_string()));
        }
        let cluster_len = self.geometry.cluster_len;
        let has_unit = flags & AttributeHeader::FLAG_SPARSE != 0
            || flags & AttributeHeader::MASK_COMPRESSED != 0 && header.compression_unit != 0;
        let unit = if has_unit {
            let unit = 1_u64.checked_shl(header.compression_unit.into());
            Some(unit.and_then(NonZeroU64::new).ok_or_else(|| {
                let actual = header.compression_unit.to_string();
                wrong("compression unit", "at most 63".to_owned(), actual)
            })?)
        } else {
            None
        };
        let layout = self.layout.get_or_insert_with(|| Layout {
            runs: Vec::new(),
            cluster_len,
            allocated: header.allocated_size.get(),
            len: header.data_size.get(),
            initialized: header.initialized_size.get(),
            sparse_unit: unit.filter(|_| flags & AttributeHeader::FLAG_SPARSE != 0),
            compressed_unit: unit.filter(|_| {
                flags & AttributeHeader::MASK_COMPRESSED != 0 && header.compression_unit != 0
            }),
        });
        if layout.runs.len().saturating_add(found.len()) > MAX_RUNS {
            let actual = "more".to_owned();
            return Err(wrong("runs", format!("at most {MAX_RUNS}"), actual));
        }
        layout.runs.extend(found);
        let special = AttributeHeader::FLAG_SPARSE | AttributeHeader::MASK_COMPRESSED;
        self.holes_allowed |= flags & special != 0;
        Ok(())
    }

    /// The layout so far, whatever its sizes are.
    pub(crate) fn so_far(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }

    /// Checks the sizes against the clusters; `record` and `at` are the place of the sizes.
    pub(crate) fn finish(self, record: &Record, at: AttributeAt) -> Result<Layout, Corruption> {
        let wrong = |what, expected: &'static str, actual: String| {
            record.corruption(what, at, expected, actual)
        };
        let Some(layout) = self.layout else {
            return Err(wrong("attribute", "at least one", "none".to_owned()));
        };
        let mapped = layout.clusters().checked_mul(layout.cluster_len.get());
        if mapped != Some(layout.allocated) {
            let actual = format!("{} bytes, {} clusters", layout.allocated, layout.clusters());
            return Err(wrong("allocated size", "that of the clusters", actual));
        }
        if layout.len > layout.allocated || layout.initialized > layout.len {
            let Layout {
                allocated,
                len,
                initialized,
                ..
            } = layout;
            let actual = format!("initialized {initialized}, data {len}, allocated {allocated}");
            return Err(wrong(
                "sizes",
                "initialized within data within allocated",
                actual,
            ));
        }
        if !self.holes_allowed && layout.runs.iter().any(|run| run.lcn.is_none()) {
            return Err(wrong(
                "mapping pairs",
                "a place for every cluster",
                "a hole".to_owned(),
            ));
        }
        Ok(layout)
    }
}

impl Layout {
    /// All runs in their order.
    pub(crate) fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The layout of a value without clusters.
    pub(crate) fn empty(cluster_len: NonZeroU64) -> Self {
        Self {
            runs: Vec::new(),
            cluster_len,
            allocated: 0,
            len: 0,
            initialized: 0,
            sparse_unit: None,
            compressed_unit: None,
        }
    }

    /// This layout with more clusters; `None` if there are too many to be counted.
    pub(crate) fn extended(&self, extents: &[Extent]) -> Option<Self> {
        let mut vcn = self.clusters();
        let mut new = Vec::with_capacity(extents.len());
        for extent in extents {
            new.push(Run {
                vcn,
                lcn: Some(extent.start),
                len: extent.len,
            });
            vcn = vcn.checked_add(extent.len)?;
        }
        self.placed(&new)
    }

    /// This layout with positions for missing clusters, in order: in holes, or after the end.
    /// `None` if one is elsewhere, or there are too many to be counted.
    pub(crate) fn placed(&self, new: &[Run]) -> Option<Self> {
        let mut fuller = Self {
            runs: Vec::with_capacity(self.runs.len().checked_add(new.len())?),
            ..self.clone()
        };
        let mut new = new.iter().copied().peekable();
        for old in &self.runs {
            if old.lcn.is_some() {
                fuller.push(*old)?;
                continue;
            }
            while let Some(run) = new.next_if(|run| run.vcn < old.end()) {
                fuller.push_hole(run.vcn)?;
                fuller.push(run)?;
            }
            fuller.push_hole(old.end())?;
        }
        for run in new {
            fuller.push(run)?;
        }
        fuller.allocated = fuller.clusters().checked_mul(self.cluster_len.get())?;
        Some(fuller)
    }

    fn push_hole(&mut self, end: u64) -> Option<()> {
        let vcn = self.clusters();
        match end.checked_sub(vcn)? {
            0 => Some(()),
            len => self.push(Run {
                vcn,
                lcn: None,
                len,
            }),
        }
    }

    /// Adds a run that follows the last one, and joins them if their clusters are adjacent.
    fn push(&mut self, run: Run) -> Option<()> {
        if run.vcn != self.clusters() {
            return None;
        }
        match self.runs.last_mut() {
            Some(last)
                if match (last.lcn, run.lcn) {
                    (None, None) => true,
                    (Some(lcn), Some(next)) => lcn.after(last.len) == Some(next),
                    _ => false,
                } =>
            {
                last.len = last.len.checked_add(run.len)?;
            }
            _ => self.runs.push(run),
        }
        (self.clusters() <= i64::MAX.unsigned_abs()).then_some(())
    }

    /// The clusters from `start` up to `end` without a position, extended to whole units of
    /// allocation as far as each hole reaches: first cluster and end.
    pub(crate) fn holes(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> {
        let unit = self.sparse_unit.unwrap_or(NonZeroU64::MIN);
        let from = self.runs.partition_point(|run| run.end() <= start);
        let runs = self.runs.iter().skip(from);
        runs.take_while(move |run| run.vcn < end)
            .filter(|run| run.lcn.is_none())
            .map(move |run| {
                let first = (start / unit).saturating_mul(unit.get());
                // A hole ends before the last cluster that can be counted.
                let last = end.checked_next_multiple_of(unit.get()).unwrap_or(end);
                (run.vcn.max(first), run.end().min(last))
            })
    }

    /// The number of bytes of the clusters that really exist.
    pub(crate) fn total_allocated(&self) -> u64 {
        self.extents()
            .fold(0, |sum: u64, extent| sum.saturating_add(extent.len))
            .saturating_mul(self.cluster_len.get())
    }

    /// The existing clusters, in order, without holes.
    pub(crate) fn extents(&self) -> impl Iterator<Item = Extent> {
        self.runs.iter().filter_map(|run| {
            let start = run.lcn?;
            Some(Extent {
                start,
                len: run.len,
            })
        })
    }

    /// The number of clusters.
    pub(crate) fn clusters(&self) -> u64 {
        self.runs.last().map_or(0, Run::end)
    }

    /// The positions of the `len` bytes at `offset`, in order; ends early if the clusters end.
    pub(crate) fn pieces(&self, offset: u64, len: usize) -> impl Iterator<Item = Piece> {
        let vcn = offset / self.cluster_len;
        let first = self.runs.partition_point(|run| run.end() <= vcn);
        let mut runs = self.runs.iter().skip(first);
        let mut at = offset;
        let mut rest = to_u64(len);
        std::iter::from_fn(move || {
            if rest == 0 {
                return None;
            }
            let run = runs.next()?;
            let within = at.checked_sub(run.vcn.checked_mul(self.cluster_len.get())?)?;
            let len = run
                .len
                .checked_mul(self.cluster_len.get())?
                .checked_sub(within)?;
            let len = len.min(rest);
            let offset = match run.lcn {
                None => None,
                Some(Lcn(lcn)) => Some(
                    lcn.checked_mul(self.cluster_len.get())?
                        .checked_add(within)?,
                ),
            };
            at = at.checked_add(len)?;
            rest = rest.checked_sub(len)?;
            let len = usize::try_from(len).ok()?;
            Some(Piece { offset, len })
        })
    }

    /// The pieces of a range, which together have its length: [`Builder::finish`] has checked that
    /// the clusters hold everything that is allocated.
    fn all_pieces(&self, offset: u64, len: usize) -> Result<Vec<Piece>, VolumeError> {
        let pieces: Vec<Piece> = self.pieces(offset, len).collect();
        let total = pieces
            .iter()
            .try_fold(0, |sum: usize, piece| sum.checked_add(piece.len));
        if total == Some(len) {
            return Ok(pieces);
        }
        Err(self.out_of_range(offset, len))
    }

    /// Offset in the volume of the byte at `offset`.
    pub(crate) fn position(&self, offset: u64) -> Option<u64> {
        self.pieces(offset, 1).next()?.offset
    }

    /// Fills `buf` from `offset` on; the part that was never written, and holes, read as zeros.
    pub(crate) fn read(&self, disk: &Disk, buf: &mut [u8], offset: u64) -> Result<(), VolumeError> {
        self.within(offset, buf.len(), self.len)?;
        let written = to_usize(self.initialized.saturating_sub(offset)).min(buf.len());
        let pieces = self.all_pieces(offset, written)?;
        let mut rest = buf;
        for piece in pieces {
            let parts = std::mem::take(&mut rest).split_at_mut_checked(piece.len);
            let (part, after) = parts.ok_or_else(|| self.out_of_range(offset, written))?;
            match piece.offset {
                Some(offset) => disk.read(part, offset)?,
                None => part.fill(0),
            }
            rest = after;
        }
        rest.fill(0);
        Ok(())
    }

    /// Writes `data` at `offset`. All of that range was written before and is in clusters.
    pub(crate) fn write(&self, disk: &Disk, data: &[u8], offset: u64) -> Result<(), VolumeError> {
        self.within(offset, data.len(), self.initialized)?;
        self.write_allocated(disk, data, offset)
    }

    /// Like [`Self::write`], for everything that is allocated, whether it was written before or
    /// not.
    pub(crate) fn write_allocated(
        &self,
        disk: &Disk,
        data: &[u8],
        offset: u64,
    ) -> Result<(), VolumeError> {
        self.within(offset, data.len(), self.allocated)?;
        let mut rest = data;
        let mut parts = Vec::new();
        // Nothing is written if a part can't be.
        for piece in self.all_pieces(offset, data.len())? {
            let (Some(place), Some((part, after))) =
                (piece.offset, rest.split_at_checked(piece.len))
            else {
                return Err(self.out_of_range(offset, data.len()));
            };
            parts.push((part, place));
            rest = after;
        }
        parts
            .into_iter()
            .try_for_each(|(part, place)| disk.write(part, place))
    }

    /// Writes zeros from `from` up to `to`, whether that was written before or not. Parts without
    /// clusters read as zeros anyway.
    pub(crate) fn zero(&self, disk: &Disk, from: u64, to: u64) -> Result<(), VolumeError> {
        let len = to.saturating_sub(from);
        let zeros = vec![0; to_usize(len).min(ZEROS)];
        let mut at = from;
        while at < to {
            let len = to_usize(to.saturating_sub(at)).min(zeros.len());
            self.within(at, len, self.allocated)?;
            for piece in self.all_pieces(at, len)? {
                if let Some(offset) = piece.offset {
                    let part = zeros.get(..piece.len);
                    disk.write(part.ok_or_else(|| self.out_of_range(at, len))?, offset)?;
                }
            }
            at = at.saturating_add(to_u64(len));
        }
        Ok(())
    }

    /// Refuses a range that is not inside the value.
    pub(crate) fn check_range(&self, offset: u64, len: usize) -> Result<(), VolumeError> {
        self.within(offset, len, self.len)
    }

    fn within(&self, offset: u64, len: usize, bound: u64) -> Result<(), VolumeError> {
        let end = u64::try_from(len)
            .ok()
            .and_then(|len| offset.checked_add(len));
        match end {
            Some(end) if end <= bound => Ok(()),
            _ => Err(self.out_of_range(offset, len)),
        }
    }

    /// The error for a range that is not inside the value.
    pub(crate) fn out_of_range(&self, offset: u64, len: usize) -> VolumeError {
        VolumeError::OutOfRange {
            offset,
            len,
            file_len: self.len,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::testing::{RecordBuilder, non_resident};
    use super::*;
    use crate::testing::Memory;

    fn geometry() -> Geometry {
        let len = |len| NonZeroU64::new(len).expect("not 0");
        Geometry {
            sector_len: 512,
            cluster_len: len(4096),
            record_len: len(1024),
            clusters: 100,
            mft: Lcn(4),
            mft_mirror: Lcn(50),
            from_backup: false,
        }
    }

    fn layout(flags: u16, unit: u8) -> Result<Layout, Corruption> {
        let mut data = non_resident(0x80, "", 3, &[0x11, 3, 40, 0]);
        data[12..14].copy_from_slice(&flags.to_le_bytes());
        data[34] = unit;
        let record = RecordBuilder::new(64).attribute(data);
        let record = Record::parse(64, 0, record.protected())?;
        let at = record.find(0x80, "").expect("there").place();
        let geometry = geometry();
        let mut builder = Builder::new(&geometry);
        builder.add(&record, at)?;
        builder.finish(&record, at)
    }

    /// A unit of 2^64 clusters or more once counted as no unit.
    #[test]
    fn a_unit_too_large_for_a_number_is_corruption() {
        let compressed = 1;
        for flags in [AttributeHeader::FLAG_SPARSE, compressed] {
            let unit = |unit| layout(flags, unit).map(|it| it.sparse_unit.or(it.compressed_unit));
            assert_eq!(unit(4).expect("usual"), NonZeroU64::new(16));
            assert_eq!(unit(63).expect("counted"), NonZeroU64::new(1 << 63));
            for too_large in [64, 255] {
                assert_eq!(unit(too_large).expect_err("none").what, "compression unit");
            }
        }
        assert_eq!(layout(0, 255).expect("without a meaning").sparse_unit, None);
    }

    /// The end of the data was once left out without an error.
    #[test]
    fn data_without_clusters_are_neither_written_in_part_nor_read() {
        let memory = Arc::new(Memory::new(vec![1; 100 * 4096]));
        let disk = Disk::with_geometry(memory.clone(), geometry());
        let mut layout = layout(0, 0).expect("three clusters");
        layout.allocated += 4096;
        layout.len = layout.allocated;
        layout.initialized = layout.allocated;
        let before = memory.bytes();
        for (at, len) in [(0, 4 * 4096), (2 * 4096, 4097), (3 * 4096, 1)] {
            let written = layout.write_allocated(&disk, &vec![7; len], at);
            written.expect_err("no cluster");
            layout
                .zero(&disk, at, at + len as u64)
                .expect_err("no cluster");
            layout
                .read(&disk, &mut vec![0; len], at)
                .expect_err("no cluster");
            assert!(memory.bytes() == before, "{at}");
        }
        layout
            .write_allocated(&disk, &[7; 2 * 4096], 4096)
            .expect("there");
        assert!(memory.bytes()[41 * 4096..43 * 4096] == [7; 2 * 4096]);
        layout.zero(&disk, 1, 3 * 4096).expect("there");
        assert_eq!(memory.bytes()[40 * 4096..][..2], [1, 0]);
        assert!(
            memory.bytes()[40 * 4096 + 1..43 * 4096]
                .iter()
                .all(|byte| *byte == 0)
        );
    }
}
