//! Reads the file allocation table: chains of clusters, free clusters, marks (FAT spec, FAT Data
//! Structure).

use diskmend_base::count::to_usize;
use std::fmt::Display;

use diskmend_base::bytes;

use super::error::FatError;
use super::geometry::{Cluster, FatKind, Geometry, Run, corrupt};
use crate::device::Device;

/// The number of bytes of the FAT that are read at once. It is a multiple of 512 and of 3: two
/// entries of 12 bits take three bytes, so no entry is in two blocks.
const BLOCK_LEN: u64 = 12 << 10;

/// The meaning of a cluster's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Free,
    Bad,
    End,
    To(Cluster),
}

/// A chain of clusters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// Its bytes in order; adjacent clusters are joined.
    pub(super) runs: Vec<Run>,
    /// The number of clusters.
    pub(super) clusters: u64,
    /// True if its last cluster is marked as the end.
    pub(super) ended: bool,
}

/// The volume's FAT, with one block of it in memory.
pub(super) struct Table<'a> {
    device: &'a dyn Device,
    geometry: &'a Geometry,
    at: Option<u64>,
    block: Vec<u8>,
}

impl<'a> Table<'a> {
    pub(super) fn new(device: &'a dyn Device, geometry: &'a Geometry) -> Self {
        Self {
            device,
            geometry,
            at: None,
            block: Vec::new(),
        }
    }

    /// The offset of the entry with this number in the FAT, and its bytes.
    fn place(&self, number: u32) -> (u64, usize) {
        let number = u64::from(number);
        match self.geometry.kind {
            FatKind::Fat12 => (number.saturating_mul(3) / 2, 2),
            FatKind::Fat16 => (number.saturating_mul(2), 2),
            FatKind::Fat32 => (number.saturating_mul(4), 4),
        }
    }

    /// Describes a wrong entry with this number.
    fn wrong(&self, number: u32, expected: &'static str, actual: impl Display) -> FatError {
        let (offset, _) = self.place(number);
        let offset = self.geometry.fat.start.saturating_add(offset);
        corrupt("FAT's entry of a cluster", offset, expected, actual)
    }

    /// The entry with this number, without its upper four bits on FAT32.
    fn entry(&mut self, number: u32) -> Result<u32, FatError> {
        let (offset, len) = self.place(number);
        let within = offset % BLOCK_LEN;
        let start = offset.saturating_sub(within);
        let fat = self.geometry.fat;
        if self.at != Some(start) {
            self.at = None;
            let len = fat.len.saturating_sub(start).min(BLOCK_LEN);
            self.block.resize(to_usize(len), 0);
            let place = fat.start.saturating_add(start);
            self.device.read_exact_at(&mut self.block, place)?;
            self.at = Some(start);
        }
        let found = usize::try_from(within)
            .ok()
            .and_then(|within| bytes::slice(&self.block, within, len));
        let value = match found {
            Some(&[a, b]) => u32::from(u16::from_le_bytes([a, b])),
            Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]) & 0x0FFF_FFFF,
            _ => return Err(self.wrong(number, "an entry for each cluster", "the FAT's end")),
        };
        Ok(match self.geometry.kind {
            FatKind::Fat12 if number.is_multiple_of(2) => value & 0xFFF,
            FatKind::Fat12 => value >> 4,
            _ => value,
        })
    }

    /// The meaning of the entry of `cluster`.
    pub(super) fn next(&mut self, cluster: Cluster) -> Result<Next, FatError> {
        let value = self.entry(cluster.number())?;
        let bad = match self.geometry.kind {
            FatKind::Fat12 => 0xFF7,
            FatKind::Fat16 => 0xFFF7,
            FatKind::Fat32 => 0x0FFF_FFF7,
        };
        Ok(match value {
            0 => Next::Free,
            _ if value == bad => Next::Bad,
            _ if value > bad => Next::End,
            _ => {
                let next = self.geometry.cluster(value).ok_or_else(|| {
                    let found = format!("{value} after {}", cluster.number());
                    self.wrong(cluster.number(), "a cluster there is", found)
                })?;
                Next::To(next)
            }
        })
    }

    /// The number of free clusters.
    pub(super) fn free(&mut self) -> Result<u64, FatError> {
        let end = Cluster::FIRST.saturating_add(self.geometry.clusters);
        let mut free = 0;
        for number in Cluster::FIRST..end {
            free += u64::from(self.entry(number)? == 0);
        }
        Ok(free)
    }

    /// The chain from `first` on, up to its end or to `limit` clusters. A chain that contains a
    /// cluster twice never ends.
    pub(super) fn chain(&mut self, first: Cluster, limit: u64) -> Result<Chain, FatError> {
        let mut chain = Chain::default();
        let mut cluster = first;
        while chain.clusters < limit {
            let place = self.geometry.place(cluster);
            match chain.runs.last_mut() {
                Some(last) if last.end() == place.start => {
                    last.len = last.len.saturating_add(place.len);
                }
                _ => chain.runs.push(place),
            }
            chain.clusters = chain.clusters.saturating_add(1);
            match self.next(cluster)? {
                Next::To(next) => cluster = next,
                Next::End => {
                    chain.ended = true;
                    break;
                }
                wrong @ (Next::Free | Next::Bad) => {
                    let mark = if matches!(wrong, Next::Free) {
                        "free"
                    } else {
                        "bad"
                    };
                    let number = cluster.number();
                    let found = format!("the mark \"{mark}\" for cluster {number}");
                    return Err(self.wrong(number, "its next or its end", found));
                }
            }
        }
        Ok(chain)
    }

    /// True if at least `wanted` clusters are free. Reads only as much of the FAT as needed.
    pub(super) fn has_free(&mut self, wanted: u64) -> Result<bool, FatError> {
        let mut found: u64 = 0;
        for number in (Cluster::FIRST..).take(to_usize(self.geometry.clusters)) {
            if found >= wanted {
                break;
            }
            if self.entry(number)? == 0 {
                found = found.saturating_add(1);
            }
        }
        Ok(found >= wanted)
    }

    /// The mark of a volume that must not be written.
    pub(super) fn mark(&mut self) -> Result<Option<&'static str>, FatError> {
        let (closed, sound) = match self.geometry.kind {
            FatKind::Fat12 => return Ok(self.geometry.mark),
            FatKind::Fat16 => (1 << 15, 1 << 14),
            FatKind::Fat32 => (1 << 27, 1 << 26),
        };
        let value = self.entry(1)?;
        Ok(if value & closed == 0 {
            Some(Geometry::NOT_CLOSED)
        } else if value & sound == 0 {
            self.geometry.mark.or(Some(Geometry::DISK_ERRORS))
        } else {
            self.geometry.mark
        })
    }

    /// Compares the FAT with its copy.
    pub(super) fn compare_copies(&self) -> Result<(), FatError> {
        let (first, Some(second)) = (self.geometry.fat, self.geometry.copy) else {
            return Ok(());
        };
        let mut at = 0;
        while at < first.len {
            let len = first.len.saturating_sub(at).min(64 << 10);
            let mut one = vec![0; to_usize(len)];
            let mut other = one.clone();
            let offset = first.start.saturating_add(at);
            self.device.read_exact_at(&mut one, offset)?;
            self.device
                .read_exact_at(&mut other, second.start.saturating_add(at))?;
            if one != other {
                return Err(FatError::CopiesDiffer { offset });
            }
            at = at.saturating_add(len);
        }
        Ok(())
    }
}
