//! A hive file as the user names it: a file of this machine, or a file on an unmounted disk.

use std::fmt;
use std::path::{Path, PathBuf};

use diskmend_disk::{Disk, DiskError, LookupError, OpenError, Target, guard};

use crate::error::Error;
use crate::whereabouts::HiveFile;

/// The place of a hive file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HivePath {
    /// A file of this machine, which may be on a mounted volume.
    File(PathBuf),
    /// A file on an unmounted disk.
    OnDisk {
        /// The image file or block device.
        disk: PathBuf,
        /// The number of its partition; `None` means the only one with this file.
        partition: Option<u32>,
        /// The path below the root of the volume: at least one name. Case is ignored.
        path: Vec<String>,
    },
}

impl fmt::Display for HivePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::OnDisk { disk, path, .. } => {
                write!(f, "{}:{}", disk.display(), path.join("/"))
            }
        }
    }
}

impl From<&Path> for HivePath {
    fn from(path: &Path) -> Self {
        Self::File(path.to_path_buf())
    }
}

impl HivePath {
    /// The same place with the number of the partition, which is searched for if it isn't named.
    ///
    /// # Errors
    /// If the disk can't be opened, or several partitions have the file; see [`Error`].
    pub fn resolved(self) -> Result<Self, Error> {
        let found = match &self {
            Self::File(_) => None,
            Self::OnDisk { .. } => self.locate()?.target.partition(),
        };
        Ok(match self {
            Self::OnDisk { disk, path, .. } => Self::OnDisk {
                disk,
                partition: found,
                path,
            },
            file => file,
        })
    }

    /// Opens the volume that the file belongs to.
    pub(crate) fn locate(&self) -> Result<HiveFile, Error> {
        match self {
            Self::File(path) => HiveFile::locate(path),
            Self::OnDisk {
                disk,
                partition,
                path,
            } => {
                let opened = |source| Error::Target {
                    path: disk.display().to_string(),
                    source,
                };
                let of_disk = |source| OpenError::of_disk(disk, source);
                let image = open(disk).map_err(opened)?;
                let found = match partition {
                    Some(number) => Some(*number),
                    None => partition_with(&image, path)
                        .map_err(of_disk)
                        .map_err(opened)?,
                };
                let target = match Target::of_disk(image, found) {
                    Err(DiskError::NoWindows { .. } | DiskError::SeveralWindows { .. })
                        if found.is_none() =>
                    {
                        let path = self.to_string();
                        return Err(Error::NoHive { path });
                    }
                    target => target.map_err(of_disk).map_err(opened)?,
                };
                Ok(HiveFile::on_disk(target, path.clone()))
            }
        }
    }
}

fn open(disk: &Path) -> Result<Disk, OpenError> {
    Disk::open(disk).map_err(|source| OpenError::of_disk(disk, source))
}

/// The only partition with this file; `None` if no volume that can be read has it.
fn partition_with(disk: &Disk, path: &[String]) -> Result<Option<u32>, DiskError> {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let numbers = disk.table().partitions.iter().map(|one| one.number);
    let has_file = |number: &u32| match disk.root(*number).map(|root| root.find(&names)) {
        Ok(Ok(found)) => found.is_some(),
        // A link or damage is on the way there: opening it says so.
        Ok(Err(error)) => !matches!(error, LookupError::NotAFolder { .. }),
        Err(_) => false,
    };
    let found: Vec<u32> = numbers.filter(has_file).collect();
    match found.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(*only)),
        _ if found
            .iter()
            .all(|number| disk.has_windows(*number).is_ok_and(|is| is)) =>
        {
            Err(DiskError::SeveralWindows { numbers: found })
        }
        _ => Err(DiskError::SeveralFiles {
            path: path.join("/"),
            numbers: found,
        }),
    }
}

/// Refuses a disk with a hibernated Windows on any of its volumes. That Windows goes on with what
/// it knows of all of them.
pub(crate) fn no_windows_is_hibernated(disk: &Disk) -> Result<(), Error> {
    for partition in &disk.table().partitions {
        let number = partition.number;
        if !disk.has_windows(number).is_ok_and(|is| is) {
            continue;
        }
        let target = Target::of_disk(disk.clone(), Some(number));
        let target = target.map_err(|source| Error::Target {
            path: disk.path().display().to_string(),
            source: OpenError::of_disk(disk.path(), source),
        })?;
        guard::not_hibernated(&target)?;
    }
    Ok(())
}
