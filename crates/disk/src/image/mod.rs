//! Disks that nobody mounted: an image file or a block device, its partitions, and the volumes on
//! them, shown as the same folders and files that a mounted volume has.

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
