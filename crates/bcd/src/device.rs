//! Device elements: the partition, disk or file that they name.
//!
//! Microsoft documents only the object model of devices. The layout here comes from existing
//! stores: the GUID of an object with options, then a descriptor (type, flags, size, a reserved
//! number), and data that depend on the type. Data beyond the known layout are never rewritten.

mod display;
mod encode;

use diskmend_base::Guid;
use diskmend_base::bytes::{array, slice, u32_at, u64_at};
use diskmend_base::utf16;

use crate::element_id::ElementId;

/// The length in bytes of the shortest device: a GUID and a descriptor without data.
pub(crate) const MIN_LEN: usize = OPTIONS_LEN + HEADER_LEN;

const OPTIONS_LEN: usize = 16;
/// Type, flags, size, reserved: 32 bits each.
const HEADER_LEN: usize = 16;
/// The maximum nesting depth of devices.
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

/// The kind of a local device, and 20 bytes that depend on the kind.
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
/// The method, the element's id, the parent's offset: 32 bits each.
const LOCATE_HEADER_LEN: usize = 12;

/// A device element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// An object with further options.
    pub options: Option<Guid>,
    /// The device that it names.
    pub target: Target,
}

/// What a device element can name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// The device from which the boot manager was started.
    Boot,
    /// A partition of a disk.
    Partition(Partition),
    /// A file on another device, with its use.
    File(FileDevice),
    /// The first device on which a path exists.
    Locate {
        /// The path.
        path: Located,
        /// The device to search; `None` means every device.
        parent: Option<Box<Target>>,
    },
    /// A device of an unknown type.
    Unknown {
        /// The descriptor's type.
        device_type: u32,
        /// Length of the descriptor in bytes.
        len: usize,
    },
}

/// A partition, identified in a way that works on any machine.
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
        /// The start of the partition in bytes.
        offset: u64,
    },
}

impl Partition {
    /// True if the other partition differs only in the disk.
    pub(crate) fn is_almost(self, other: Self) -> bool {
        match (self, other) {
            (Self::Gpt { partition: one, .. }, Self::Gpt { partition: two, .. }) => one == two,
            (Self::Mbr { offset: one, .. }, Self::Mbr { offset: two, .. }) => one == two,
            _ => false,
        }
    }
}

/// The use of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileUse {
    /// A memory disk is filled from the file.
    RamDisk,
    /// The file is a volume.
    Volume,
    /// The file is a virtual hard disk.
    VirtualDisk,
}

/// A device inside a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDevice {
    /// The use of the file.
    pub file_use: FileUse,
    /// The device that contains the file, and the file's path on it, if their layout is known.
    pub place: Option<(Box<Target>, String)>,
}

/// The path by which a device is located.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Located {
    /// The string in this element of this object.
    Element(ElementId),
    /// This path.
    Path(String),
}

impl Device {
    /// Parses the data of a device element; `None` if they contain no descriptor.
    #[must_use]
    pub fn decode(data: &[u8]) -> Option<Self> {
        Some(Self {
            options: array(data, 0).map(Guid)?.non_nil(),
            target: descriptor(data.get(OPTIONS_LEN..)?, MAX_DEPTH)?.0,
        })
    }

    /// The partition of the device: the device itself, or the partition that contains its file.
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

    /// True for a memory disk, as used by Windows PE and the recovery environment.
    #[must_use]
    pub(crate) fn is_ram_disk(&self) -> bool {
        matches!(
            self.target,
            Target::File(FileDevice {
                file_use: FileUse::RamDisk,
                ..
            })
        )
    }
}

/// Parses the descriptor at the start of `data`; also returns its length.
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
    // A union of the partition's GUID and its offset, then the disk in the layout of a local
    // device.
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
    // Available stores contain paths only of memory disks, after the fixed part; files may have the
    // path directly after their kind.
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
