//! The content of a volume, recognized by its bytes and never by the partition table.

use std::fmt;
use std::io;

use diskmend_base::bytes;

use crate::device::Device;
use crate::fat::{self, FatKind};

/// The content of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// NTFS.
    Ntfs,
    /// FAT.
    Fat(FatKind),
    /// exFAT.
    ExFat,
    /// A volume encrypted with BitLocker, also BitLocker To Go.
    BitLocker,
    /// ReFS.
    Refs,
    /// A volume of another system, by its name.
    Other(&'static str),
    /// Empty: its first 68 KiB are zero.
    Empty,
    /// Unknown.
    Unknown,
}

impl Content {
    /// True for a volume that Windows starts with a boot sector, which ends like an MBR.
    #[must_use]
    pub(crate) fn is_windows_volume(self) -> bool {
        matches!(
            self,
            Self::Ntfs | Self::Fat(_) | Self::ExFat | Self::BitLocker | Self::Refs
        )
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ntfs => "NTFS",
            Self::Fat(kind) => return kind.fmt(f),
            Self::ExFat => "exFAT",
            Self::BitLocker => "BitLocker",
            Self::Refs => "ReFS",
            Self::Other(name) => name,
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        })
    }
}

/// The number of bytes that are examined: up to the superblock of btrfs.
const LOOKED_AT: u64 = 68 << 10;

const BOOT_SECTOR_LEN: u64 = 512;
/// The offset of the name of the maker, or of the file system, in a boot sector.
const OEM_AT: usize = 3;
/// BitLocker To Go looks like FAT32 and has its GUID, 4967d63b-2e29-4ad8-8399-f6a339e3d001, at this
/// offset.
const TO_GO_AT: usize = 424;
const TO_GO: [u8; 16] = [
    0x3B, 0xD6, 0x67, 0x49, 0x29, 0x2E, 0xD8, 0x4A, 0x83, 0x99, 0xF6, 0xA3, 0x39, 0xE3, 0xD0, 0x01,
];

/// Signatures of other systems: offset, bytes, name.
const OTHERS: &[(usize, &[u8], &str)] = &[
    (0, b"LUKS\xBA\xBE", "LUKS"),
    (0, b"XFSB", "XFS"),
    (0, b"hsqs", "squashfs"),
    (0x0400, b"\x10\x20\xF5\xF2", "F2FS"),
    (0x0438, b"\x53\xEF", "ext2, ext3 or ext4"),
    (0x0200, b"LABELONE", "LVM"),
    (0x0FF6, b"SWAPSPACE2", "Linux swap"),
    (0x1000, b"\xFC\x4E\x2B\xA9", "Linux RAID"),
    (0x8001, b"CD001", "ISO 9660"),
    (0x10040, b"_BHRfS_M", "btrfs"),
];

/// The content of the volume that fills `device`.
///
/// # Errors
/// An error of the device.
pub fn recognise(device: &dyn Device) -> io::Result<Content> {
    recognise_at(device, 0, device.len())
}

/// The content of the volume of `len` bytes at `start`.
pub(crate) fn recognise_at(device: &dyn Device, start: u64, len: u64) -> io::Result<Content> {
    let read = |len: u64| -> io::Result<Vec<u8>> {
        let mut data = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        device.read_exact_at(&mut data, start)?;
        Ok(data)
    };
    // The boot sector identifies everything that Windows creates, and the bytes after it may not be
    // readable.
    let content = of(&read(len.min(BOOT_SECTOR_LEN))?);
    if content.is_windows_volume() {
        return Ok(content);
    }
    Ok(of(&read(len.min(LOOKED_AT))?))
}

/// The content of the volume that begins with `data`.
fn of(data: &[u8]) -> Content {
    let is_at = |at: usize, found: &[u8]| bytes::slice(data, at, found.len()) == Some(found);
    if is_at(OEM_AT, b"NTFS    ") {
        return Content::Ntfs;
    }
    if is_at(OEM_AT, b"-FVE-FS-") || (is_at(OEM_AT, b"MSWIN4.1") && is_at(TO_GO_AT, &TO_GO)) {
        return Content::BitLocker;
    }
    if is_at(OEM_AT, b"EXFAT   ") {
        return Content::ExFat;
    }
    if is_at(OEM_AT, b"ReFS\0\0\0\0") {
        return Content::Refs;
    }
    if let Some(kind) = fat::kind_of(data) {
        return Content::Fat(kind);
    }
    if let Some((_, _, name)) = OTHERS.iter().find(|(at, found, _)| is_at(*at, found)) {
        return Content::Other(name);
    }
    if data.iter().all(|&byte| byte == 0) {
        Content::Empty
    } else {
        Content::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Memory;
    use crate::testing::unreadable::Unreadable;

    fn with(at: usize, found: &[u8]) -> Content {
        let mut data = vec![0; 80 << 10];
        data[at..at + found.len()].copy_from_slice(found);
        recognise(&Memory::new(data)).expect("read")
    }

    #[test]
    fn volumes_are_recognized_by_their_bytes() {
        assert_eq!(with(3, b"NTFS    "), Content::Ntfs);
        assert_eq!(with(3, b"EXFAT   "), Content::ExFat);
        assert_eq!(with(3, b"-FVE-FS-"), Content::BitLocker);
        assert_eq!(with(3, b"ReFS\0\0\0\0"), Content::Refs);
        assert_eq!(with(0x438, &[0x53, 0xEF]).to_string(), "ext2, ext3 or ext4");
        assert_eq!(with(0x10040, b"_BHRfS_M").to_string(), "btrfs");
        assert_eq!(with(4086, b"SWAPSPACE2").to_string(), "Linux swap");
        assert_eq!(with(0, b"x"), Content::Unknown);
    }

    #[test]
    fn a_boot_sector_is_enough() {
        let mut data = vec![0; 80 << 10];
        data[3..11].copy_from_slice(b"NTFS    ");
        let bad = [600];
        let content = recognise(&Unreadable::new(data.clone(), &bad)).expect("read");
        assert_eq!(content, Content::Ntfs);
        data[3] = b'n';
        recognise(&Unreadable::new(data, &bad)).expect_err("not told by its first sector");
    }

    #[test]
    fn a_volume_like_fat32_may_be_bitlocker_to_go() {
        let mut data = vec![0; 4096];
        data[3..11].copy_from_slice(b"MSWIN4.1");
        data[424..440].copy_from_slice(&TO_GO);
        let content = recognise(&Memory::new(data)).expect("read");
        assert_eq!(content, Content::BitLocker);
    }

    #[test]
    fn devices_shorter_than_a_sector_are_recognized_too() {
        for len in [0, 1, 511, 512] {
            let content = recognise(&Memory::new(vec![0; len])).expect("read");
            assert_eq!(content, Content::Empty, "{len} bytes");
        }
    }
}
