//! Containers: files that contain the bytes of a virtual disk.
//!
//! [`Container::open`] only reads, and recognizes the format by its signatures. The container is
//! then the disk, a [`Device`] of fixed length. Nothing else may write to the file.
//!
//! | module | what it contains |
//! |---|---|
//! | `signature` | recognizes the format of a file, and formats that are refused by name |
//! | `vhd` | VHD: fixed and dynamic |
//! | `vhdx` | VHDX: log, tables, blocks |
//! | `pages` | a small cache for the tables |
//! | `pieces` | splits a range at the borders of blocks |
//!
//! Writing keeps the file valid at any moment: if a write must not become durable before an earlier
//! one, it follows a [`Device::sync`] of the file. Blocks that the file does not have are added at
//! its end, unless zeros are written and the format says that the block is zero.

mod error;
mod notice;
mod pages;
mod pieces;
mod signature;
mod vhd;
mod vhdx;

use diskmend_base::count::to_usize;
use std::fmt;
use std::io;
use std::sync::Arc;

use self::signature::Kind;
use self::vhd::{Dynamic, Fixed, Vhd};
use self::vhdx::Vhdx;
use crate::device::{Device, Medium, range};

pub use self::error::ContainerError;
pub use self::notice::{Notice, Replay};

/// The format of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The file or block device is the disk.
    Raw,
    /// The disk and a footer.
    VhdFixed,
    /// Blocks that are added as they are written.
    VhdDynamic,
    /// VHDX, fixed or dynamic.
    Vhdx,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "raw",
            Self::VhdFixed => "fixed VHD",
            Self::VhdDynamic => "dynamic VHD",
            Self::Vhdx => "VHDX",
        })
    }
}

/// A virtual disk, in a file or on a block device.
#[derive(Debug)]
pub struct Container {
    medium: Arc<dyn Medium>,
    disk: Disk,
    notices: Vec<Notice>,
}

#[derive(Debug)]
enum Disk {
    Raw { len: u64 },
    VhdFixed(Box<Fixed>),
    VhdDynamic(Box<Dynamic>),
    Vhdx(Box<Vhdx>),
}

impl Container {
    /// Recognizes the format and opens the disk. Nothing is written.
    ///
    /// # Errors
    /// A format that is not supported, a disk that needs its parent, a file with damaged
    /// structures, or an error of the system.
    pub fn open(medium: Arc<dyn Medium>) -> Result<Self, ContainerError> {
        let len = medium.len();
        let Some(tail_at) = len.checked_sub(signature::TAIL_LEN as u64) else {
            return Err(ContainerError::TooShort { len });
        };
        let head_len = to_usize(len);
        let mut head = vec![0; head_len.min(signature::HEAD_LEN)];
        medium.read_exact_at(&mut head, 0)?;
        let mut tail = [0; signature::TAIL_LEN];
        medium.read_exact_at(&mut tail, tail_at)?;
        let (disk, notices) = match signature::kind(&head, &tail, len)? {
            Kind::Raw => (Disk::Raw { len }, Vec::new()),
            Kind::Vhd => match vhd::open(&medium)? {
                (Vhd::Fixed(disk), notices) => (Disk::VhdFixed(disk), notices),
                (Vhd::Dynamic(disk), notices) => (Disk::VhdDynamic(disk), notices),
            },
            Kind::Vhdx => {
                let (disk, notices) = Vhdx::open(&medium)?;
                (Disk::Vhdx(Box::new(disk)), notices)
            }
        };
        Ok(Self {
            medium,
            disk,
            notices,
        })
    }

    /// The format.
    #[must_use]
    pub fn format(&self) -> Format {
        match &self.disk {
            Disk::Raw { .. } => Format::Raw,
            Disk::VhdFixed(_) => Format::VhdFixed,
            Disk::VhdDynamic(_) => Format::VhdDynamic,
            Disk::Vhdx(_) => Format::Vhdx,
        }
    }

    /// The bytes in a logical sector of the disk, if the format says so: 512 or 4096.
    #[must_use]
    pub fn logical_sector_size(&self) -> Option<u32> {
        match &self.disk {
            Disk::Raw { .. } => None,
            Disk::VhdFixed(_) | Disk::VhdDynamic(_) => Some(512),
            Disk::Vhdx(disk) => Some(disk.logical_sector_size()),
        }
    }

    /// Checks whether the container itself can be written, which reads its tables. Every write
    /// checks this too.
    ///
    /// # Errors
    /// The damage, or another reason why it must not be written.
    pub fn check_writable(&self) -> Result<(), ContainerError> {
        match &self.disk {
            Disk::Raw { .. } => Ok(()),
            Disk::VhdFixed(disk) => disk.check_writable(),
            Disk::VhdDynamic(disk) => disk.check_writable(),
            Disk::Vhdx(disk) => disk.check_writable(),
        }
    }

    /// Structures that were damaged when the disk was opened and were replaced by their second
    /// copy, and the part of a VHDX's log that was replayed in memory; the file is updated before
    /// the first write.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }
}

impl Device for Container {
    fn len(&self) -> u64 {
        match &self.disk {
            Disk::Raw { len } => *len,
            Disk::VhdFixed(disk) => disk.size(),
            Disk::VhdDynamic(disk) => disk.size(),
            Disk::Vhdx(disk) => disk.size(),
        }
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        match &self.disk {
            Disk::Raw { len } => {
                range(offset, buf.len(), *len)?;
                self.medium.read_exact_at(buf, offset)
            }
            Disk::VhdFixed(disk) => disk.read(buf, offset),
            Disk::VhdDynamic(disk) => disk.read(buf, offset),
            Disk::Vhdx(disk) => disk.read(buf, offset),
        }
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        match &self.disk {
            Disk::Raw { len } => {
                range(offset, data.len(), *len)?;
                self.medium.write_all_at(data, offset)
            }
            Disk::VhdFixed(disk) => disk.write(data, offset),
            Disk::VhdDynamic(disk) => disk.write(data, offset),
            Disk::Vhdx(disk) => disk.write(data, offset),
        }
    }

    fn keep(&self, offset: u64, len: usize) -> io::Result<()> {
        match &self.disk {
            Disk::Raw { len: disk_len } => {
                range(offset, len, *disk_len)?;
                self.medium.keep(offset, len)
            }
            Disk::VhdFixed(disk) => disk.keep(offset, len),
            Disk::VhdDynamic(disk) => disk.keep(offset, len),
            Disk::Vhdx(disk) => disk.keep(offset, len),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.medium.sync()
    }
}

#[cfg(test)]
mod tests;
