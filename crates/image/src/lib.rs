//! Reads and writes Windows disks that no system has mounted: image files and block devices, their
//! partitions, and their NTFS and FAT volumes.
//!
//! A disk is untrusted input: every length, depth, loop and allocation is bounded, and damage leads
//! to an error, never to a panic. Writes change as few bytes as possible, in an order that survives
//! a crash, and can be recorded so that they can be undone.
//!
//! ```no_run
//! use std::fs::File;
//! use std::sync::Arc;
//!
//! use diskmend_image::container::Container;
//! use diskmend_image::content::{Content, recognise};
//! use diskmend_image::device::Device;
//! use diskmend_image::host::HostFile;
//! use diskmend_image::{ntfs, partition};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A raw image, VHD or VHDX is a disk.
//! let file = HostFile::file(File::open("disk.vhdx")?)?;
//! let container = Container::open(Arc::new(file))?;
//! let sector_size = container.logical_sector_size();
//! let disk: Arc<dyn Device> = Arc::new(container);
//!
//! // The disk has partitions, and a partition may be an NTFS volume.
//! for partition in partition::read(disk.as_ref(), sector_size)?.partitions {
//!     let slice = partition.open(Arc::clone(&disk))?;
//!     if recognise(&slice)? != Content::Ntfs {
//!         continue;
//!     }
//!     let volume = ntfs::Volume::open(Arc::new(slice))?;
//!     for entry in volume.list(volume.root())? {
//!         println!("{}: {}", partition.number, String::from_utf16_lossy(&entry.name));
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Where to go next
//!
//! Each module knows only modules above it in this table:
//!
//! | module | purpose |
//! |---|---|
//! | [`device`] | the traits: bytes that can be read and written at any offset |
//! | [`host`] | the file or block device that contains a disk |
//! | [`recorded`] | keep the old bytes of everything that is written, and restore them |
//! | [`container`] | the formats of image files: raw, VHD and VHDX |
//! | [`fat`] | FAT volumes, for EFI system partitions |
//! | [`ntfs`] | NTFS volumes: folders, files, security descriptors |
//! | [`boot_sector`] | the boot sector of an NTFS volume, as a BIOS uses it |
//! | [`content`] | recognize what a partition contains |
//! | [`partition`] | GPT and MBR |
//!
//! `examples/list_partitions.rs` is a small program that lists the partitions of an image.
//!
//! # Limits
//!
//! - Nothing else may use the disk meanwhile. This crate takes no locks; its caller must.
//! - Files can be read, overwritten and lengthened. On NTFS, files and folders can't be created or
//!   removed, nor compressed and encrypted files written.
//! - Differencing disks, and the formats of other hypervisors, are refused by name.

#![forbid(unsafe_code)]

pub mod boot_sector;
pub mod container;
pub mod content;
pub mod device;
pub mod fat;
pub mod host;
pub mod ntfs;
pub mod partition;
mod ranges;
pub mod recorded;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
