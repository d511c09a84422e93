//! Queries the kernel about an open file or folder, and about its volume.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::io::AsRawHandle;
use std::path::PathBuf;

use windows_sys::Wdk::Storage::FileSystem::{
    FS_INFORMATION_CLASS, FileFsAttributeInformation, FileFsFullSizeInformation,
    NtQueryVolumeInformationFile,
};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT,
    FILE_BASIC_INFO, FILE_STANDARD_INFO, FILE_TYPE, FILE_TYPE_DISK, FileBasicInfo,
    FileStandardInfo, GETFINALPATHNAMEBYHANDLE_FLAGS, GetFileInformationByHandle,
    GetFileInformationByHandleEx, GetFileType, GetFinalPathNameByHandleW, VOLUME_NAME_GUID,
    VOLUME_NAME_NT,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
use windows_sys::Win32::System::SystemInformation::GetSystemWindowsDirectoryW;
use windows_sys::Win32::System::SystemServices::{
    FILE_NAMED_STREAMS, FILE_PERSISTENT_ACLS, FILE_READ_ONLY_VOLUME,
};

use super::status::check;
use crate::details::Times;
use crate::metadata::{Identity, Kind, Metadata};

/// The maximum length of a kernel path, in UTF-16 units.
const MAX_PATH: usize = 1 << 15;
/// The maximum length of the name of a file system, in UTF-16 units.
const MAX_FILE_SYSTEM_NAME: usize = 64;

/// Bytes of `FILE_STANDARD_INFO`.
const STANDARD_INFO_LEN: u32 = size_of::<FILE_STANDARD_INFO>() as u32;

/// `FILE_FS_FULL_SIZE_INFORMATION`.
#[repr(C)]
#[derive(Default)]
struct FullSize {
    total_units: i64,
    caller_available_units: i64,
    actual_available_units: i64,
    sectors_per_unit: u32,
    bytes_per_sector: u32,
}

/// `FILE_FS_ATTRIBUTE_INFORMATION` with room for the name.
#[repr(C)]
struct Attributes {
    file_system_attributes: u32,
    maximum_component_name_len: i32,
    file_system_name_len: u32,
    file_system_name: [u16; MAX_FILE_SYSTEM_NAME],
}

/// The metadata of an open file.
///
/// Every reparse point counts as a link: the file system leads from it to something else.
pub(crate) fn metadata(file: &File) -> io::Result<Metadata> {
    let (found, file_type) = information(file)?;
    let has = |attribute| found.dwFileAttributes & attribute != 0;
    Ok(Metadata {
        kind: match file_type {
            FILE_TYPE_DISK if has(FILE_ATTRIBUTE_REPARSE_POINT) => Kind::Link,
            FILE_TYPE_DISK if has(FILE_ATTRIBUTE_DIRECTORY) => Kind::Folder,
            FILE_TYPE_DISK => Kind::File,
            _ => Kind::Other,
        },
        len: whole(found.nFileSizeHigh, found.nFileSizeLow),
        identity: Identity {
            device: found.dwVolumeSerialNumber.into(),
            inode: whole(found.nFileIndexHigh, found.nFileIndexLow),
        },
        links: found.nNumberOfLinks.into(),
    })
}

/// The DOS attributes of the open file.
pub(crate) fn dos_attributes(file: &File) -> io::Result<u32> {
    Ok(information(file)?.0.dwFileAttributes)
}

/// The attributes and times of the open file.
pub(crate) fn basic(file: &File) -> io::Result<(u32, Times)> {
    let mut found = FILE_BASIC_INFO::default();
    // SAFETY: the structure lives in this function and is made of numbers; its length is told.
    let done = unsafe {
        GetFileInformationByHandleEx(
            file.as_raw_handle(),
            FileBasicInfo,
            (&raw mut found).cast(),
            size_of::<FILE_BASIC_INFO>() as u32,
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    let number = |time: i64| u64::try_from(time).map_err(|_| io::ErrorKind::InvalidData);
    let times = Times {
        creation: Some(number(found.CreationTime)?),
        modification: number(found.LastWriteTime)?,
        access: number(found.LastAccessTime)?,
        change: Some(number(found.ChangeTime)?),
    };
    Ok((found.FileAttributes, times))
}

fn information(file: &File) -> io::Result<(BY_HANDLE_FILE_INFORMATION, FILE_TYPE)> {
    let mut found = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the structure lives in this function; `file` keeps its handle open.
    let (done, file_type) = unsafe {
        let handle = file.as_raw_handle();
        let done = GetFileInformationByHandle(handle, &raw mut found);
        (done, GetFileType(handle))
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((found, file_type))
}

/// The number of bytes that the volume has allocated for the open file.
pub(crate) fn stored_bytes(file: &File) -> io::Result<u64> {
    let mut found = FILE_STANDARD_INFO::default();
    // SAFETY: the structure lives in this function and is made of numbers; its length is told.
    let done = unsafe {
        GetFileInformationByHandleEx(
            file.as_raw_handle(),
            FileStandardInfo,
            (&raw mut found).cast(),
            STANDARD_INFO_LEN,
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    u64::try_from(found.AllocationSize).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// The number of bytes that the caller may still write to the volume of the open file.
pub(crate) fn free_bytes(file: &File) -> io::Result<u64> {
    Ok(space(file)?.1)
}

/// The length of the volume of the open file in bytes, and the number of bytes that the caller may
/// still write to it.
pub(crate) fn space(file: &File) -> io::Result<(u64, u64)> {
    let mut size = FullSize::default();
    // SAFETY: it is made of numbers.
    unsafe { ask_volume(file, FileFsFullSizeInformation, &mut size) }?;
    let unit = u64::from(size.sectors_per_unit).saturating_mul(size.bytes_per_sector.into());
    let bytes = |units: i64| {
        let units = u64::try_from(units);
        let units = units.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok::<_, io::Error>(units.saturating_mul(unit))
    };
    Ok((
        bytes(size.total_units)?,
        bytes(size.caller_available_units)?,
    ))
}

/// True if the volume of the open file can't be written.
pub(crate) fn is_read_only(file: &File) -> io::Result<bool> {
    Ok(attributes(file)? & FILE_READ_ONLY_VOLUME != 0)
}

/// True if files on the volume of the open file can have named streams.
pub(crate) fn keeps_streams(file: &File) -> io::Result<bool> {
    Ok(attributes(file)? & FILE_NAMED_STREAMS != 0)
}

/// True if the volume of the open file stores security descriptors.
pub(crate) fn keeps_security(file: &File) -> io::Result<bool> {
    Ok(attributes(file)? & FILE_PERSISTENT_ACLS != 0)
}

fn attributes(file: &File) -> io::Result<u32> {
    let mut attributes = Attributes {
        file_system_attributes: 0,
        maximum_component_name_len: 0,
        file_system_name_len: 0,
        file_system_name: [0; MAX_FILE_SYSTEM_NAME],
    };
    // SAFETY: it is made of numbers.
    unsafe { ask_volume(file, FileFsAttributeInformation, &mut attributes) }?;
    Ok(attributes.file_system_attributes)
}

/// The path of an open file from the device of its volume on, which needs no drive letter and does
/// not depend on the path by which the file was opened.
pub(crate) fn volume_path(file: &File) -> io::Result<OsString> {
    final_path(file, VOLUME_NAME_NT)
}

/// The path of an open file from the name of its volume on, in a form that programs can open.
pub(crate) fn path_by_guid(file: &File) -> io::Result<OsString> {
    final_path(file, VOLUME_NAME_GUID)
}

fn final_path(file: &File, form: GETFINALPATHNAMEBYHANDLE_FLAGS) -> io::Result<OsString> {
    let mut path = vec![0; MAX_PATH];
    // SAFETY: the kernel writes at most `MAX_PATH` units to a live buffer of so many; `file` keeps
    // its handle open.
    let len = unsafe {
        let handle = file.as_raw_handle();
        GetFinalPathNameByHandleW(handle, path.as_mut_ptr(), MAX_PATH as u32, form)
    };
    text(&path, len)
}

/// The root of the volume of the running Windows.
pub(crate) fn system_root() -> io::Result<PathBuf> {
    let mut path = vec![0; MAX_PATH];
    // SAFETY: the kernel writes at most `MAX_PATH` units to a live buffer of so many.
    let len = unsafe { GetSystemWindowsDirectoryW(path.as_mut_ptr(), MAX_PATH as u32) };
    let windows = PathBuf::from(text(&path, len)?);
    let root = windows.ancestors().last().unwrap_or(&windows);
    Ok(root.to_owned())
}

/// The result of a call that returns the length of what it wrote, or the length that it needs.
fn text(units: &[u16], len: u32) -> io::Result<OsString> {
    match units.get(..len as usize) {
        Some([]) => Err(io::Error::last_os_error()),
        Some(units) => Ok(OsString::from_wide(units)),
        None => Err(io::ErrorKind::InvalidFilename.into()),
    }
}

/// Queries a volume.
///
/// # Safety
/// Every content of a `T` must be valid.
unsafe fn ask_volume<T>(
    file: &File,
    class: FS_INFORMATION_CLASS,
    answer: &mut T,
) -> io::Result<()> {
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: the kernel writes at most `size_of::<T>()` bytes to a live value, for which the
    // caller vouches; `file` keeps its handle open.
    let status = unsafe {
        NtQueryVolumeInformationFile(
            file.as_raw_handle(),
            &raw mut block,
            std::ptr::from_mut(answer).cast(),
            size_of::<T>() as u32,
            class,
        )
    };
    check(status)
}

fn whole(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}
