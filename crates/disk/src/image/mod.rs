//! Disks that nobody mounted: an image file or a block device, its partitions, and the volumes on
//! them, shown as the same folders and files that a mounted volume has.

mod descriptors;
mod dir;
mod disk;
mod error;
mod fat;
mod host;
#[cfg(target_os = "linux")]
mod in_use;
mod ntfs;
#[cfg(target_os = "linux")]
pub(crate) mod sysfs;
mod tree;

pub(crate) use descriptors::ImageDescriptors;
pub(crate) use dir::{ImageDir, ImageFile};
pub use disk::{Disk, Partition, RecordedRun};
pub use error::DiskError;
