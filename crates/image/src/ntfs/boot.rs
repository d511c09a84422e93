//! The boot sector: the sizes of sectors, clusters and records, and the position of $MFT
//! (Linux-NTFS, $Boot).

use std::num::NonZeroU64;

use zerocopy::FromBytes;

use super::error::{Corruption, VolumeError};
use super::format::BootSector;
use super::place::Lcn;
use crate::device::Device;

/// The largest cluster that Windows creates.
const MAX_CLUSTER: u32 = 2 << 20;
/// The largest FILE record or index block that is accepted; Windows creates 1 or 4 KiB.
const MAX_RECORD: u64 = 64 << 10;

/// The sizes and positions in the boot sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// The length of a sector in bytes.
    pub(crate) sector_len: u32,
    /// The length of a cluster in bytes, a power of two.
    pub(crate) cluster_len: NonZeroU64,
    /// The length of a FILE record in bytes, a power of two and a multiple of 512.
    pub(crate) record_len: NonZeroU64,
    /// The number of whole clusters.
    pub(crate) clusters: u64,
    /// First cluster of $MFT.
    pub(crate) mft: Lcn,
    /// First cluster of $MFTMirr.
    pub(crate) mft_mirror: Lcn,
    /// The first sector was damaged, and this is from the copy in the last sector.
    pub(crate) from_backup: bool,
}

impl Geometry {
    /// Reads the boot sector, or its copy in the last sector if the first is damaged.
    ///
    /// The copy is not used if the first sector belongs to another system: the remains of an NTFS
    /// volume that was formatted are not an NTFS volume.
    pub(crate) fn read(device: &dyn Device) -> Result<Self, VolumeError> {
        let first = match read_sector(device, 0) {
            Ok(sector) if is_foreign(&sector) => return Self::parse(&sector, 0, device.len()),
            Ok(sector) => Self::parse(&sector, 0, device.len()),
            Err(error) => Err(error),
        };
        first.or_else(|error| Self::read_backup(device).ok_or(error))
    }

    /// The copy at the end, for any length of a sector.
    fn read_backup(device: &dyn Device) -> Option<Self> {
        [512_u32, 4096, 1024, 2048, 256]
            .into_iter()
            .find_map(|sector_len| {
                let sectors = device.len().checked_div(u64::from(sector_len))?;
                let at = sectors.checked_sub(1)?.checked_mul(u64::from(sector_len))?;
                let sector = read_sector(device, at).ok()?;
                let found = Self::parse(&sector, at, device.len()).ok()?;
                (found.sector_len == sector_len).then_some(Self {
                    from_backup: true,
                    ..found
                })
            })
    }

    /// Checks the boot sector that was read at `offset` of a volume of at most `len` bytes.
    fn parse(sector: &[u8; BootSector::LEN], offset: u64, len: u64) -> Result<Self, VolumeError> {
        let boot = BootSector::ref_from_bytes(sector).map_err(|_| VolumeError::NotNtfs)?;
        match &boot.oem_id {
            b"-FVE-FS-" => return Err(VolumeError::BitLocker),
            b"ReFS\0\0\0\0" => return Err(VolumeError::Refs),
            id if *id != BootSector::OEM_ID => return Err(VolumeError::NotNtfs),
            _ => {}
        }
        let wrong = |what, expected: &'static str, actual: String| {
            Corruption::new(what, offset, expected, actual)
        };
        if boot.end_of_sector_marker.get() != BootSector::MARKER {
            let actual = format!("{:#06x}", boot.end_of_sector_marker.get());
            return Err(wrong("end of the boot sector", "0xaa55", actual).into());
        }
        let sector_len = u32::from(boot.bytes_per_sector.get());
        if !(256..=4096).contains(&sector_len) || !sector_len.is_power_of_two() {
            let expected = "a power of two from 256 to 4096";
            return Err(wrong("bytes per sector", expected, sector_len.to_string()).into());
        }
        let cluster_len = cluster_len(boot.sectors_per_cluster, sector_len).ok_or_else(|| {
            let expected = "a power of two that makes clusters of at most 2 MiB";
            wrong(
                "sectors per cluster",
                expected,
                boot.sectors_per_cluster.to_string(),
            )
        })?;
        let record_len =
            record_len(boot.clusters_per_mft_record, cluster_len).ok_or_else(|| {
                let expected = "a power of two from 512 to 65536 bytes";
                let actual = boot.clusters_per_mft_record.to_string();
                wrong("length of a FILE record", expected, actual)
            })?;
        let sectors = boot.number_of_sectors.get();
        let volume_len = sectors
            .checked_mul(u64::from(sector_len))
            .filter(|volume_len| *volume_len <= len)
            .ok_or_else(|| {
                Corruption::new(
                    "length of the volume",
                    offset,
                    format!("at most {len} bytes"),
                    format!("{sectors} sectors of {sector_len} bytes"),
                )
            })?;
        let clusters = volume_len / cluster_len;
        let inside = |what, lcn: u64| {
            if (1..clusters).contains(&lcn) {
                return Ok(Lcn(lcn));
            }
            let expected = format!("a cluster from 1 to {}", clusters.saturating_sub(1));
            Err(Corruption::new(what, offset, expected, lcn.to_string()))
        };
        Ok(Self {
            sector_len,
            cluster_len,
            record_len,
            clusters,
            mft: inside("first cluster of $MFT", boot.mft_lcn.get())?,
            mft_mirror: inside("first cluster of $MFTMirr", boot.mftmirr_lcn.get())?,
            from_backup: false,
        })
    }

    /// The offset of a cluster in the volume, for a message; the largest number if there is none.
    pub(crate) fn place(&self, lcn: Lcn) -> u64 {
        lcn.0.saturating_mul(self.cluster_len.get())
    }

    /// Offset in the volume of a cluster.
    pub(crate) fn offset(&self, lcn: Lcn) -> Option<u64> {
        lcn.0.checked_mul(self.cluster_len.get())
    }
}

/// True if this is a whole boot sector, but not one of NTFS.
fn is_foreign(sector: &[u8; BootSector::LEN]) -> bool {
    BootSector::ref_from_bytes(sector).is_ok_and(|boot| {
        boot.end_of_sector_marker.get() == BootSector::MARKER && boot.oem_id != BootSector::OEM_ID
    })
}

fn read_sector(device: &dyn Device, offset: u64) -> Result<[u8; BootSector::LEN], VolumeError> {
    let mut sector = [0; BootSector::LEN];
    device
        .read_exact_at(&mut sector, offset)
        .map_err(VolumeError::device(offset))?;
    Ok(sector)
}

fn cluster_len(sectors: u8, sector_len: u32) -> Option<NonZeroU64> {
    let sectors = match sectors {
        0x81.. => 1_u32.checked_shl(u32::from(sectors.wrapping_neg()))?,
        _ => u32::from(sectors),
    };
    let len = sectors.checked_mul(sector_len)?;
    let is_sound = sectors.is_power_of_two() && len <= MAX_CLUSTER;
    NonZeroU64::new(len.into()).filter(|_| is_sound)
}

fn record_len(clusters: i8, cluster_len: NonZeroU64) -> Option<NonZeroU64> {
    let len = match u64::try_from(clusters) {
        Ok(clusters) => clusters.checked_mul(cluster_len.get())?,
        Err(_) => 1_u64.checked_shl(u32::from(clusters.unsigned_abs()))?,
    };
    let is_sound = (512..=MAX_RECORD).contains(&len) && len.is_power_of_two();
    NonZeroU64::new(len).filter(|_| is_sound)
}

#[cfg(test)]
mod tests {
    use zerocopy::{FromZeros, IntoBytes};

    use super::*;
    use crate::testing::Memory;

    const LEN: u64 = 1 << 20;

    fn boot() -> BootSector {
        let mut boot = BootSector::new_zeroed();
        boot.oem_id = BootSector::OEM_ID;
        boot.bytes_per_sector = 512.into();
        boot.sectors_per_cluster = 8;
        boot.number_of_sectors = (LEN / 512 - 1).into();
        boot.mft_lcn = 4.into();
        boot.mftmirr_lcn = 100.into();
        boot.clusters_per_mft_record = -10;
        boot.clusters_per_index_record = 1;
        boot.end_of_sector_marker = BootSector::MARKER.into();
        boot
    }

    fn parse(boot: &BootSector) -> Result<Geometry, VolumeError> {
        let sector = boot.as_bytes().try_into().expect("512 bytes");
        Geometry::parse(sector, 0, LEN)
    }

    #[test]
    fn the_usual_sizes_are_read() {
        let geometry = parse(&boot()).expect("sound");
        assert_eq!(
            geometry,
            Geometry {
                sector_len: 512,
                cluster_len: NonZeroU64::new(4096).expect("not 0"),
                record_len: NonZeroU64::new(1024).expect("not 0"),
                clusters: 255,
                mft: Lcn(4),
                mft_mirror: Lcn(100),
                from_backup: false,
            }
        );
    }

    #[test]
    fn sizes_of_clusters_up_to_2_mib_are_read() {
        for (sectors, sector_len, expected) in [
            (1_u8, 512_u32, Some(512)),
            (128, 512, Some(64 << 10)),
            (0xF4, 512, Some(2 << 20)),
            (0xF8, 512, Some(128 << 10)),
            (0xF7, 4096, Some(2 << 20)),
            (0xFF, 512, Some(1024)),
            (0xF4, 4096, None),
            (0xF3, 512, None),
            (0x81, 512, None),
            (0, 512, None),
            (3, 512, None),
        ] {
            let found = cluster_len(sectors, sector_len).map(NonZeroU64::get);
            assert_eq!(found, expected, "{sectors:#x}");
        }
    }

    #[test]
    fn lengths_of_records_are_stated_in_clusters_or_as_logarithms() {
        for (clusters, cluster_len, expected) in [
            (1_i8, 4096, Some(4096)),
            (2, 512, Some(1024)),
            (-10, 4096, Some(1024)),
            (-12, 512, Some(4096)),
            (0, 4096, None),
            (-8, 4096, None),
            (-31, 4096, None),
            (-128, 4096, None),
            (127, 2 << 20, None),
            (3, 512, None),
        ] {
            let cluster_len = NonZeroU64::new(cluster_len).expect("not 0");
            let found = record_len(clusters, cluster_len).map(NonZeroU64::get);
            assert_eq!(found, expected, "{clusters}");
        }
    }

    #[test]
    fn each_wrong_field_is_named() {
        type Spoil = fn(&mut BootSector);
        let cases: [(Spoil, &str); 6] = [
            (
                |boot| boot.end_of_sector_marker = 0.into(),
                "end of the boot sector",
            ),
            (
                |boot| boot.bytes_per_sector = 500.into(),
                "bytes per sector",
            ),
            (|boot| boot.sectors_per_cluster = 0, "sectors per cluster"),
            (
                |boot| boot.number_of_sectors = (LEN / 512 + 1).into(),
                "length of the volume",
            ),
            (|boot| boot.mft_lcn = 255.into(), "first cluster of $MFT"),
            (
                |boot| boot.mftmirr_lcn = 0.into(),
                "first cluster of $MFTMirr",
            ),
        ];
        for (spoil, what) in cases {
            let mut boot = boot();
            spoil(&mut boot);
            match parse(&boot) {
                Err(VolumeError::Corrupt(corruption)) => assert_eq!(corruption.what, what),
                other => panic!("{what}: {other:?}"),
            }
        }
    }

    #[test]
    fn other_file_systems_are_named() {
        let mut other = boot();
        other.oem_id = *b"-FVE-FS-";
        assert!(matches!(parse(&other), Err(VolumeError::BitLocker)));
        other.oem_id = *b"ReFS\0\0\0\0";
        assert!(matches!(parse(&other), Err(VolumeError::Refs)));
        other.oem_id = *b"MSDOS5.0";
        assert!(matches!(parse(&other), Err(VolumeError::NotNtfs)));
    }

    #[test]
    fn the_copy_in_the_last_sector_replaces_a_damaged_first_sector() {
        for sector_len in [512_u64, 4096] {
            let mut boot = boot();
            boot.bytes_per_sector = u16::try_from(sector_len).expect("small").into();
            boot.sectors_per_cluster = 1;
            boot.number_of_sectors = (LEN / sector_len - 1).into();
            let mut volume = vec![0; LEN as usize];
            let end = (LEN - sector_len) as usize;
            volume[end..end + 512].copy_from_slice(boot.as_bytes());
            let found = Geometry::read(&Memory::new(volume.clone())).expect("the copy");
            assert!(found.from_backup);
            assert_eq!(u64::from(found.sector_len), sector_len);
            let mut formatted = volume.clone();
            formatted[3..11].copy_from_slice(b"MSDOS5.0");
            formatted[510..512].copy_from_slice(&[0x55, 0xAA]);
            let error = Geometry::read(&Memory::new(formatted)).expect_err("FAT");
            assert!(matches!(error, VolumeError::NotNtfs));
            volume[end + 3] = 0;
            let error = Geometry::read(&Memory::new(volume)).expect_err("neither");
            assert!(matches!(error, VolumeError::NotNtfs));
        }
        Geometry::read(&Memory::new(Vec::new())).expect_err("nothing there");
    }
}
