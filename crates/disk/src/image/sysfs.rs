//! Block devices as `/sys` describes them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Major and minor number of a device.
pub(crate) type Number = (u32, u32);

/// Attributes in sysfs have at most one page; no list of devices is that long on any machine.
const MAX_LEN: usize = 4096;
const MAX_DEVICES: usize = 1 << 16;

/// The folders of all block devices that are not partitions.
pub(crate) fn devices() -> io::Result<Vec<PathBuf>> {
    let listed = match fs::read_dir("/sys/block") {
        Ok(listed) => listed,
        // Without sysfs nothing is known.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut devices = Vec::new();
    for entry in listed.take(MAX_DEVICES) {
        devices.push(entry?.path());
    }
    Ok(devices)
}

/// An attribute without the line end; `None` if the device has no attribute of this name now.
pub(crate) fn attribute(device: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    let bytes = match fs::read(device.join(name)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // The device disappeared while it was read.
        Err(error) if error.raw_os_error() == Some(NO_DEVICE) => return Ok(None),
        Err(error) => return Err(error),
    };
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    Ok((bytes.len() <= MAX_LEN).then(|| bytes.to_vec()))
}

/// `ENODEV`.
const NO_DEVICE: i32 = 19;

/// The device number of a device's folder.
pub(crate) fn number(device: &Path) -> io::Result<Option<Number>> {
    let text = attribute(device, "dev")?;
    let text = text.as_deref().and_then(|text| str::from_utf8(text).ok());
    Ok(text.and_then(parse))
}

/// The disk of a partition; the device itself if it is not a partition.
pub(crate) fn whole(device: Number) -> io::Result<Number> {
    let (major, minor) = device;
    let folder = format!("/sys/dev/block/{major}:{minor}");
    let folder = Path::new(&folder);
    if attribute(folder, "partition")?.is_none() {
        return Ok(device);
    }
    // By the link's target: the parent folder is that of the disk.
    let folder = fs::canonicalize(folder)?;
    let disk = folder.parent().map(number).transpose()?.flatten();
    Ok(disk.unwrap_or(device))
}

/// A device number as the kernel writes it: `8:17`.
pub(crate) fn parse(text: &str) -> Option<Number> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
