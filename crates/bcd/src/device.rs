//! Device elements: which partition, disk or file they name.
//!
//! Microsoft documents only the object model of devices. The layout here is what stores hold:
//! the GUID of an object with options, then a descriptor (type, flags, size, a reserved number)
//! and data by type. Data past what is understood are never rewritten.

mod display;
mod encode;

use diskmend_base::Guid;
use diskmend_base::bytes::{array, slice, u32_at, u64_at};
use diskmend_base::utf16;

use crate::element_id::ElementId;

/// Length in bytes of the shortest device: a GUID and a descriptor without data.
pub(crate) const MIN_LEN: usize = OPTIONS_LEN + HEADER_LEN;

const OPTIONS_LEN: usize = 16;
/// Type, flags, size, reserved: 32 bits each.
const HEADER_LEN: usize = 16;
/// Most devices inside one another.
const MAX_DEPTH: usize = 4;

const TYPE_LOCAL: u32 = 0;
const TYPE_LEGACY_PARTITION: u32 = 2;
const TYPE_BOOT: u32 = 5;
const TYPE_PARTITION: u32 = 6;
const TYPE_LOCATE: u32 = 8;

const LOCAL_HARD_DISK: u32 = 0;
const LOCAL_RAM_DISK: u32 = 3;
const LOCAL_FILE: u32 = 5;
const LOCAL_VIRTUAL_DISK: u32 = 6;

/// Kind of a local device, and 20 bytes by kind.
const LOCAL_LEN: usize = 24;
const STYLE_GPT: u32 = 0;
const STYLE_MBR: u32 = 1;

/// Version, length, kind: 32 bits each.
const PATH_HEADER_LEN: usize = 12;
const PATH_VERSION: u32 = 1;
/// A device descriptor, then the path on that device.
const PATH_ON_DEVICE: u32 = 5;

const LOCATE_ELEMENT: u32 = 0;
const LOCATE_PATH: u32 = 1;
/// How to locate, the element's id, the parent's offset: 32 bits each.
const LOCATE_HEADER_LEN: usize = 12;

/// What a device element names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// An object with further options.
    pub options: Option<Guid>,
    /// The device.
    pub target: Target,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// The device that the boot manager was started from.
    Boot,
    /// A partition of a disk.
    Partition(Partition),
    /// A file on another device, and what it is used as.
    File(FileDevice),
    /// The first device on which a path exists.
    Locate {
        /// Which path.
        path: Located,
        /// The device to look on, where it is not every one.
        parent: Option<Box<Target>>,
    },
    /// A device of a type that is not understood.
    Unknown {
        /// The descriptor's type.
        device_type: u32,
        /// Length of the descriptor in bytes.
        len: usize,
    },
}

/// A partition, named so that it is found on any machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Partition {
    /// On a disk with a GUID partition table.
    Gpt {
        /// GUID of the disk.
        disk: Guid,
        /// GUID of the partition.
        partition: Guid,
    },
    /// On a disk with a master boot record.
    Mbr {
        /// Signature of the disk: the number at 0x1b8 of its first sector.
        signature: u32,
        /// Where the partition starts, in bytes.
        offset: u64,
    },
}

impl Partition {
    /// Whether another one differs in the disk alone.
    pub(crate) fn is_almost(self, other: Self) -> bool {
        match (self, other) {
            (Self::Gpt { partition: one, .. }, Self::Gpt { partition: two, .. }) => one == two,
            (Self::Mbr { offset: one, .. }, Self::Mbr { offset: two, .. }) => one == two,
            _ => false,
        }
    }
}

/// What a file is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileUse {
    /// A memory disk is filled from it.
    RamDisk,
    /// It is a volume.
    Volume,
    /// It is a virtual hard disk.
    VirtualDisk,
}

/// A device inside a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDevice {
    /// What the file is used as.
    pub file_use: FileUse,
    /// The device that holds the file, and its path there, where they are understood.
    pub place: Option<(Box<Target>, String)>,
}

/// The path that a device is located by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Located {
    /// The string in this element of the same object.
    Element(ElementId),
    /// This path.
    Path(String),
}

impl Device {
    /// Reads the data of a device element; `None` where they hold no descriptor.
    #[must_use]
    pub fn decode(data: &[u8]) -> Option<Self> {
        Some(Self {
            options: array(data, 0).map(Guid)?.non_nil(),
            target: descriptor(data.get(OPTIONS_LEN..)?, MAX_DEPTH)?.0,
        })
    }

    /// The partition that holds it: the device itself, or what its file lies on.
    #[must_use]
    pub fn partition(&self) -> Option<Partition> {
        let mut target = &self.target;
        loop {
            target = match target {
                Target::Partition(partition) => return Some(*partition),
                Target::File(FileDevice {
                    place: Some((on, _)),
                    ..
                }) => on,
                Target::Locate {
                    parent: Some(parent),
                    ..
                } => parent,
                _ => return None,
            };
        }
    }

    /// Whether it is a memory disk, as for Windows PE and the recovery environment.
    #[must_use]
    pub fn is_ram_disk(&self) -> bool {
        matches!(
            self.target,
            Target::File(FileDevice {
                file_use: FileUse::RamDisk,
                ..
            })
        )
    }
}

/// Reads the descriptor at the start of `data`; gives its length too.
fn descriptor(data: &[u8], depth: usize) -> Option<(Target, usize)> {
    let depth = depth.checked_sub(1)?;
    let device_type = u32_at(data, 0)?;
    let len = usize::try_from(u32_at(data, 8)?).ok()?;
    let whole = slice(data, 0, len)?;
    let body = whole.get(HEADER_LEN..)?;
    let known = match device_type {
        TYPE_BOOT => Some(Target::Boot),
        TYPE_PARTITION => partition(body),
        TYPE_LOCAL => local(body, depth),
        TYPE_LOCATE => locate(whole, body, depth),
        _ => None,
    };
    let target = known.unwrap_or(Target::Unknown { device_type, len });
    Some((target, len))
}

fn partition(body: &[u8]) -> Option<Target> {
    // A union of the partition's GUID and its offset, then the disk as a local device.
    let disk = body.get(16..)?;
    if u32_at(disk, 0)? != LOCAL_HARD_DISK {
        return None;
    }
    let partition = match u32_at(disk, 4)? {
        STYLE_GPT => Partition::Gpt {
            disk: array(disk, 8).map(Guid)?,
            partition: array(body, 0).map(Guid)?,
        },
        STYLE_MBR => Partition::Mbr {
            signature: u32_at(disk, 8)?,
            offset: u64_at(body, 0)?,
        },
        _ => return None,
    };
    Some(Target::Partition(partition))
}

fn local(body: &[u8], depth: usize) -> Option<Target> {
    let file_use = match u32_at(body, 0)? {
        LOCAL_RAM_DISK => FileUse::RamDisk,
        LOCAL_FILE => FileUse::Volume,
        LOCAL_VIRTUAL_DISK => FileUse::VirtualDisk,
        _ => return None,
    };
    // Stores at hand show the path of memory disks only, behind the fixed part; files may have
    // it right behind their kind.
    let place = [LOCAL_LEN, 4]
        .into_iter()
        .find_map(|at| path_on_device(body.get(at..)?, depth));
    Some(Target::File(FileDevice { file_use, place }))
}

fn path_on_device(data: &[u8], depth: usize) -> Option<(Box<Target>, String)> {
    let len = usize::try_from(u32_at(data, 4)?).ok()?;
    let path = slice(data, 0, len)?;
    if u32_at(path, 0)? != PATH_VERSION || u32_at(path, 8)? != PATH_ON_DEVICE {
        return None;
    }
    let on = path.get(PATH_HEADER_LEN..)?;
    let (target, len) = descriptor(on, depth)?;
    Some((Box::new(target), utf16::decode_to_nul(on.get(len..)?)?))
}

fn locate(whole: &[u8], body: &[u8], depth: usize) -> Option<Target> {
    let parent_at = usize::try_from(u32_at(body, 8)?).ok()?;
    let parent = if parent_at == 0 {
        None
    } else {
        Some(Box::new(descriptor(whole.get(parent_at..)?, depth)?.0))
    };
    let path = match u32_at(body, 0)? {
        LOCATE_ELEMENT => Located::Element(ElementId(u32_at(body, 4)?)),
        LOCATE_PATH => Located::Path(utf16::decode_to_nul(body.get(LOCATE_HEADER_LEN..)?)?),
        _ => return None,
    };
    Some(Target::Locate { path, parent })
}

#[cfg(test)]
mod tests;
