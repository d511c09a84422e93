//! The other volumes of the target's disk, and what Windows does with the disk.

mod layout;
#[cfg(target_os = "linux")]
mod mounted;
#[cfg(any(windows, test))]
mod same_disk;
#[cfg(windows)]
mod windows;

pub use layout::DiskLayout;

use std::io;
use std::path::{Path, PathBuf};

use diskmend_image::content::Content;

use crate::error::OpenError;
use crate::image::{Disk, DiskError};
use crate::target::Target;

impl DiskLayout {
    /// The layout of the target's disk; `None` if it is not known: for a folder that is not a
    /// mount, or for a volume on a disk that can't be read.
    #[must_use]
    pub fn of(target: &Target) -> Option<Self> {
        if let (Some(disk), Some(own)) = (target.disk(), target.partition()) {
            return Self::of_table(disk.table(), own);
        }
        #[cfg(target_os = "linux")]
        return mounted::layout(target);
        #[cfg(windows)]
        return windows::layout(target);
        #[cfg(not(any(target_os = "linux", windows)))]
        None
    }
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

#[cfg(target_os = "linux")]
pub(crate) use mounted::{is_volume, mounted_encryption};
#[cfg(windows)]
pub(crate) use windows::{is_dirty, is_volume, read_only_disk};
