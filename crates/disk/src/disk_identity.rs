//! The identity of a disk: the serial number of the target's volume, and the identifier of its disk
//! in the partition table. What was recorded for one disk must not be carried out on another.

use std::io;

use diskmend_base::{Guid, bytes};

use crate::image::Disk;
use crate::target::Target;

/// The length of a boot sector, of a master boot record, and of the first sector of a GPT header.
const SECTOR: usize = 512;
/// End marker of a boot sector and of a master boot record.
const MARKER: [u8; 2] = [0x55, 0xAA];
/// The possible lengths of a logical sector: the GPT header is in the second sector.
const SECTOR_LENS: [u64; 2] = [512, 4096];

/// The identity of a target's disk, as far as it can be found out.
///
/// A folder that is not the root of a disk's volume has neither number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiskIdentity {
    /// The serial number of the volume, in hexadecimal: 16 digits for NTFS, 8 for FAT, and 8 on
    /// Windows, which shows only the lower half.
    pub volume: Option<String>,
    /// `gpt:` and the disk's GUID, or `mbr:` and its signature.
    pub disk: Option<String>,
}

impl Target {
    /// The identity of its disk. What can't be read is left out: a mounted volume reveals little
    /// about its disk to a user who may not read the device.
    #[must_use]
    pub fn disk_identity(&self) -> DiskIdentity {
        match (self.disk(), self.partition()) {
            (Some(disk), Some(partition)) => on_image(disk, partition),
            _ => mounted(self),
        }
    }
}

fn on_image(disk: &Disk, partition: u32) -> DiskIdentity {
    let start = |at, buf: &mut [u8]| disk.read_at(buf, at);
    let volume = disk
        .read_partition_start(partition)
        .ok()
        .and_then(|sector| volume_serial(&sector));
    DiskIdentity {
        volume,
        disk: disk_id(start),
    }
}

#[cfg(target_os = "linux")]
fn mounted(target: &Target) -> DiskIdentity {
    use std::os::unix::fs::FileExt as _;

    let Ok(metadata) = target.root().own_metadata() else {
        return DiskIdentity::default();
    };
    let Some((volume, disk)) = linux::devices(metadata.identity.device) else {
        return DiskIdentity::default();
    };
    let mut sector = [0; SECTOR];
    let serial = match volume.read_exact_at(&mut sector, 0) {
        Ok(()) => volume_serial(&sector),
        Err(_) => None,
    };
    // A folder in this machine's own file system is not on a disk that is repaired.
    let id = serial.as_ref().and(disk);
    let id = id.and_then(|disk| disk_id(|at, buf| disk.read_exact_at(buf, at)));
    DiskIdentity {
        volume: serial,
        disk: id,
    }
}

#[cfg(windows)]
fn mounted(target: &Target) -> DiskIdentity {
    let serial = target.root().own_metadata().ok().and_then(|metadata| {
        let serial = metadata.identity.device & u64::from(u32::MAX);
        (serial != 0).then(|| format!("{serial:08x}"))
    });
    DiskIdentity {
        volume: serial,
        disk: None,
    }
}

#[cfg(not(any(target_os = "linux", windows)))]
fn mounted(_target: &Target) -> DiskIdentity {
    DiskIdentity::default()
}

/// The serial number that a boot sector gives to its volume.
fn volume_serial(sector: &[u8; SECTOR]) -> Option<String> {
    let has = |at: usize, text: &[u8]| sector.get(at..).is_some_and(|rest| rest.starts_with(text));
    if !sector.ends_with(&MARKER) {
        return None;
    }
    // NTFS: the 8 bytes at 0x48. FAT: the 4 bytes before label and type.
    if has(3, b"NTFS    ") {
        let serial = bytes::u64_at(sector, 0x48)?;
        return (serial != 0).then(|| format!("{serial:016x}"));
    }
    let at = match () {
        () if has(0x52, b"FAT32") => 0x43,
        () if has(0x36, b"FAT12") || has(0x36, b"FAT16") => 0x27,
        () => return None,
    };
    let serial = bytes::u32_at(sector, at)?;
    (serial != 0).then(|| format!("{serial:08x}"))
}

/// The identifier of a disk in its partition table.
fn disk_id(read: impl Fn(u64, &mut [u8]) -> io::Result<()>) -> Option<String> {
    let mut first = [0; SECTOR];
    read(0, &mut first).ok()?;
    if !first.ends_with(&MARKER) || volume_serial(&first).is_some() {
        return None;
    }
    for at in SECTOR_LENS {
        let mut header = [0; SECTOR];
        // UEFI 5.3.2: signature, and the disk's GUID at 56.
        if read(at, &mut header).is_ok() && header.starts_with(b"EFI PART") {
            let guid = Guid(bytes::array(&header, 56)?);
            return Some(format!("gpt:{}", guid.bare()));
        }
    }
    let signature = bytes::u32_at(&first, 0x1B8)?;
    (signature != 0).then(|| format!("mbr:{signature:08x}"))
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    use std::path::Path;

    use rustix::fs::{major, minor};

    /// The device of a file system and the whole disk that it is on, both for reading.
    pub(super) fn devices(device: u64) -> Option<(File, Option<File>)> {
        let known = format!("/sys/dev/block/{}:{}", major(device), minor(device));
        let known = Path::new(&known).canonicalize().ok()?;
        let volume = open(&known)?;
        let disk = if known.join("partition").exists() {
            known.parent().and_then(open)
        } else {
            None
        };
        Some((volume, disk))
    }

    /// The node of a device that the kernel lists here.
    fn open(known: &Path) -> Option<File> {
        let wanted = std::fs::read_to_string(known.join("dev")).ok()?;
        let name = known.file_name()?.to_str()?.replace('!', "/");
        let file = File::open(Path::new("/dev").join(name)).ok()?;
        let found = file.metadata().ok()?;
        let number = found.rdev();
        let is_it = found.file_type().is_block_device()
            && wanted.trim() == format!("{}:{}", major(number), minor(number));
        is_it.then_some(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(bytes: Vec<u8>) -> impl Fn(u64, &mut [u8]) -> io::Result<()> {
        move |at, buf| {
            let at = usize::try_from(at).expect("small");
            let found = bytes.get(at..at + buf.len());
            buf.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        }
    }

    fn boot_sector(at: usize, name: &[u8]) -> [u8; SECTOR] {
        let mut sector = [0; SECTOR];
        sector[at..at + name.len()].copy_from_slice(name);
        sector[510..].copy_from_slice(&MARKER);
        sector
    }

    #[test]
    fn each_file_system_keeps_its_serial_number_elsewhere() {
        let mut ntfs = boot_sector(3, b"NTFS    ");
        assert_eq!(volume_serial(&ntfs), None);
        ntfs[0x48..0x50].copy_from_slice(&0x0123_4567_89ab_cdef_u64.to_le_bytes());
        assert_eq!(volume_serial(&ntfs).as_deref(), Some("0123456789abcdef"));
        ntfs[511] = 0;
        assert_eq!(volume_serial(&ntfs), None);
        for (name_at, name, at) in [(0x52, b"FAT32", 0x43), (0x36, b"FAT16", 0x27)] {
            let mut fat = boot_sector(name_at, name);
            fat[at..at + 4].copy_from_slice(&0xcafe_0001_u32.to_le_bytes());
            assert_eq!(volume_serial(&fat).as_deref(), Some("cafe0001"));
        }
    }

    #[test]
    fn a_disk_is_known_by_its_guid_or_signature_and_a_bare_volume_by_neither() {
        let mut disk = vec![0; 8 * SECTOR * 2];
        disk[510..512].copy_from_slice(&MARKER);
        assert_eq!(disk_id(read_of(disk.clone())), None);
        disk[0x1B8..0x1BC].copy_from_slice(&0xdead_beef_u32.to_le_bytes());
        let id = disk_id(read_of(disk.clone()));
        assert_eq!(id.as_deref(), Some("mbr:deadbeef"));
        for sector in [4096, 512] {
            disk[sector..sector + 8].copy_from_slice(b"EFI PART");
            disk[sector + 56] = 1;
            let id = disk_id(read_of(disk.clone())).expect("an id");
            assert_eq!(id, "gpt:00000001-0000-0000-0000-000000000000");
        }
        let mut bare = boot_sector(3, b"NTFS    ").to_vec();
        bare[0x48] = 1;
        assert_eq!(disk_id(read_of(bare)), None);
        assert_eq!(disk_id(read_of(vec![0; 100])), None);
    }
}
