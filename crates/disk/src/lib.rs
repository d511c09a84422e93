//! The target of diskmend, which is the root of a Windows volume, and safe access to its files. A
//! disk is untrusted input, so every access opens one name at a time below an open folder and never
//! follows a link.
//!
//! ```no_run
//! use diskmend_disk::{Access, Target, guard};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let target = Target::open("/mnt/windows".as_ref())?;
//! guard::windows_volume(&target)?;
//! guard::not_hibernated(&target)?;
//! let path = ["Windows", "System32", "config", "SYSTEM"];
//! if let Some(found) = target.root().find(&path)? {
//!     let hive = found.open(Access::Read)?;
//!     println!("{} has {} bytes", found.path, hive.len()?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | module | content |
//! |---|---|
//! | [`Target`] | opening the root, and everything else that a path can be |
//! | [`guard`] | reasons not to change a target, one function each; none writes |
//! | [`TargetLock`] | only one diskmend works on a target |
//! | [`Dir`] and [`File`] | an open folder and an open file: of the system, of NTFS or FAT on a disk that isn't mounted, or in a test's memory |
//! | [`Found`] | looking up a path as Windows does, ignoring case |
//! | [`Descriptors`] | reading, walking and changing the security descriptors below a folder |
//! | [`NtPath`] | a path in the units of NTFS |
//! | [`Disk`] | a disk that isn't mounted: an image file or a block device |
//! | [`DiskIdentity`] | telling the target's disk from other disks |
//! | [`siblings`] | the other volumes of the target's disk, on Windows |
//! | [`MappedFile`] | a whole file in memory, private, with room to grow |

#![deny(unsafe_code)]

mod dir;
mod disk_identity;
mod error;
mod file;
pub mod guard;
mod image;
mod lock;
mod lookup;
mod mapped;
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "memory maps can't be had without")]
mod mapping;
mod metadata;
mod name;
#[cfg(windows)]
#[expect(unsafe_code, reason = "calls of the kernel can't be had without")]
mod nt;
mod nt_path;
mod places;
mod security;
mod system;
mod target;
#[cfg(feature = "testing")]
#[expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a test that uses it wrongly is to fail"
)]
pub mod testing;
mod volumes;

pub use dir::{Access, Dir};
pub use disk_identity::DiskIdentity;
pub use diskmend_base::{Buffer, Storage};
pub use diskmend_image::content::Content;
pub use diskmend_image::partition::{DiskId, PartitionId, Scheme};
pub use diskmend_image::recorded::{
    Progress, RecordError, RecordFile, Restored, State as RecordedState,
};
pub use error::{GuardError, LookupError, NotRegular, OpenError, is_in_use};
pub use file::File;
pub use image::{Disk, DiskError, Partition, RecordedRun};
pub use lock::{LOCK_FILE_NAME, TargetLock};
pub use lookup::Found;
pub use mapped::MappedFile;
pub use metadata::{Identity, Kind, Metadata};
pub use nt_path::NtPath;
pub use security::{
    Change, Changed, Descriptors, MAX_DESCRIPTOR_LEN, Object, ObjectError, Protection, Walk,
};
pub use system::folder_and_name;
pub use target::Target;
pub use volumes::{DiskLayout, DiskNumber, SiblingVolume, siblings};
