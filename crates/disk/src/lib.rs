//! Opens the Windows volume that is to be repaired, and gives safe access to its files and folders.
//!
//! The volume is mounted, or it is on a disk that isn't mounted: an image file or a block device.
//! [`Dir`] and [`File`] are the same for both. A disk is untrusted input, so every access opens one
//! name at a time below an open folder and never follows a link.
//!
//! ```no_run
//! use diskmend_disk::{Access, Target, guard};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A folder such as /mnt/windows, an image file or a block device.
//! let target = Target::open("disk.vhdx".as_ref())?;
//!
//! // Reasons not to change it. None of the guards writes.
//! guard::windows_volume(&target)?;
//! guard::not_hibernated(&target)?;
//!
//! // Case doesn't matter, as on Windows.
//! let path = ["Windows", "System32", "config", "SYSTEM"];
//! if let Some(found) = target.root().find(&path)? {
//!     let hive = found.open(Access::Read)?;
//!     println!("{} has {} bytes", found.path, hive.len()?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to go next
//!
//! | item | purpose |
//! |---|---|
//! | [`Target`] | open the volume, whatever its path leads to |
//! | [`guard`] | reasons not to change a target, one function each |
//! | [`TargetLock`] | make sure that only one diskmend works on a target |
//! | [`Dir`], [`File`] | an open folder and an open file, on any kind of target |
//! | [`Details`] | what a file has besides its content, to restore a removed file |
//! | [`Found`] | the result of looking up a path as Windows does, ignoring case |
//! | [`Descriptors`] | read, walk and change the security descriptors below a folder |
//! | [`NtPath`] | a path in UTF-16 code units, as NTFS stores names |
//! | [`Disk`] | a disk that isn't mounted |
//! | [`DiskIdentity`] | tell the disk of the target from other disks |
//! | [`VolumeState`] | the space of the target's volume, and whether it was closed cleanly |
//! | [`Condition`] | what is to be known about a volume before it is changed, and what helps |
//! | [`siblings`] | the other volumes of the target's disk, on Windows |
//! | [`is_on`] | whether a folder is on a target disk |
//! | [`MappedFile`] | a whole file in private memory, with room to grow |
//!
//! # Limits
//!
//! - On a disk that isn't mounted, no folder can be created or removed, and no name replaced; on its
//!   NTFS volumes, no file can be created, and on its FAT volumes none renamed.
//! - The feature `testing` adds folders and files in memory that fail as a test wants; it is for
//!   tests only.

#![deny(unsafe_code)]

mod attached;
mod backing;
mod condition;
mod details;
mod dir;
mod disk_identity;
mod disk_number;
mod error;
mod file;
mod filetime;
pub mod guard;
mod image;
mod is_on;
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
mod volume_state;
mod volumes;

pub use attached::{Attached, attached};
pub use condition::{Condition, ConditionKind};
pub use details::{Details, NamedStream, Times};
pub use dir::{Access, Dir};
pub use disk_identity::DiskIdentity;
pub use disk_number::DiskNumber;
pub use diskmend_base::{Buffer, Storage};
pub use diskmend_image::boot_sector::{BootProgram, BootSector};
pub use diskmend_image::content::Content;
pub use diskmend_image::ntfs::Writes;
pub use diskmend_image::partition::{DiskId, PartitionId, Scheme};
pub use diskmend_image::recorded::{
    Progress, RecordError, RecordFile, Restored, State as RecordedState,
};
pub use error::{GuardError, LookupError, NotRegular, OpenError, is_in_use};
pub use file::File;
pub use image::{Disk, DiskError, Partition, RecordedRun};
pub use is_on::is_on;
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
pub use volume_state::{Encryption, Journal, JournalContent, VolumeState};
pub use volumes::{DiskLayout, SiblingVolume, siblings};
