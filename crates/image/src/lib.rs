//! Unmounted disks: their containers, partition tables and file systems, over positioned reads and
//! writes. A disk is untrusted input: every length, depth and loop is bounded.
//!
//! Layers, each of which knows only the layers below:
//!
//! | module | what it contains |
//! |---|---|
//! | [`device`] | the traits: bytes of fixed length that can be read and written at any offset |
//! | [`host`] | the file or block device that contains a disk |
//! | [`recorded`] | a medium that records old and new bytes before it changes anything |
//! | [`container`] | raw images, VHD and VHDX: the positions of a virtual disk's bytes in the file |
//! | [`partition`] | GPT and MBR: the partitions of a disk |
//! | [`content`] | the content of a partition, recognized by its bytes |
//! | [`fat`] | the FAT volume: folders and files of an EFI system partition |
//! | [`ntfs`] | the NTFS volume: folders, files, security descriptors |

#![forbid(unsafe_code)]

pub mod container;
pub mod content;
pub mod device;
pub mod fat;
pub mod host;
pub mod ntfs;
pub mod partition;
pub mod recorded;
#[cfg(test)]
mod testing;
