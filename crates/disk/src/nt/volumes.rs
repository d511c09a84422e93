//! The volumes of this machine, and the disks that contain them. Devices are opened without any
//! access, which requires no administrator and mounts nothing.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::Path;
use std::ptr;

use diskmend_base::Guid;
use diskmend_image::partition::PartitionId;
use windows_sys::Win32::Foundation::{
    ERROR_DEV_NOT_EXIST, ERROR_FILE_NOT_FOUND, ERROR_INVALID_FUNCTION, ERROR_NO_MEDIA_IN_DRIVE,
    ERROR_NO_MORE_FILES, ERROR_NOT_READY, ERROR_NOT_SUPPORTED, ERROR_PATH_NOT_FOUND, HANDLE,
    INVALID_HANDLE_VALUE, WIN32_ERROR,
};
use windows_sys::Win32::Storage::FileSystem::{
    FindFirstVolumeW, FindNextVolumeW, FindVolumeClose, IOCTL_VOLUME_GET_VOLUME_DISK_EXTENTS,
};
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::Win32::System::Ioctl::{
    DISK_ATTRIBUTE_OFFLINE, DISK_ATTRIBUTE_READ_ONLY, DISK_EXTENT, DISK_GEOMETRY,
    DRIVE_LAYOUT_INFORMATION_EX, FSCTL_IS_VOLUME_DIRTY, GET_DISK_ATTRIBUTES,
    GET_LENGTH_INFORMATION, IOCTL_DISK_GET_DISK_ATTRIBUTES, IOCTL_DISK_GET_DRIVE_GEOMETRY,
    IOCTL_DISK_GET_DRIVE_LAYOUT_EX, IOCTL_DISK_GET_LENGTH_INFO, PARTITION_INFORMATION_EX,
    PARTITION_STYLE_GPT, PARTITION_STYLE_MBR, VOLUME_IS_DIRTY,
};
use windows_sys::core::GUID;

use crate::disk_number::{DiskNumber, DiskState};

/// Room for the name of a volume, `\\?\Volume{...}\` with a zero, in UTF-16 units.
const MAX_NAME: usize = 64;
/// The maximum number of disk extents of one volume. A volume on a basic disk has one extent.
const MAX_EXTENTS: usize = 128;

/// The answers by which Windows says that there is no disk behind a device (a drive for CDs or
/// cards, a memory disk), or that the device is gone.
const NO_DISK: [WIN32_ERROR; 7] = [
    ERROR_DEV_NOT_EXIST,
    ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_FUNCTION,
    ERROR_NO_MEDIA_IN_DRIVE,
    ERROR_NOT_READY,
    ERROR_NOT_SUPPORTED,
    ERROR_PATH_NOT_FOUND,
];

/// The maximum number of partitions of a disk: Windows makes 128 at most.
const MAX_PARTITIONS: usize = 512;

/// `DRIVE_LAYOUT_INFORMATION_EX` with room for many entries.
#[repr(C)]
struct DriveLayout {
    head: DRIVE_LAYOUT_INFORMATION_EX,
    more: [PARTITION_INFORMATION_EX; MAX_PARTITIONS - 1],
}

/// `VOLUME_DISK_EXTENTS` with room for many entries.
#[repr(C)]
struct Extents {
    count: u32,
    extents: [DISK_EXTENT; MAX_EXTENTS],
}

/// A search for volumes, which ends when it is dropped.
struct Search(HANDLE);

impl Drop for Search {
    fn drop(&mut self) {
        // SAFETY: the handle is of a search that nobody else ends.
        unsafe { FindVolumeClose(self.0) };
    }
}

/// The paths of the roots of all volumes, `\\?\Volume{...}\`, with or without a drive letter.
pub(crate) fn volume_roots() -> io::Result<Vec<OsString>> {
    let mut name = [0; MAX_NAME];
    // SAFETY: at most `MAX_NAME` units are written to a live buffer of so many.
    let handle = unsafe { FindFirstVolumeW(name.as_mut_ptr(), MAX_NAME as u32) };
    if handle == INVALID_HANDLE_VALUE {
        return or_none(io::Error::last_os_error(), &[ERROR_NO_MORE_FILES]).map(|()| Vec::new());
    }
    let search = Search(handle);
    let mut roots = vec![text(&name)];
    loop {
        // SAFETY: as above; the search has not been ended.
        let more = unsafe { FindNextVolumeW(search.0, name.as_mut_ptr(), MAX_NAME as u32) };
        if more == 0 {
            or_none(io::Error::last_os_error(), &[ERROR_NO_MORE_FILES])?;
            return Ok(roots);
        }
        roots.push(text(&name));
    }
}

/// The disks that contain an extent of the volume with this device, which is the path of its root
/// without the backslash at the end. Empty if it is on no disk.
pub(crate) fn disks_of(device: &Path) -> io::Result<Vec<DiskNumber>> {
    let extents = extents_of(device)?.into_iter();
    Ok(extents.map(|(disk, _)| disk).collect())
}

/// The extents of that volume: disk, and offset on it in bytes.
pub(crate) fn extents_of(device: &Path) -> io::Result<Vec<(DiskNumber, u64)>> {
    let mut extents = Extents {
        count: 0,
        extents: [DISK_EXTENT::default(); MAX_EXTENTS],
    };
    let asked = open(device).and_then(|volume| {
        // SAFETY: it is made of numbers.
        unsafe { ask(&volume, IOCTL_VOLUME_GET_VOLUME_DISK_EXTENTS, &mut extents) }
    });
    if let Err(error) = asked {
        return or_none(error, &NO_DISK).map(|()| Vec::new());
    }
    let told = extents.extents.get(..extents.count as usize);
    let told = told.ok_or(io::ErrorKind::InvalidData)?;
    Ok(told
        .iter()
        .map(|extent| {
            let start = extent.StartingOffset.cast_unsigned();
            (DiskNumber(extent.DiskNumber), start)
        })
        .collect())
}

/// A partition as Windows describes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Laid {
    /// Its number, from 1 on.
    pub(crate) number: u32,
    /// Its start on the disk, in bytes.
    pub(crate) start: u64,
    pub(crate) id: PartitionId,
}

/// The partitions of a disk; `None` if there is no disk with this number, or it has no partition
/// table.
pub(crate) fn drive_layout(disk: DiskNumber) -> io::Result<Option<Vec<Laid>>> {
    // SAFETY: it is made of numbers, and zero is valid for each.
    let mut layout: DriveLayout = unsafe { std::mem::zeroed() };
    let asked = open(format!(r"\\.\PhysicalDrive{disk}").as_ref()).and_then(|disk| {
        // SAFETY: it is made of numbers.
        unsafe { ask(&disk, IOCTL_DISK_GET_DRIVE_LAYOUT_EX, &mut layout) }
    });
    if let Err(error) = asked {
        return or_none(error, &NO_DISK).map(|()| None);
    }
    let count = layout.head.PartitionCount as usize;
    let first = layout.head.PartitionEntry.iter();
    let entries = first.chain(&layout.more).take(count);
    if count > MAX_PARTITIONS {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut partitions = Vec::new();
    for entry in entries.filter(|entry| entry.PartitionNumber != 0) {
        let start = entry.StartingOffset.cast_unsigned();
        // SAFETY: the style says which part of each union was filled; both are made of numbers.
        let id = unsafe {
            match layout.head.PartitionStyle.cast_signed() {
                PARTITION_STYLE_GPT => PartitionId::Gpt {
                    disk: guid(&layout.head.Anonymous.Gpt.DiskId),
                    partition: guid(&entry.Anonymous.Gpt.PartitionId),
                },
                PARTITION_STYLE_MBR if layout.head.Anonymous.Mbr.Signature != 0 => {
                    PartitionId::Mbr {
                        signature: layout.head.Anonymous.Mbr.Signature,
                        offset: start,
                    }
                }
                _ => return Ok(None),
            }
        };
        partitions.push(Laid {
            number: entry.PartitionNumber,
            start,
            id,
        });
    }
    Ok(Some(partitions))
}

fn guid(guid: &GUID) -> Guid {
    Guid::new(guid.data1, guid.data2, guid.data3, guid.data4)
}

/// How Windows treats a disk; `None` if there is no disk with this number.
pub(crate) fn disk_state(disk: DiskNumber) -> io::Result<Option<DiskState>> {
    let mut found = GET_DISK_ATTRIBUTES::default();
    let asked = open(format!(r"\\.\PhysicalDrive{disk}").as_ref()).and_then(|disk| {
        // SAFETY: it is made of numbers.
        unsafe { ask(&disk, IOCTL_DISK_GET_DISK_ATTRIBUTES, &mut found) }
    });
    if let Err(error) = asked {
        return or_none(error, &NO_DISK).map(|()| None);
    }
    Ok(Some(DiskState {
        offline: found.Attributes & DISK_ATTRIBUTE_OFFLINE != 0,
        read_only: found.Attributes & DISK_ATTRIBUTE_READ_ONLY != 0,
    }))
}

/// True if the volume with this device is marked as dirty; `None` if its file system can't tell.
pub(crate) fn is_dirty(device: &Path) -> io::Result<Option<bool>> {
    let mut state = 0_u32;
    // If the volume is opened for queries only, its file system doesn't get them.
    let asked = OpenOptions::new()
        .read(true)
        .open(device)
        .and_then(|volume| {
            // SAFETY: it is a number.
            unsafe { ask(&volume, FSCTL_IS_VOLUME_DIRTY, &mut state) }
        });
    match asked {
        Ok(()) => Ok(Some(state & VOLUME_IS_DIRTY != 0)),
        Err(error) => or_none(error, &NO_DISK).map(|()| None),
    }
}

/// The length of an open disk, and of its sectors, in bytes.
pub(crate) fn disk_size(disk: &File) -> io::Result<(u64, usize)> {
    let mut length = GET_LENGTH_INFORMATION::default();
    // SAFETY: it is made of numbers.
    unsafe { ask(disk, IOCTL_DISK_GET_LENGTH_INFO, &mut length) }?;
    let mut geometry = DISK_GEOMETRY::default();
    // SAFETY: it is made of numbers.
    unsafe { ask(disk, IOCTL_DISK_GET_DRIVE_GEOMETRY, &mut geometry) }?;
    let odd = |_| io::Error::from(io::ErrorKind::InvalidData);
    let len = u64::try_from(length.Length).map_err(odd)?;
    let sector = usize::try_from(geometry.BytesPerSector).map_err(odd)?;
    Ok((len, sector))
}

/// Opens a device only for queries.
fn open(device: &Path) -> io::Result<File> {
    OpenOptions::new().access_mode(0).open(device)
}

/// Nothing, if the error means that there is nothing.
fn or_none(error: io::Error, none: &[WIN32_ERROR]) -> io::Result<()> {
    let code = error.raw_os_error().map(i32::cast_unsigned);
    if code.is_some_and(|code| none.contains(&code)) {
        Ok(())
    } else {
        Err(error)
    }
}

/// The text before the first zero.
fn text(units: &[u16]) -> OsString {
    let units = units.iter().copied().take_while(|unit| *unit != 0);
    OsString::from_wide(&units.collect::<Vec<_>>())
}

/// Queries a device, without parameters.
///
/// # Safety
/// Every content of a `T` must be valid.
unsafe fn ask<T>(device: &File, question: u32, answer: &mut T) -> io::Result<()> {
    let mut len = 0;
    // SAFETY: at most `size_of::<T>()` bytes are written to a live value, for which the caller
    // vouches; `device` keeps its handle open, and the handle is synchronous.
    let done = unsafe {
        DeviceIoControl(
            device.as_raw_handle(),
            question,
            ptr::null(),
            0,
            ptr::from_mut(answer).cast(),
            size_of::<T>() as u32,
            &raw mut len,
            ptr::null_mut(),
        )
    };
    match done {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_volume_has_a_name_of_its_own() {
        let roots = volume_roots().expect("volumes");
        assert!(!roots.is_empty());
        for root in &roots {
            let text = root.to_str().expect("plain");
            assert!(text.starts_with(r"\\?\Volume{") && text.ends_with(r"}\"));
            assert_eq!(roots.iter().filter(|other| *other == root).count(), 1);
        }
    }

    #[test]
    fn a_missing_device_is_on_no_disk() {
        let none = r"\\?\Volume{00000000-0000-0000-0000-000000000000}";
        assert_eq!(disks_of(none.as_ref()).expect("asked"), []);
        let none = disk_state(DiskNumber(9999)).expect("asked");
        assert!(none.is_none());
    }
}
