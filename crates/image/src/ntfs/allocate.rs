//! Finds clusters for a file: for holes that are to be written, and for its end.

use std::num::NonZeroU64;

use super::attribute::AttributeAt;
use super::bitmap::Bitmap;
use super::claims;
use super::error::{Corruption, VolumeError};
use super::format::attribute_type;
use super::layout::Layout;
use super::mft::Mft;
use super::open::{Allocation, Open, check_foreign};
use super::place::{Extent, FileId, Lcn};
use super::record::Record;
use super::runs::{self, Run};

/// The maximum number of clusters that are allocated together; Windows knows only units of 16.
const MAX_UNIT: u64 = 4096;
/// The reason why a file gets no more clusters.
pub(crate) const NO_ROOM: &str =
    "its record has no room to tell of more clusters: defragment it in Windows";

/// A part of a value without clusters: first cluster and end.
type Gap = (u64, u64);

/// Finds places for the clusters that a file of `len` bytes needs, including all clusters of
/// `wanted` (offsets and lengths in bytes); `None` if the file has them. Nothing is written.
pub(crate) fn find(
    mft: &Mft,
    id: FileId,
    open: &Open,
    len: u64,
    wanted: &[(u64, u64)],
) -> Result<Option<Allocation>, VolumeError> {
    let cannot = |why| VolumeError::CannotGrow { id, len, why };
    let cluster_len = mft.disk().geometry.cluster_len;
    let old = match open.stream.layout() {
        Some(layout) => layout.clone(),
        None => Layout::empty(cluster_len),
    };
    let unit = old.sparse_unit.map_or(1, NonZeroU64::get);
    if unit > MAX_UNIT {
        return Err(cannot(
            "it gets its clusters in units of an unknown size: copy it in Windows",
        ));
    }
    let holes = holes(&old, cluster_len, wanted);
    let end = len.div_ceil(cluster_len.get());
    let mut gaps = Vec::new();
    if end > old.clusters() {
        let end = end.checked_next_multiple_of(unit).unwrap_or(end);
        gaps.push((old.clusters(), end));
    }
    gaps.extend(&holes);
    if gaps.is_empty() {
        return Ok(None);
    }
    if open.stream.layout().is_none() {
        open.stream.check_uncompressed()?;
        open.stream.check_whole()?;
    }
    let (mut record, at) = open.record(mft)?;
    if record.number() != id.record || has_list(&record) {
        return Err(cannot(
            "its attributes are spread over several records: copy it in Windows",
        ));
    }
    check_total(&mut record, at, &old)?;
    let extents = free(mft, id, len, &old, &gaps)?;
    let mut new = place(&gaps, &extents);
    new.sort_by_key(|run| run.vcn);
    let too_long = || cannot("it would be too long");
    let layout = old.placed(&new).ok_or_else(too_long)?;
    let pairs = runs::encode(layout.runs()).map_err(|_| too_long())?;
    new.retain(|run| run.vcn < old.clusters());
    let allocation = Allocation {
        extents,
        filled: new,
        layout,
        pairs,
    };
    allocation
        .put(&mut record, at, open)
        .ok_or(cannot(NO_ROOM))?;
    Ok(Some(allocation))
}

/// The holes that have to be filled before `wanted` can be written, in order.
fn holes(layout: &Layout, cluster_len: NonZeroU64, wanted: &[(u64, u64)]) -> Vec<Gap> {
    let mut found: Vec<Gap> = Vec::new();
    for (offset, len) in wanted {
        let end = offset.saturating_add(*len).div_ceil(cluster_len.get());
        let start = *offset / cluster_len;
        found.extend(layout.holes(start, end));
    }
    found.sort_unstable();
    let mut holes: Vec<Gap> = Vec::with_capacity(found.len());
    for (start, end) in found {
        match holes.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => holes.push((start, end)),
        }
    }
    holes
}

/// Refuses a sparse file with a wrong stored number of clusters.
fn check_total(record: &mut Record, at: AttributeAt, layout: &Layout) -> Result<(), VolumeError> {
    if layout.sparse_unit.is_none() {
        return Ok(());
    }
    let told = record.total_allocated_mut(at).map(|told| told.get());
    if told == Some(layout.total_allocated()) {
        return Ok(());
    }
    let expected = layout.total_allocated().to_string();
    let told = told.map_or_else(|| "none".to_owned(), |told| told.to_string());
    let wrong = record.corruption("total allocated size", at, expected, told);
    Err(Corruption::into(wrong))
}

/// As many free clusters as the gaps need.
fn free(
    mft: &Mft,
    id: FileId,
    len: u64,
    old: &Layout,
    gaps: &[Gap],
) -> Result<Vec<Extent>, VolumeError> {
    let lens = gaps.iter().map(|(start, end)| end.saturating_sub(*start));
    let clusters = lens.fold(0_u64, u64::saturating_add);
    let near = old
        .extents()
        .last()
        .and_then(|last| last.start.after(last.len));
    // The search starts away from $MFT, which Windows lengthens into the clusters that follow it.
    let near = near.unwrap_or(Lcn(mft.disk().geometry.clusters / 8));
    let bitmap = Bitmap::open(mft)?;
    let promised = mft.promises().of_others(id.record);
    let Some(extents) = bitmap.find(near, clusters, &promised)? else {
        return Err(bitmap.why_none(id, len, clusters, &promised)?);
    };
    check_foreign(mft, &bitmap, &extents)?;
    claims::check(mft, id.record, &extents, |_, _| false)?;
    Ok(extents)
}

/// Assigns the clusters to the gaps, in the order of both.
fn place(gaps: &[Gap], extents: &[Extent]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut extents = extents.iter().copied();
    let mut left: Option<Extent> = None;
    for (start, end) in gaps {
        let mut vcn = *start;
        while vcn < *end {
            let Some(extent) = left.take().or_else(|| extents.next()) else {
                return runs;
            };
            let len = extent.len.min(end.saturating_sub(vcn));
            runs.push(Run {
                vcn,
                lcn: Some(extent.start),
                len,
            });
            vcn = vcn.saturating_add(len);
            left = extent.start.after(len).and_then(|start| {
                let len = extent.len.saturating_sub(len);
                (len > 0).then_some(Extent { start, len })
            });
        }
    }
    runs
}

fn has_list(record: &Record) -> bool {
    record.find(attribute_type::ATTRIBUTE_LIST, "").is_some()
}

impl Allocation {
    /// Writes the clusters to the record; `None` if it has no room.
    pub(crate) fn put(&self, record: &mut Record, at: AttributeAt, open: &Open) -> Option<()> {
        let highest = self.layout.clusters().wrapping_sub(1);
        if open.stream.layout().is_none() {
            record.make_non_resident(at, self.pairs.len()).ok()?;
        }
        record.set_mapping_pairs(at, &self.pairs, highest).ok()?;
        set_sizes(record, at, &self.layout)
    }
}

/// Writes the sizes to the record; `None` if it lacks one of them.
pub(crate) fn set_sizes(record: &mut Record, at: AttributeAt, layout: &Layout) -> Option<()> {
    let header = record.non_resident_mut(at)?;
    header.allocated_size = layout.allocated.into();
    header.data_size = layout.len.into();
    header.initialized_size = layout.initialized.into();
    if layout.sparse_unit.is_some() {
        *record.total_allocated_mut(at)? = layout.total_allocated().into();
    }
    Some(())
}
