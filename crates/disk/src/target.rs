//! The root of the Windows volume: mounted, or on a disk that is not.

use std::fmt;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use crate::dir::Dir;
use crate::error::OpenError;
use crate::image::{Disk, DiskError, Volume};
use crate::system::SystemDir;
use crate::volumes::DiskNumber;

/// The Windows volume to be repaired: an open folder that is its root.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    volume: TargetVolume,
}

/// Where the volume lies.
#[derive(Debug)]
pub(crate) enum TargetVolume {
    /// It is mounted.
    Mounted(SystemDir),
    /// On a disk that is not mounted.
    OnDisk {
        disk: Disk,
        partition: u32,
        volume: Volume,
    },
}

impl Target {
    /// Opens the folder at `path`, or the Windows volume on the disk in that file or block device.
    /// Links on the way are followed, since a person chose that path; beneath the root none is.
    ///
    /// Whether the folder is a Windows volume that may be changed is for the guards to say.
    ///
    /// # Errors
    /// What the path is instead, or why it can't be opened.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_volume(path, None)
    }

    /// The same, with the number of the partition to work on where `path` is a disk that has
    /// several.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`OpenError::NoPartitions`] where `path` is a folder.
    pub fn open_volume(path: &Path, partition: Option<u32>) -> Result<Self, OpenError> {
        if is_device_of_windows(path) {
            return Self::on_disk(path, partition);
        }
        let io_error = |source| not_opened(path, source);
        let kind = fs::metadata(path).map_err(io_error)?.file_type();
        if !kind.is_dir() {
            return match may_hold_a_disk(kind) {
                true => Self::on_disk(path, partition),
                false => Err(OpenError::NotAFolder {
                    path: path.to_path_buf(),
                }),
            };
        }
        if partition.is_some() {
            return Err(OpenError::NoPartitions {
                path: path.to_path_buf(),
            });
        }
        Ok(Self {
            volume: TargetVolume::Mounted(
                SystemDir::open_ambient(path)
                    .map_err(io_error)?
                    .with_places(),
            ),
            path: path.to_path_buf(),
        })
    }

    fn on_disk(path: &Path, partition: Option<u32>) -> Result<Self, OpenError> {
        let wrapped = |source| match source {
            DiskError::Io(source) => not_opened(path, source),
            source => OpenError::of_disk(path, source),
        };
        let disk = Disk::open(path).map_err(wrapped)?;
        Self::of_disk(disk, partition).map_err(wrapped)
    }

    /// A volume of an open disk: the one of that number, or the only one with a Windows on it.
    ///
    /// # Errors
    /// Why there is none, or it can't be read.
    pub fn of_disk(disk: Disk, partition: Option<u32>) -> Result<Self, DiskError> {
        let partition = disk.choose(partition)?;
        Ok(Self {
            path: disk.path().to_path_buf(),
            volume: TargetVolume::OnDisk {
                volume: disk.volume(partition)?,
                disk,
                partition,
            },
        })
    }

    /// A second handle to the same target.
    ///
    /// # Errors
    /// What the system reported.
    pub fn try_clone(&self) -> io::Result<Self> {
        let volume = match &self.volume {
            TargetVolume::Mounted(root) => TargetVolume::Mounted(root.clone_handle()?),
            TargetVolume::OnDisk {
                disk,
                partition,
                volume,
            } => TargetVolume::OnDisk {
                disk: disk.clone(),
                partition: *partition,
                volume: volume.clone(),
            },
        };
        let path = self.path.clone();
        Ok(Self { path, volume })
    }

    /// The root folder alone.
    #[must_use]
    pub fn into_root(self) -> Box<dyn Dir> {
        match self.volume {
            TargetVolume::Mounted(root) => Box::new(root),
            TargetVolume::OnDisk { volume, .. } => volume.into_root(),
        }
    }

    /// The disk that it lies on, if that is not mounted.
    #[must_use]
    pub fn disk(&self) -> Option<&Disk> {
        match &self.volume {
            TargetVolume::Mounted(_) => None,
            TargetVolume::OnDisk { disk, .. } => Some(disk),
        }
    }

    /// The number of its partition on a disk that is not mounted.
    #[must_use]
    pub fn partition(&self) -> Option<u32> {
        match &self.volume {
            TargetVolume::Mounted(_) => None,
            TargetVolume::OnDisk { partition, .. } => Some(*partition),
        }
    }

    /// The root folder to the system, if it is mounted.
    pub(crate) fn mounted(&self) -> Option<&SystemDir> {
        match &self.volume {
            TargetVolume::Mounted(root) => Some(root),
            TargetVolume::OnDisk { .. } => None,
        }
    }

    /// Where the volume lies.
    pub(crate) const fn volume(&self) -> &TargetVolume {
        &self.volume
    }

    /// The path as given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How to name the target to a person.
    pub fn display(&self) -> impl fmt::Display {
        self.path.display()
    }

    /// The root folder.
    #[must_use]
    pub fn root(&self) -> &dyn Dir {
        match &self.volume {
            TargetVolume::Mounted(root) => root,
            TargetVolume::OnDisk { volume, .. } => volume.root(),
        }
    }

    /// Whether both are the same folder of the same volume, by whatever paths they were opened.
    ///
    /// # Errors
    /// What the system reported.
    pub fn is_same(&self, other: &Self) -> io::Result<bool> {
        if let (Some(root), Some(other)) = (self.mounted(), other.mounted()) {
            return root.is_same(other);
        }
        Ok(self.root().own_metadata()?.identity == other.root().own_metadata()?.identity)
    }
}

fn not_opened(path: &Path, source: io::Error) -> OpenError {
    let error = OpenError::from_io(path.to_path_buf(), source);
    #[cfg(windows)]
    if let OpenError::NotFound { path } = error {
        // A disk that is offline has no drive letters, nor any other way to its volumes.
        let disks = match path.parent() {
            None => crate::volumes::offline_disks(),
            Some(_) => Vec::new(),
        };
        return match disks.is_empty() {
            true => OpenError::NotFound { path },
            false => OpenError::Offline { path, disks },
        };
    }
    error
}

/// Whether a disk can be read from what is at a path.
fn may_hold_a_disk(kind: FileType) -> bool {
    #[cfg(unix)]
    let device = std::os::unix::fs::FileTypeExt::is_block_device(&kind);
    #[cfg(not(unix))]
    let device = false;
    kind.is_file() || device
}

/// Whether it is the name of a disk of Windows's, of which there are no metadata:
/// `\\.\PhysicalDrive2`.
fn is_device_of_windows(path: &Path) -> bool {
    cfg!(windows) && DiskNumber::of_path(path).is_some()
}
