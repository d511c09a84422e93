//! The root of the Windows volume, which is mounted or on a disk that isn't mounted.

use std::fmt;
use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use diskmend_image::ntfs::Writes;

use crate::dir::Dir;
use crate::disk_number::DiskNumber;
use crate::error::{GuardError, OpenError};
use crate::image::{Disk, DiskError, Volume};
use crate::system::SystemDir;

/// The Windows volume to repair: its open root folder.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    volume: TargetVolume,
}

/// The place of the volume.
#[derive(Debug)]
pub(crate) enum TargetVolume {
    /// The volume is mounted.
    Mounted(SystemDir),
    /// The volume is on a disk that isn't mounted.
    OnDisk {
        disk: Disk,
        partition: u32,
        volume: Volume,
    },
}

impl Target {
    /// Opens the folder at `path`, or the Windows volume on the disk in that file or block device.
    /// Links in the path are followed, because a person chose it; below the root no link is.
    ///
    /// The guards check if the folder is a Windows volume that may be changed.
    ///
    /// # Errors
    /// The reason why the path isn't a target or can't be opened.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_volume(path, None)
    }

    /// Opens a target as [`open`](Self::open) does, with the number of the partition to work on if
    /// `path` is a disk with several.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open), and [`OpenError::NoPartitions`] if `path` is a folder.
    pub fn open_volume(path: &Path, partition: Option<u32>) -> Result<Self, OpenError> {
        if is_device_of_windows(path) {
            return Self::on_disk(path, partition);
        }
        let io_error = |source| not_opened(path, source);
        let kind = fs::metadata(path).map_err(io_error)?.file_type();
        if !kind.is_dir() {
            return if may_hold_a_disk(kind) {
                Self::on_disk(path, partition)
            } else {
                Err(OpenError::NotAFolder {
                    path: path.to_path_buf(),
                })
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

    /// A volume of an open disk: the partition with this number, or the only one with Windows on
    /// it.
    ///
    /// # Errors
    /// The reason why there is none, or why it can't be read.
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

    /// What may be written on the target's volume. Of a mounted one, the driver decides.
    ///
    /// # Errors
    /// The reason why nothing may be written.
    pub fn writes(&self) -> Result<Writes, GuardError> {
        match &self.volume {
            TargetVolume::Mounted(_) => Ok(Writes::All),
            TargetVolume::OnDisk {
                disk, partition, ..
            } => disk.volume_writes(*partition),
        }
    }

    /// Checks that everything may be written on the target's volume.
    ///
    /// # Errors
    /// The reason why not.
    pub fn writes_all(&self) -> Result<(), GuardError> {
        match (self.writes()?, &self.volume) {
            (
                Writes::InPlace,
                TargetVolume::OnDisk {
                    disk, partition, ..
                },
            ) => Err(disk.only_in_place(*partition)),
            _ => Ok(()),
        }
    }

    /// A second handle to the same target.
    ///
    /// # Errors
    /// The system's error.
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

    /// The disk with the volume, if it isn't mounted.
    #[must_use]
    pub fn disk(&self) -> Option<&Disk> {
        match &self.volume {
            TargetVolume::Mounted(_) => None,
            TargetVolume::OnDisk { disk, .. } => Some(disk),
        }
    }

    /// The number of the volume's partition on a disk that isn't mounted.
    #[must_use]
    pub fn partition(&self) -> Option<u32> {
        match &self.volume {
            TargetVolume::Mounted(_) => None,
            TargetVolume::OnDisk { partition, .. } => Some(*partition),
        }
    }

    /// The root folder as the system opened it, if the volume is mounted.
    pub(crate) fn mounted(&self) -> Option<&SystemDir> {
        match &self.volume {
            TargetVolume::Mounted(root) => Some(root),
            TargetVolume::OnDisk { .. } => None,
        }
    }

    /// The place of the volume.
    pub(crate) const fn volume(&self) -> &TargetVolume {
        &self.volume
    }

    /// The path as given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The target's name for messages.
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

    /// True if both are the same folder of the same volume, even if they were opened by different
    /// paths.
    ///
    /// # Errors
    /// The system's error.
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
        // An offline disk has no drive letters and no other way to its volumes.
        let disks = match path.parent() {
            None => crate::disk_number::offline_disks(),
            Some(_) => Vec::new(),
        };
        return if disks.is_empty() {
            OpenError::NotFound { path }
        } else {
            OpenError::Offline { path, disks }
        };
    }
    error
}

/// True if a disk can be read from an object of this kind.
fn may_hold_a_disk(kind: FileType) -> bool {
    #[cfg(unix)]
    let device = std::os::unix::fs::FileTypeExt::is_block_device(&kind);
    #[cfg(not(unix))]
    let device = false;
    kind.is_file() || device
}

/// True if the path names a disk of Windows, such as `\\.\PhysicalDrive2`. It has no metadata.
fn is_device_of_windows(path: &Path) -> bool {
    cfg!(windows) && DiskNumber::of_path(path).is_some()
}
