//! The positions of a volume's parts, computed once from a boot sector with checked fields (FAT
//! spec, Boot Sector and BPB; FAT Type Determination).

use std::fmt;

use diskmend_base::bytes;

use super::error::FatError;
use super::format::{BootSector, DirEntry, Tail16, Tail32};
use crate::device::Device;

/// The length of an entry of the FAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FatKind {
    /// 12 bits.
    Fat12,
    /// 16 bits.
    Fat16,
    /// 28 bits, in 32.
    Fat32,
}

impl fmt::Display for FatKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fat12 => "FAT12",
            Self::Fat16 => "FAT16",
            Self::Fat32 => "FAT32",
        })
    }
}

/// The number of a cluster that exists in the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Cluster(u32);

impl Cluster {
    /// The number of the first cluster.
    pub(super) const FIRST: u32 = 2;

    pub(super) fn number(self) -> u32 {
        self.0
    }
}

/// Consecutive bytes of the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// Offset in the volume in bytes.
    pub(super) start: u64,
    /// Length in bytes.
    pub(super) len: u64,
}

impl Run {
    pub(super) fn end(self) -> u64 {
        self.start.saturating_add(self.len)
    }
}

/// The place of the root folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// In an area of its own (FAT12 and FAT16).
    Fixed(Run),
    /// In clusters like any other (FAT32).
    Chain(Cluster),
}

/// The positions of a volume's parts. Offsets and lengths are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) kind: FatKind,
    /// The length of a sector: 512 to 4096.
    pub(super) sector_len: u64,
    /// The length of a cluster.
    pub(super) cluster_len: u64,
    /// All of the volume.
    pub(super) len: u64,
    /// The FAT to read.
    pub(super) fat: Run,
    /// The copy of the FAT that is kept equal.
    pub(super) copy: Option<Run>,
    /// True if the FATs are copies of each other.
    pub(super) mirrored: bool,
    pub(super) root: Root,
    /// The first cluster.
    data_start: u64,
    /// The number of clusters.
    pub(super) clusters: u32,
    /// The sector with the numbers of free clusters (FAT32).
    pub(super) fs_info: Option<Run>,
    /// The mark in the boot sector.
    pub(super) mark: Option<&'static str>,
}

/// The numbers of clusters from which on the FAT has 16 and 32 bits.
const MIN_CLUSTERS_16: u64 = 4085;
const MIN_CLUSTERS_32: u64 = 65525;
/// Numbers from here on have special meanings in the FAT.
const MAX_CLUSTERS_32: u32 = 0x0FFF_FFF5;
const BOOT_SECTOR_LEN: usize = 512;

impl Geometry {
    /// The mark of a volume that is in use.
    pub(super) const NOT_CLOSED: &str = "not closed";
    /// The mark of a volume that has to be tested.
    pub(super) const DISK_ERRORS: &str = "having met disk errors";

    /// Reads the boot sector, and checks that the volume is within the device.
    pub(super) fn read(device: &dyn Device) -> Result<Self, FatError> {
        let mut sector = [0; BOOT_SECTOR_LEN];
        device.read_exact_at(&mut sector, 0)?;
        let geometry = Self::parse(&sector)?;
        if geometry.len > device.len() {
            return Err(FatError::Outside {
                volume: geometry.len,
                device: device.len(),
            });
        }
        Ok(geometry)
    }

    /// The geometry according to the boot sector in the first 512 bytes of `sector`.
    pub(super) fn parse(sector: &[u8]) -> Result<Self, FatError> {
        let short = || corrupt("boot sector", 0, "512 bytes", sector.len());
        let boot = bytes::view::<BootSector>(sector, 0).ok_or_else(short)?;
        let tail16 = bytes::view::<Tail16>(sector, BootSector::TAIL_AT).ok_or_else(short)?;
        let tail32 = bytes::view::<Tail32>(sector, BootSector::TAIL_AT).ok_or_else(short)?;
        let signature = bytes::slice(sector, BootSector::SIGNATURE_AT, 2).ok_or_else(short)?;
        if signature != BootSector::SIGNATURE {
            let found = format!("{signature:02x?}");
            return Err(corrupt("boot sector's signature", 510, "55 aa", found));
        }
        if !matches!(boot.jmp_boot, [0xEB, _, 0x90] | [0xE9, ..]) {
            let found = format!("{:02x?}", boot.jmp_boot);
            return Err(corrupt("boot sector's jump", 0, "eb .. 90 or e9", found));
        }
        let sector_len = u64::from(boot.byts_per_sec.get());
        if !sector_len.is_power_of_two() || !(512..=4096).contains(&sector_len) {
            let expected = "a power of two from 512 to 4096";
            return Err(corrupt("bytes of a sector", 11, expected, sector_len));
        }
        let per_cluster = u64::from(boot.sec_per_clus);
        let cluster_len = per_cluster.saturating_mul(sector_len);
        // At most 128 of 4096 bytes: 512 KiB.
        if !per_cluster.is_power_of_two() {
            let expected = "a power of two";
            return Err(corrupt("sectors of a cluster", 13, expected, per_cluster));
        }
        let reserved = u64::from(boot.rsvd_sec_cnt.get());
        if reserved == 0 {
            return Err(corrupt("reserved sectors", 14, "at least 1", 0));
        }
        let fats = u64::from(boot.num_fats);
        if fats == 0 {
            return Err(corrupt("number of FATs", 16, "at least 1", fats));
        }
        if boot.media != 0xF0 && boot.media < 0xF8 {
            return Err(corrupt("media", 21, "0xf0 or 0xf8 to 0xff", boot.media));
        }
        let is_32 = boot.fat_sz16.get() == 0;
        let (fat_sectors, fat_at, marks) = if is_32 {
            (u64::from(tail32.fat_sz32.get()), 36, tail32.reserved1)
        } else {
            (u64::from(boot.fat_sz16.get()), 22, tail16.reserved1)
        };
        let root_entries = u64::from(boot.root_ent_cnt.get());
        if is_32 != (root_entries == 0) {
            return Err(corrupt(
                "entries of the root folder",
                17,
                "0 on FAT32 only",
                root_entries,
            ));
        }
        // On FAT32 the first should be 0, but Linux sets it there too on a short volume.
        let (sectors, sectors_at) = match boot.tot_sec16.get() {
            0 => (u64::from(boot.tot_sec32.get()), 32),
            sectors => (u64::from(sectors), 19),
        };
        // None of these can overflow: the factors are of at most 32, 13 and 8 bits.
        let fat_len = fat_sectors.saturating_mul(sector_len);
        let fat_start = reserved.saturating_mul(sector_len);
        let root_start = fat_start.saturating_add(fat_len.saturating_mul(fats));
        let root_len = root_entries
            .saturating_mul(DirEntry::LEN as u64)
            .next_multiple_of(sector_len);
        let data_start = root_start.saturating_add(root_len);
        let len = sectors.saturating_mul(sector_len);
        let clusters = len.saturating_sub(data_start) / cluster_len;
        let kind = match clusters {
            0 => {
                return Err(corrupt(
                    "sectors of the volume",
                    sectors_at,
                    "enough for a cluster",
                    sectors,
                ));
            }
            // Linux creates FAT32 volumes with fewer clusters; that field decides for every system.
            _ if is_32 => FatKind::Fat32,
            _ if clusters < MIN_CLUSTERS_16 => FatKind::Fat12,
            _ if clusters < MIN_CLUSTERS_32 => FatKind::Fat16,
            _ => {
                let expected = "at most 65524 where a FAT's length has 16 bits";
                return Err(corrupt(
                    "number of clusters",
                    sectors_at,
                    expected,
                    clusters,
                ));
            }
        };
        let clusters = u32::try_from(clusters)
            .ok()
            .filter(|clusters| *clusters <= MAX_CLUSTERS_32)
            .ok_or_else(|| {
                let expected = "at most 268435445";
                corrupt("number of clusters", sectors_at, expected, clusters)
            })?;
        let entries = u64::from(clusters).saturating_add(Cluster::FIRST.into());
        let needed = match kind {
            FatKind::Fat12 => entries.saturating_mul(3).div_ceil(2),
            FatKind::Fat16 => entries.saturating_mul(2),
            FatKind::Fat32 => entries.saturating_mul(4),
        };
        if fat_len < needed {
            return Err(corrupt(
                "sectors of a FAT",
                fat_at,
                "an entry for each cluster",
                fat_sectors,
            ));
        }
        let mut geometry = Self {
            kind,
            sector_len,
            cluster_len,
            len,
            fat: Run {
                start: fat_start,
                len: fat_len,
            },
            copy: (fats == 2).then(|| Run {
                start: fat_start.saturating_add(fat_len),
                len: fat_len,
            }),
            // Windows creates one or two. If there are more, only the first is used.
            mirrored: fats <= 2,
            root: Root::Fixed(Run {
                start: root_start,
                len: root_entries.saturating_mul(DirEntry::LEN as u64),
            }),
            data_start,
            clusters,
            fs_info: None,
            mark: if marks & BootSector::MARK_DIRTY != 0 {
                Some(Self::NOT_CLOSED)
            } else if marks & BootSector::MARK_TEST != 0 {
                Some(Self::DISK_ERRORS)
            } else {
                None
            },
        };
        if is_32 {
            geometry.complete_32(tail32, reserved)?;
        }
        Ok(geometry)
    }

    /// True if the first sector of a volume looks like a boot sector of FAT, even if its geometry
    /// is not supported here.
    pub(super) fn is_suggested_by(sector: &[u8]) -> bool {
        let Some(boot) = bytes::view::<BootSector>(sector, 0) else {
            return false;
        };
        let sector_len = boot.byts_per_sec.get();
        let has_fat = boot.fat_sz16.get() != 0
            || bytes::view::<Tail32>(sector, BootSector::TAIL_AT)
                .is_some_and(|tail| tail.fat_sz32.get() != 0);
        matches!(boot.jmp_boot, [0xEB, _, 0x90] | [0xE9, ..])
            && sector_len.is_power_of_two()
            && (128..=4096).contains(&sector_len)
            && boot.sec_per_clus.is_power_of_two()
            && boot.rsvd_sec_cnt.get() != 0
            && boot.num_fats != 0
            && (boot.media == 0xF0 || boot.media >= 0xF8)
            && (boot.tot_sec16.get() != 0 || boot.tot_sec32.get() != 0)
            && has_fat
    }

    fn complete_32(&mut self, tail: &Tail32, reserved: u64) -> Result<(), FatError> {
        if tail.fs_ver.get() != 0 {
            return Err(corrupt("version of FAT32", 42, "0", tail.fs_ver.get()));
        }
        let flags = tail.ext_flags.get();
        if flags & BootSector::NOT_MIRRORED != 0 {
            self.mirrored = false;
            match (flags & BootSector::ACTIVE_FAT, self.copy.take()) {
                (0, _) => {}
                (1, Some(second)) => self.fat = second,
                (number, _) => return Err(corrupt("FAT in use", 40, "one there is", number)),
            }
        }
        let root = tail.root_clus.get();
        self.root = self
            .cluster(root)
            .map(Root::Chain)
            .ok_or_else(|| corrupt("cluster of the root folder", 44, "one there is", root))?;
        let info = u64::from(tail.fs_info.get());
        self.fs_info = (1..reserved).contains(&info).then(|| Run {
            start: info.saturating_mul(self.sector_len),
            len: self.sector_len,
        });
        Ok(())
    }

    /// The cluster of this number.
    pub(super) fn cluster(&self, number: u32) -> Option<Cluster> {
        let index = number.checked_sub(Cluster::FIRST)?;
        (index < self.clusters).then_some(Cluster(number))
    }

    /// The position of a cluster.
    pub(super) fn place(&self, cluster: Cluster) -> Run {
        let index = u64::from(cluster.0.saturating_sub(Cluster::FIRST));
        Run {
            start: self
                .data_start
                .saturating_add(index.saturating_mul(self.cluster_len)),
            len: self.cluster_len,
        }
    }

    /// The cluster that contains the byte at `offset` in the volume.
    pub(super) fn cluster_at(&self, offset: u64) -> Option<Cluster> {
        let index = offset.checked_sub(self.data_start)? / self.cluster_len;
        let number = u32::try_from(index).ok()?.checked_add(Cluster::FIRST)?;
        self.cluster(number)
    }

    /// The number of clusters of a file of `len` bytes.
    pub(super) fn clusters_of(&self, len: u64) -> u64 {
        len.div_ceil(self.cluster_len)
    }
}

pub(super) fn corrupt(
    what: &'static str,
    offset: u64,
    expected: &'static str,
    actual: impl fmt::Display,
) -> FatError {
    FatError::Corrupt {
        what,
        offset,
        expected,
        actual: actual.to_string(),
    }
}
