//! Unmounted disks: the containers that hold them, their partition tables, and the file systems on
//! them, over positioned reads and writes. A disk is untrusted input: every length, depth and loop
//! is bounded.
//!
//! Layers, each of which knows only the one below:
//!
//! | module | what lives there |
//! |---|---|
//! | [`device`] | the traits: bytes of fixed length that can be read and written at any offset |
//! | [`host`] | the file or block device that holds a disk |
//! | [`recorded`] | a medium that records old and new bytes before it changes anything |
//! | [`container`] | raw images, VHD and VHDX: where a virtual disk's bytes lie in the file |
//! | [`partition`] | GPT and MBR: which parts a disk has |
//! | [`content`] | what a part holds, told by its bytes |
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
