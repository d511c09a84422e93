//! The records of a mounted volume, read from its device without the driver.
//!
//! A driver trusts the index of a folder and doesn't check if the file says that it is there. With
//! a forged index, a change of a folder's files could reach any other file.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use diskmend_base::positioned;
use diskmend_image::device::{Device, range};
use diskmend_image::ntfs::{Volume, VolumeError};
use rustix::fs::{fstat, major, minor};

use crate::dir::Dir;
use crate::name;
use crate::nt_path;
use crate::system::SystemDir;

/// The root folder's record number and inode.
const ROOT: u64 = 5;
/// The greatest number of times that the driver is asked to write its memory because a record and
/// an index disagree.
const MAX_FLUSHES: usize = 16;

/// The records of a mounted volume.
#[derive(Debug)]
pub(super) struct Records {
    /// The number of the device that the system uses for the volume.
    number: u64,
    device: Arc<dyn Device>,
    volume: RwLock<Volume>,
    flushes: AtomicUsize,
}

/// The device or image file of a volume, open for reading.
#[derive(Debug)]
struct ReadOnly {
    file: File,
    len: u64,
}

impl Records {
    /// The records of the volume with this root; `None` if its device can't be found or read, or if
    /// its driver doesn't show record numbers.
    pub(super) fn of(root: &SystemDir) -> Option<Self> {
        let identity = root.own_metadata().ok()?.identity;
        if identity.inode != ROOT {
            return None;
        }
        let mountinfo = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let file = sources(&mountinfo, identity.device)
            .into_iter()
            .find_map(|source| source.open(identity.device))?;
        let device: Arc<dyn Device> = Arc::new(ReadOnly::new(file).ok()?);
        let volume = Volume::open(Arc::clone(&device)).ok()?;
        Some(Self {
            number: identity.device,
            device,
            volume: RwLock::new(volume),
            flushes: AtomicUsize::new(0),
        })
    }

    /// The number of the device that the system uses for the volume.
    pub(super) const fn device(&self) -> u64 {
        self.number
    }

    /// If file `file`'s own record says that it has a name in folder `folder`: the number of all
    /// its names. Otherwise `None`.
    pub(super) fn lies_in(
        &self,
        folder: u64,
        file: u64,
        name: &OsStr,
        flush: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<Option<u64>> {
        let first = self.ask(folder, file, name);
        if matches!(first, Ok(Some(_)))
            || self.flushes.fetch_add(1, Ordering::Relaxed) >= MAX_FLUSHES
        {
            return first;
        }
        self.read_anew(flush)?;
        self.ask(folder, file, name)
    }

    /// The number of named streams of a file.
    pub(super) fn streams(
        &self,
        file: u64,
        flush: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<usize> {
        let ask = || {
            let volume = self.volume.read().unwrap_or_else(PoisonError::into_inner);
            volume.named_streams(file).map_err(into_io)
        };
        ask().or_else(|_| {
            self.read_anew(flush)?;
            ask()
        })
    }

    /// Reads the volume again, after the driver has written what it holds in memory. The record may
    /// be older, and $MFT may have grown.
    fn read_anew(&self, flush: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        flush()?;
        let anew = Volume::open(Arc::clone(&self.device)).map_err(into_io)?;
        *self.volume.write().unwrap_or_else(PoisonError::into_inner) = anew;
        Ok(())
    }

    fn ask(&self, folder: u64, file: u64, name: &OsStr) -> io::Result<Option<u64>> {
        let volume = self.volume.read().unwrap_or_else(PoisonError::into_inner);
        let is_name =
            |units: &[u16]| nt_path::os_string(units).is_some_and(|told| name::same(&told, name));
        volume.lies_in(folder, file, is_name).map_err(into_io)
    }
}

fn into_io(error: VolumeError) -> io::Error {
    io::Error::new(error.kind(), error)
}

/// A possible source of a mounted volume.
#[derive(Debug, PartialEq, Eq)]
struct Source {
    path: PathBuf,
    /// True if the driver is a process, to which an image file may have been given.
    may_be_file: bool,
}

impl Source {
    fn open(&self, device: u64) -> Option<File> {
        let kind = fs::metadata(&self.path).ok()?;
        let is_the_device = kind.file_type().is_block_device() && kind.rdev() == device;
        let is_the_image = self.may_be_file && kind.is_file();
        if !is_the_device && !is_the_image {
            return None;
        }
        let file = File::open(&self.path).ok()?;
        // Now it is certain that the checked file is the opened one.
        let opened = fstat(&file).ok()?;
        ((opened.st_dev, opened.st_ino) == (kind.dev(), kind.ino())).then_some(file)
    }
}

/// The sources of a device's mounts in mountinfo (proc(5): ID, parent, major:minor, root, mount
/// point, options, optional fields, `-`, type, source, super options).
fn sources(mountinfo: &str, device: u64) -> Vec<Source> {
    let number = format!("{}:{}", major(device), minor(device));
    let mut sources: Vec<Source> = mountinfo
        .lines()
        .filter_map(|line| line.split_once(" - "))
        .filter(|(mount, _)| mount.split(' ').nth(2) == Some(number.as_str()))
        .filter_map(|(_, file_system)| {
            let mut fields = file_system.split(' ');
            let may_be_file = fields.next()?.starts_with("fuse");
            let path = PathBuf::from(unescaped(fields.next()?));
            path.is_absolute().then_some(Source { path, may_be_file })
        })
        .collect();
    sources.push(Source {
        path: format!("/dev/block/{number}").into(),
        may_be_file: false,
    });
    sources
}

/// A field of mountinfo, with the escapes of space, tab, line feed and backslash replaced.
fn unescaped(field: &str) -> String {
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .iter()
    .fold(field.to_owned(), |text, (from, to)| text.replace(from, to))
}

impl ReadOnly {
    fn new(mut file: File) -> io::Result<Self> {
        let len = file.seek(SeekFrom::End(0))?;
        Ok(Self { file, len })
    }
}

impl Device for ReadOnly {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        range(offset, buf.len(), self.len)?;
        positioned::read_exact_at(&self.file, buf, offset)
    }

    fn write_all_at(&self, _data: &[u8], _offset: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::makedev;

    use super::*;

    #[test]
    fn the_source_of_a_mount_is_found_by_its_number() {
        let mountinfo = "\
            21 26 0:19 / /sys rw,nosuid - sysfs sysfs rw\n\
            85 66 8:17 / /mnt/disk rw - fuseblk /dev/sdb1 rw\n\
            86 66 8:17 / /mnt/again rw shared:1 - ntfs3 /dev/disk/by-id/a\\040b rw\n\
            87 66 0:60 / /mnt/file rw - fuse.ntfs-3g /home/me/a.img rw\n";
        let found = |device| {
            let sources = sources(mountinfo, device).into_iter();
            let shown = sources.map(|one| (one.path.display().to_string(), one.may_be_file));
            shown.collect::<Vec<_>>()
        };
        let one = |path: &str, may_be_file| (path.to_owned(), may_be_file);
        assert_eq!(
            found(makedev(8, 17)),
            [
                one("/dev/sdb1", true),
                one("/dev/disk/by-id/a b", false),
                one("/dev/block/8:17", false)
            ]
        );
        assert_eq!(
            found(makedev(0, 60)),
            [one("/home/me/a.img", true), one("/dev/block/0:60", false)]
        );
        assert_eq!(found(makedev(0, 19)), [one("/dev/block/0:19", false)]);
    }
}
