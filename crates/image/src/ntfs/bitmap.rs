//! $Bitmap: the map of used clusters (Linux-NTFS, $Bitmap).

use diskmend_base::count::{to_u64, to_usize};
use std::ops::Range;

use super::disk::Disk;
use super::error::{Corruption, VolumeError};
use super::format::{attribute_type, system};
use super::mft::Mft;
use super::place::{Extent, FileId, Lcn};
use super::records::Records;
use super::stream::Stream;

/// The number of bytes that are read at once.
const CHUNK: usize = 64 << 10;
/// The number of bytes that are read at once for counting.
const COUNTED: usize = 1 << 20;
/// The maximum number of extents of an allocation.
const MAX_EXTENTS: usize = 32;

/// The map of used clusters, one bit each.
pub(crate) struct Bitmap<'a> {
    disk: &'a Disk,
    stream: Stream,
    clusters: u64,
    /// Free clusters that are already planned.
    planned: Vec<Extent>,
}

impl<'a> Bitmap<'a> {
    /// Finds the map.
    pub(crate) fn open(mft: &'a Mft) -> Result<Self, VolumeError> {
        let disk = mft.disk();
        let records = Records::read_system(mft, system::BITMAP)?;
        let stream = Stream::of(disk, &records, attribute_type::DATA, "")?
            .ok_or_else(|| records.lacks("data of $Bitmap"))?;
        let clusters = disk.geometry.clusters;
        if stream.len() < clusters.div_ceil(8) {
            let offset = records.base().offset();
            let expected = format!("at least {} bytes", clusters.div_ceil(8));
            let actual = stream.len().to_string();
            return Err(Corruption::new("$Bitmap", offset, expected, actual).into());
        }
        Ok(Self {
            disk,
            stream,
            clusters,
            planned: Vec::new(),
        })
    }

    /// The position of the map itself.
    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The number of free clusters.
    pub(crate) fn free(&self) -> Result<u64, VolumeError> {
        self.count(u64::MAX)
    }

    /// True if at least `needed` clusters are free.
    pub(crate) fn has_free(&self, needed: u64) -> Result<bool, VolumeError> {
        Ok(needed == 0 || self.count(needed)? >= needed)
    }

    /// Counts free clusters until there are `enough`.
    fn count(&self, enough: u64) -> Result<u64, VolumeError> {
        let len = self.clusters.div_ceil(8);
        let mut free = 0_u64;
        let mut map = Vec::new();
        let mut at = 0;
        while at < len && free < enough {
            let rest = to_usize(len.saturating_sub(at));
            map.resize(rest.min(COUNTED), 0);
            self.stream.read(self.disk, &mut map, at)?;
            at = at.saturating_add(to_u64(map.len()));
            // The last byte may have bits for clusters that do not exist.
            if at == len
                && let (Some(last), surplus @ 1..) = (map.last_mut(), len * 8 - self.clusters)
            {
                *last |= !(0xFF >> surplus);
            }
            let (words, bytes) = map.as_chunks::<8>();
            let words = words
                .iter()
                .map(|word| u64::from_ne_bytes(*word).count_zeros());
            let bytes = bytes.iter().map(|byte| byte.count_zeros());
            free = free.saturating_add(words.chain(bytes).map(u64::from).sum());
        }
        Ok(free)
    }

    /// True if all of these clusters are used.
    pub(crate) fn are_used(&self, extent: Extent) -> Result<bool, VolumeError> {
        let start = extent.start.0;
        let mut used = true;
        self.scan(start, start.saturating_add(extent.len), |_| {
            used = false;
            false
        })?;
        Ok(used)
    }

    /// Finds `needed` free clusters: as many as there are at `near`, then all others together if
    /// there is such a place, otherwise in few places; `None` if there are too few. Clusters in
    /// `promised` count as used.
    pub(crate) fn find(
        &self,
        near: Lcn,
        needed: u64,
        promised: &[Extent],
    ) -> Result<Option<Vec<Extent>>, VolumeError> {
        let near = near.0.min(self.clusters);
        let mut found = Vec::new();
        let mut rest = needed;
        self.scan_free(near, self.clusters, promised, |extent| {
            if extent.start.0 == near {
                let len = extent.len.min(rest);
                rest = rest.saturating_sub(len);
                found.push(Extent { len, ..extent });
            }
            false
        })?;
        let taken = found.first().map_or(0, |extent: &Extent| extent.len);
        let mut others: Vec<Extent> = Vec::new();
        for (from, to) in [(near.saturating_add(taken), self.clusters), (0, near)] {
            if rest == 0 {
                break;
            }
            self.scan_free(from, to, promised, |extent| {
                if extent.len >= rest {
                    others = vec![extent];
                    return false;
                }
                if others.len() < MAX_EXTENTS {
                    others.push(extent);
                } else if let Some(least) = others.iter_mut().min_by_key(|other| other.len)
                    && least.len < extent.len
                {
                    *least = extent;
                }
                true
            })?;
            if others.last().is_some_and(|extent| extent.len >= rest) {
                break;
            }
        }
        others.sort_by_key(|extent| std::cmp::Reverse(extent.len));
        for extent in others {
            if rest == 0 {
                break;
            }
            let len = extent.len.min(rest);
            rest = rest.saturating_sub(len);
            found.push(Extent { len, ..extent });
        }
        Ok((rest == 0).then_some(found))
    }

    /// The reason why no place for `needed` clusters of file `id` was found, which is to have `len`
    /// bytes.
    pub(crate) fn why_none(
        &self,
        id: FileId,
        len: u64,
        needed: u64,
        promised: &[Extent],
    ) -> Result<VolumeError, VolumeError> {
        let spoken_for = promised.iter().chain(&self.planned).map(|it| it.len);
        let free = self.free()?.saturating_sub(spoken_for.sum());
        let cluster_len = u64::from(self.disk.geometry.cluster_len);
        Ok(if free >= needed {
            let why = "the free clusters are in too many places: defragment the volume in Windows";
            VolumeError::CannotGrow { id, len, why }
        } else {
            VolumeError::Full {
                needed: needed.saturating_mul(cluster_len),
                free: free.saturating_mul(cluster_len),
            }
        })
    }

    /// Reserves these clusters, which will be allocated later.
    pub(crate) fn plan(&mut self, extents: &[Extent]) {
        self.planned.extend_from_slice(extents);
    }

    /// Marks clusters as used.
    pub(crate) fn take(&self, extents: &[Extent]) -> Result<(), VolumeError> {
        self.change(extents, mark)
    }

    /// Marks clusters as free.
    pub(crate) fn give_back(&self, extents: &[Extent]) -> Result<(), VolumeError> {
        self.change(extents, clear)
    }

    fn change(
        &self,
        extents: &[Extent],
        change: fn(&mut [u8], u64, &Range<u64>),
    ) -> Result<(), VolumeError> {
        let layout = self.stream.layout().ok_or_else(|| {
            Corruption::new(
                "data of $Bitmap",
                0_u64,
                "one in clusters",
                "a resident one",
            )
        })?;
        for extent in extents {
            let mut next = extent.start.0;
            let end = next.saturating_add(extent.len);
            while next < end {
                let first = next / 8;
                let bytes = end.div_ceil(8).saturating_sub(first);
                let mut map = vec![0; to_usize(bytes).min(CHUNK)];
                layout.read(self.disk, &mut map, first)?;
                change(&mut map, first, &(next..end));
                layout.write(self.disk, &map, first)?;
                let covered = first.saturating_add(to_u64(map.len()));
                next = covered.saturating_mul(8);
            }
        }
        Ok(())
    }

    /// Like [`Self::scan`], without the clusters in `promised`.
    fn scan_free(
        &self,
        from: u64,
        to: u64,
        promised: &[Extent],
        mut show: impl FnMut(Extent) -> bool,
    ) -> Result<(), VolumeError> {
        let mut promised = promised.to_vec();
        promised.sort_unstable_by_key(|extent| extent.start);
        self.scan(from, to, |free| {
            let mut at = free.start.0;
            let end = at.saturating_add(free.len);
            for promised in promised.iter().filter(|it| it.overlaps(&free)) {
                if promised.start.0 > at && !show(extent(at, promised.start.0)) {
                    return false;
                }
                at = at.max(promised.start.0.saturating_add(promised.len));
            }
            at >= end || show(extent(at, end))
        })
    }

    /// Shows the free clusters from `from` up to `to`, adjacent ones together, until `show` returns
    /// `false`.
    fn scan(
        &self,
        from: u64,
        to: u64,
        mut show: impl FnMut(Extent) -> bool,
    ) -> Result<(), VolumeError> {
        let to = to.min(self.clusters);
        let mut at = from;
        let mut free: Option<u64> = None;
        let mut map = Vec::new();
        while at < to {
            let first = at / 8;
            let bytes = to.div_ceil(8).saturating_sub(first);
            map.clear();
            map.resize(to_usize(bytes).min(CHUNK), 0);
            self.stream.read(self.disk, &mut map, first)?;
            for planned in &self.planned {
                let start = planned.start.0;
                mark(&mut map, first, &(start..start.saturating_add(planned.len)));
            }
            for (cell, number) in map.iter().zip(first..) {
                let base = number.saturating_mul(8);
                // Most bytes of a map are all ones or all zeros.
                let whole = at == base && base.saturating_add(8) <= to;
                match (*cell, free) {
                    (0, Some(_)) | (0xFF, None) if whole => {
                        at = base.saturating_add(8);
                        continue;
                    }
                    _ => {}
                }
                for bit in 0..8_u8 {
                    let cluster = base.saturating_add(bit.into());
                    if cluster < at || cluster >= to {
                        continue;
                    }
                    at = cluster.saturating_add(1);
                    match (*cell & (1 << bit) == 0, free) {
                        (true, None) => free = Some(cluster),
                        (false, Some(start)) => {
                            free = None;
                            if !show(extent(start, cluster)) {
                                return Ok(());
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        if let Some(start) = free {
            show(extent(start, to));
        }
        Ok(())
    }
}

/// Marks clusters as used in the part of the map that begins at byte `first`.
fn mark(map: &mut [u8], first: u64, clusters: &Range<u64>) {
    for (cell, number) in map.iter_mut().zip(first..) {
        *cell |= bits(number, clusters);
    }
}

/// Marks clusters as free in the part of the map that begins at byte `first`.
fn clear(map: &mut [u8], first: u64, clusters: &Range<u64>) {
    for (cell, number) in map.iter_mut().zip(first..) {
        *cell &= !bits(number, clusters);
    }
}

/// The bits of `clusters` in a byte of the map.
fn bits(number: u64, clusters: &Range<u64>) -> u8 {
    (0..8_u8).fold(0, |bits, bit| {
        let cluster = number.saturating_mul(8).saturating_add(bit.into());
        bits | (u8::from(clusters.contains(&cluster)) << bit)
    })
}

fn extent(start: u64, end: u64) -> Extent {
    Extent {
        start: Lcn(start),
        len: end.saturating_sub(start),
    }
}
