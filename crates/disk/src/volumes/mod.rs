//! The other volumes of the target's disk, and what Windows does with the disk.

mod layout;
#[cfg(target_os = "linux")]
mod mounted;
#[cfg(any(windows, test))]
mod same_disk;
#[cfg(windows)]
mod windows;

pub use layout::DiskLayout;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use diskmend_image::content::Content;

use crate::error::OpenError;
use crate::image::{Disk, DiskError};
use crate::target::Target;

/// Windows's number for a disk of this machine, as diskpart and Disk Management show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiskNumber(pub u32);

impl DiskNumber {
    /// The disk that a path means on Windows: `\\.\PhysicalDrive2`.
    pub(crate) fn of_path(path: &Path) -> Option<Self> {
        const NAME: &str = "PhysicalDrive";
        let name = path.to_str()?.strip_prefix(r"\\.\")?;
        let (drive, number) = name.split_at_checked(NAME.len())?;
        let is_drive = drive.eq_ignore_ascii_case(NAME);
        is_drive.then_some(number)?.parse().ok().map(Self)
    }
}

impl fmt::Display for DiskNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How Windows treats a disk.
#[cfg(windows)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DiskState {
    /// None of its volumes can be reached.
    pub(crate) offline: bool,
    /// None of them can be written.
    pub(crate) read_only: bool,
}

/// Another volume of the target's disk, with or without a drive letter.
#[derive(Clone, Debug)]
pub struct SiblingVolume {
    path: PathBuf,
    /// Its place on an unmounted disk.
    partition: Option<(Disk, u32)>,
}

impl SiblingVolume {
    /// The path of its root, which needs no drive letter: `\\?\Volume{...}\`. On an unmounted disk
    /// it is not a path, but `partition 1`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens its root.
    ///
    /// # Errors
    /// Those of [`Target::open`].
    pub fn open(&self) -> Result<Target, OpenError> {
        let Some((disk, number)) = &self.partition else {
            return Target::open(&self.path);
        };
        let path = self.path.clone();
        Target::of_disk(disk.clone(), Some(*number)).map_err(|error| match error {
            DiskError::NotReadable {
                content: Content::BitLocker,
                ..
            } => OpenError::BitLocker { path },
            DiskError::NotReadable {
                content: Content::Empty,
                ..
            } => OpenError::NoFileSystem { path },
            DiskError::NotReadable { content, .. } => OpenError::UnknownContent { path, content },
            error => {
                let source = Box::new(error);
                OpenError::Disk { path, source }
            }
        })
    }
}

/// The other volumes of the disk with the target's volume. Nothing is mounted and nothing gets a
/// drive letter.
///
/// These are the volumes that have all their extents on the target's disk or disks. There are none
/// if the target is not the root of a volume of Windows, or if the running Windows is on that disk
/// too: such volumes start this machine. On Linux a mounted volume has none, because a mount does
/// not make the other partitions of its disk accessible.
///
/// # Errors
/// If Windows does not list its volumes, or the disks of one of them.
pub fn siblings(target: &Target) -> io::Result<Vec<SiblingVolume>> {
    if let (Some(disk), Some(own)) = (target.disk(), target.partition()) {
        let others = disk.table().partitions.iter();
        let others = others.filter(|partition| partition.number != own);
        return Ok(others
            .map(|partition| SiblingVolume {
                path: format!("partition {}", partition.number).into(),
                partition: Some((disk.clone(), partition.number)),
            })
            .collect());
    }
    mounted_siblings(target)
}

#[cfg(windows)]
fn mounted_siblings(target: &Target) -> io::Result<Vec<SiblingVolume>> {
    let found = windows::siblings(target)?.into_iter();
    Ok(found
        .map(|root| SiblingVolume {
            path: root.into(),
            partition: None,
        })
        .collect())
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
const fn mounted_siblings(_target: &Target) -> io::Result<Vec<SiblingVolume>> {
    Ok(Vec::new())
}

#[cfg(windows)]
pub(crate) use windows::{offline_disks, read_only_disk};

#[cfg(test)]
mod tests {
    use super::DiskNumber;

    #[test]
    fn a_disk_is_named_by_its_number() {
        let number = |path: &str| DiskNumber::of_path(path.as_ref());
        assert_eq!(number(r"\\.\PhysicalDrive2"), Some(DiskNumber(2)));
        assert_eq!(number(r"\\.\physicaldrive10"), Some(DiskNumber(10)));
        for other in [
            r"\\.\PhysicalDrive",
            r"\\.\PhysicalDriveX",
            r"\\.\F:",
            r"C:\PhysicalDrive2",
            "PhysicalDrive2",
            "",
        ] {
            assert_eq!(number(other), None, "{other}");
        }
    }
}
