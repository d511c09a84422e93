//! Disks that aren't mounted: an image file or a block device, its partitions and their volumes.
//! Their folders and files have the same interface as those of a mounted volume.

mod descriptors;
mod disk;
mod error;
mod fat;
mod host;
#[cfg(target_os = "linux")]
mod in_use;
mod names;
mod ntfs;
#[cfg(target_os = "linux")]
pub(crate) mod sysfs;
mod volume;

pub use disk::{Disk, Partition, RecordedRun};
pub use error::DiskError;
pub(crate) use volume::Volume;
