//! Targets for disks that aren't mounted: containers, partition tables, volumes, and the record of
//! changes. Each starts from a small sound image made here, and changes it as the input says.

mod bytes;
mod container;
mod fat;
mod input;
mod ntfs;
mod partition;
mod record;
mod sparse;
#[cfg(test)]
mod tests;
mod vhd;
mod vhdx;

pub use container::{vhd, vhdx};
pub use fat::fat;
pub use ntfs::{ntfs_read, ntfs_write};
pub use partition::partition;
pub use record::record;

pub(crate) use input::Script;
