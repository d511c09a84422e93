//! The reasons why an unmounted disk can't be used.

use std::fmt;
use std::io;

use diskmend_image::container::ContainerError;
use diskmend_image::content::Content;
use diskmend_image::partition::{PartitionError, PartitionFault};

/// The reason why an image or block device can't be opened as a disk, or none of its volumes as the
/// target.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The file or device can't be opened or read.
    #[error("cannot be read")]
    Io(#[from] io::Error),
    /// The container of the disk.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The partition table.
    #[error(transparent)]
    Partitions(#[from] PartitionError),
    /// The position of the partition is impossible.
    #[error(transparent)]
    Partition(#[from] PartitionFault),
    /// There is no partition with this number.
    #[error("there is no partition {number}: the disk has {}", joined(.known))]
    NoSuchPartition {
        /// The requested number.
        number: u32,
        /// The existing numbers.
        known: Vec<u32>,
    },
    /// The volume can't be read.
    #[error("{} holds {}{}", place(*.number), holds(*.content), advice(*.content))]
    NotReadable {
        /// The number of its partition.
        number: u32,
        /// Its content.
        content: Content,
    },
    /// The partition is a part of a dynamic disk: only its database tells which volumes it has, and
    /// whether there is a second copy that must be equal.
    #[error(
        "partition {number} belongs to a dynamic disk (LDM), and diskmend can't read its volumes: \
         attach the disk to Windows, import it there if necessary, and name the volume's drive"
    )]
    DynamicDisk {
        /// Its number.
        number: u32,
    },
    /// The partition is a part of a storage pool.
    #[error(
        "partition {number} belongs to a pool of Storage Spaces, and diskmend can't read its disks: \
         attach all disks of the pool to Windows, and name the drive of the volume on it"
    )]
    StorageSpaces {
        /// Its number.
        number: u32,
    },
    /// The volume's file system is damaged, or of an unknown kind.
    #[error("{}: {reason}", place(*.number))]
    FileSystem {
        /// The number of its partition.
        number: u32,
        /// The problem.
        reason: String,
    },
    /// No volume contains a Windows.
    #[error("no Windows was found on the disk: {}", list(.looked_at))]
    NoWindows {
        /// What was found instead, one line for each partition.
        looked_at: Vec<String>,
    },
    /// Several volumes contain a file with this path.
    #[error("several volumes have a file {path}: on partitions {}", joined(.numbers))]
    SeveralFiles {
        /// The path below the root of each volume, with `/`.
        path: String,
        /// The numbers of their partitions.
        numbers: Vec<u32>,
    },
    /// Several volumes contain a Windows.
    #[error("there is more than one Windows on the disk: on partitions {}", joined(.numbers))]
    SeveralWindows {
        /// The numbers of their partitions.
        numbers: Vec<u32>,
    },
}

impl DiskError {
    /// True if the partition may contain a Windows nevertheless.
    #[must_use]
    pub fn may_hide_windows(&self) -> bool {
        match self {
            Self::NotReadable { content, .. } => {
                matches!(content, Content::BitLocker | Content::Refs)
            }
            Self::DynamicDisk { .. } | Self::StorageSpaces { .. } => true,
            _ => false,
        }
    }
}

fn joined(numbers: &[u32]) -> String {
    match numbers {
        [] => "none".to_owned(),
        several => several
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn list(lines: &[String]) -> String {
    match lines {
        [] => "it has no partitions".to_owned(),
        lines => lines.join("; "),
    }
}

fn place(number: u32) -> String {
    match number {
        0 => "the disk".to_owned(),
        number => format!("partition {number}"),
    }
}

fn holds(content: Content) -> String {
    match content {
        Content::Empty => "nothing".to_owned(),
        Content::Unknown => "nothing that diskmend knows".to_owned(),
        Content::BitLocker => "a volume that is encrypted with BitLocker".to_owned(),
        content => format!("{content}, which diskmend can't read"),
    }
}

/// What to do about a volume that diskmend can't read.
fn advice(content: Content) -> impl fmt::Display {
    match content {
        Content::BitLocker => {
            ": unlock it with its recovery key, mount the unlocked volume, and name the mount"
        }
        Content::Refs => ": mount it on Windows, and name its drive",
        _ => "",
    }
}
