//! Displays devices. Windows's names for volumes exist only on a running Windows, so a partition is
//! displayed with its identifiers on the disk.

use std::fmt;

use super::{Device, FileUse, Located, Partition, TYPE_LEGACY_PARTITION, Target};

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.target.fmt(f)?;
        match self.options {
            Some(options) => write!(f, ",{options}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boot => f.write_str("boot"),
            Self::Partition(partition) => partition.fmt(f),
            Self::File(device) => {
                let name = match device.file_use {
                    FileUse::RamDisk => "ramdisk",
                    FileUse::Volume => "file",
                    FileUse::VirtualDisk => "vhd",
                };
                match &device.place {
                    Some((on, path)) => write!(f, "{name}=[{on}]{path}"),
                    None => write!(f, "{name}=unknown"),
                }
            }
            Self::Locate { path, parent } => {
                if let Some(parent) = parent {
                    write!(f, "{parent},")?;
                }
                match path {
                    Located::Element(id) => write!(f, "locate=custom:{id}"),
                    Located::Path(path) => write!(f, "locate={path}"),
                }
            }
            Self::Unknown { device_type, len } => match *device_type {
                TYPE_LEGACY_PARTITION => write!(f, "legacy partition ({len} bytes)"),
                _ => write!(f, "unknown device type {device_type} ({len} bytes)"),
            },
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gpt { disk, partition } => write!(f, "gpt disk {disk} partition {partition}"),
            Self::Mbr { signature, offset } => {
                write!(f, "mbr disk {signature:#010x} offset {offset:#x}")
            }
        }
    }
}
