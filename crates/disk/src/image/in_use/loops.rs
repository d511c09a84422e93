//! Finds loop devices that the kernel has created from the file or block device of a disk.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{OFlags, major, minor};

use super::loop_status::{self, Backing};
use crate::image::sysfs::{self, Number};

/// The suffix that the kernel appends to the path of a file that has lost its name.
const DELETED: &[u8] = b" (deleted)";

/// The file or device to look for behind loop devices.
struct Wanted {
    metadata: fs::Metadata,
    name: Option<Vec<u8>>,
}

/// The name of a loop device that shows the open file. For a block device: one that shows the
/// device, a part of it, or the whole disk that it is part of.
pub(super) fn behind(file: &File) -> io::Result<Option<String>> {
    let wanted = Wanted::of(file)?;
    for folder in sysfs::devices()? {
        let Some(name) = folder.file_name().and_then(OsStr::to_str) else {
            continue;
        };
        if !name.starts_with("loop") {
            continue;
        }
        // The attribute exists while the loop device has a file.
        let Some(path) = sysfs::attribute(&folder, "loop/backing_file")? else {
            continue;
        };
        // The loop device is queried only if its path does not decide: detaching a device that is
        // open is delayed.
        let shows = match wanted.is_at(&path)? {
            Some(is_it) => is_it,
            None => match asked(name, &folder) {
                Some(backing) => wanted.is(backing)?,
                None => wanted.has_name(&path),
            },
        };
        if shows {
            return Ok(Some(name.to_owned()));
        }
    }
    Ok(None)
}

/// The answer of the loop device itself; `None` if this user or container can't open it.
fn asked(name: &str, folder: &Path) -> Option<Backing> {
    let device = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(Path::new("/dev").join(name))
        .ok()?;
    let metadata = device.metadata().ok()?;
    let known = sysfs::number(folder).ok()??;
    let is_it = metadata.file_type().is_block_device() && split(metadata.rdev()) == known;
    is_it.then(|| loop_status::backing(&device).ok()).flatten()
}

impl Wanted {
    fn of(file: &File) -> io::Result<Self> {
        let path = fs::read_link(format!(
            "/proc/self/fd/{}",
            std::os::fd::AsRawFd::as_raw_fd(file)
        ));
        let name = path.ok();
        let name = name.as_deref().and_then(Path::file_name);
        Ok(Self {
            metadata: file.metadata()?,
            name: name.map(|name| name.as_bytes().to_vec()),
        })
    }

    /// True if it is the file that a loop device has named.
    fn is(&self, backing: Backing) -> io::Result<bool> {
        if self.metadata.file_type().is_block_device() {
            return Ok(backing.rdevice != 0 && self.overlaps(decoded(backing.rdevice))?);
        }
        let same_file_system = split(self.metadata.dev()) == decoded(backing.device);
        Ok(same_file_system && self.metadata.ino() == backing.inode)
    }

    /// True if it is the file at the path that the kernel shows for a loop device; `None` if
    /// nothing is there now: the path may belong to another container, or the file has lost that
    /// name.
    fn is_at(&self, path: &[u8]) -> io::Result<Option<bool>> {
        let Ok(found) = fs::metadata(OsStr::from_bytes(path)) else {
            return Ok(None);
        };
        if self.metadata.file_type().is_block_device() {
            let is_device = found.file_type().is_block_device();
            return Ok(Some(is_device && self.overlaps(split(found.rdev()))?));
        }
        let is_it = (found.dev(), found.ino()) == (self.metadata.dev(), self.metadata.ino());
        Ok(Some(is_it))
    }

    /// True if it has the last name of a path about which nothing else is known.
    fn has_name(&self, path: &[u8]) -> bool {
        let path = path.strip_suffix(DELETED).unwrap_or(path);
        let last = path.rsplit(|byte| *byte == b'/').next();
        self.name.is_some() && last == self.name.as_deref()
    }

    /// True if two block devices have bytes in common: one is the other, or its disk.
    fn overlaps(&self, other: Number) -> io::Result<bool> {
        let own = split(self.metadata.rdev());
        Ok(own == other || sysfs::whole(own)? == other || sysfs::whole(other)? == own)
    }
}

/// A device number in the C library's representation.
fn split(device: u64) -> Number {
    (major(device), minor(device))
}

/// A device number in the kernel's 64-bit representation. Only the lower half is used: 12 bits of
/// the major number from bit 8 on, and the minor number around them.
fn decoded(device: u64) -> Number {
    let [a, b, c, d, ..] = device.to_le_bytes();
    let device = u32::from_le_bytes([a, b, c, d]);
    let high = (device >> 12) & 0x000F_FF00;
    ((device >> 8) & 0xFFF, (device & 0xFF) | high)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn device_numbers_of_the_kernel_are_those_of_the_c_library() {
        for (major, minor) in [(7, 0), (8, 17), (259, 0xFFFFF), (0xFFF, 0x12345)] {
            let encoded = (minor & 0xFF) | (major << 8) | ((minor & !0xFF) << 12);
            let expected = (u32::try_from(major), u32::try_from(minor));
            let (found, also) = decoded(encoded);
            assert_eq!((Ok(found), Ok(also)), expected);
        }
    }

    /// The path from the kernel decides if the loop device can't be queried.
    #[test]
    fn a_file_is_recognized_by_the_path_that_the_kernel_shows() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("disk.img");
        fs::write(&path, "").expect("writable");
        fs::hard_link(&path, folder.path().join("other name")).expect("writable");
        fs::write(folder.path().join("other"), "").expect("writable");
        let wanted = Wanted::of(&File::open(&path).expect("there")).expect("known");
        let shown = |path: PathBuf, more: &str| {
            let mut bytes = path.as_os_str().as_bytes().to_vec();
            bytes.extend_from_slice(more.as_bytes());
            let told = wanted.is_at(&bytes).expect("asked");
            told.unwrap_or_else(|| wanted.has_name(&bytes))
        };
        for (name, more, expected) in [
            ("disk.img", "", true),
            ("other name", "", true),
            ("disk.img", " (deleted)", true),
            ("other", "", false),
            // The loop device belongs to another container, so only the name decides.
            ("not here/disk.img", "", true),
            ("not here/disk.img", " (deleted)", true),
            ("not here/other.img", "", false),
        ] {
            assert_eq!(
                shown(folder.path().join(name), more),
                expected,
                "{name}{more}"
            );
        }
    }
}
