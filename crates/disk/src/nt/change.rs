//! Renames and removes open files.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::AsRawHandle;

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_BASIC_INFORMATION, FILE_DISPOSITION_DELETE, FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE,
    FILE_DISPOSITION_INFORMATION, FILE_DISPOSITION_INFORMATION_EX,
    FILE_DISPOSITION_POSIX_SEMANTICS, FILE_INFORMATION_CLASS, FILE_RENAME_POSIX_SEMANTICS,
    FILE_RENAME_REPLACE_IF_EXISTS, FileBasicInformation, FileDispositionInformation,
    FileDispositionInformationEx, FileRenameInformation, FileRenameInformationEx,
    NtSetInformationFile,
};
use windows_sys::Win32::Foundation::{
    HANDLE, NTSTATUS, STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_INFO_CLASS,
    STATUS_INVALID_PARAMETER, STATUS_NOT_IMPLEMENTED, STATUS_NOT_SUPPORTED,
};
use windows_sys::Win32::Storage::FileSystem::FILE_ATTRIBUTE_NORMAL;
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::status::check;
use crate::details::Times;

/// The answers by which file systems say that they do not know the newer form of a request.
const UNKNOWN: [NTSTATUS; 5] = [
    STATUS_INVALID_DEVICE_REQUEST,
    STATUS_INVALID_INFO_CLASS,
    STATUS_INVALID_PARAMETER,
    STATUS_NOT_IMPLEMENTED,
    STATUS_NOT_SUPPORTED,
];

/// The maximum length of a file's name, in UTF-16 units.
const MAX_NAME: usize = 255;

/// `FILE_RENAME_INFORMATION` with room for a name.
#[repr(C)]
struct Rename {
    /// The older form uses only the first byte, as a boolean.
    flags: u32,
    root_directory: HANDLE,
    /// In bytes.
    file_name_len: u32,
    file_name: [u16; MAX_NAME],
}

/// Removes the name under which `file` was opened: at once if the file system can do that,
/// otherwise when its last handle is closed.
pub(crate) fn delete(file: &File) -> io::Result<()> {
    let at_once = FILE_DISPOSITION_INFORMATION_EX {
        Flags: FILE_DISPOSITION_DELETE
            | FILE_DISPOSITION_POSIX_SEMANTICS
            | FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE,
    };
    let status = set(file, FileDispositionInformationEx, &at_once);
    if !UNKNOWN.contains(&status) {
        return check(status);
    }
    let later = FILE_DISPOSITION_INFORMATION { DeleteFile: true };
    check(set(file, FileDispositionInformation, &later))
}

/// Renames `file` to `name` in `folder`. A file that has this name is replaced, or is an error.
pub(crate) fn rename(file: &File, folder: &File, name: &OsStr, replace: bool) -> io::Result<()> {
    let replacing = if replace {
        FILE_RENAME_REPLACE_IF_EXISTS
    } else {
        0
    };
    let mut rename = Rename {
        flags: replacing | FILE_RENAME_POSIX_SEMANTICS,
        root_directory: folder.as_raw_handle(),
        file_name_len: 0,
        file_name: [0; MAX_NAME],
    };
    let mut units = name.encode_wide();
    for (unit, to) in units.by_ref().zip(&mut rename.file_name) {
        *to = unit;
        rename.file_name_len += size_of::<u16>() as u32;
    }
    if units.next().is_some() || name.encode_wide().count() > MAX_NAME {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    let status = set(file, FileRenameInformationEx, &rename);
    if !UNKNOWN.contains(&status) {
        return check(status);
    }
    rename.flags = replacing;
    check(set(file, FileRenameInformation, &rename))
}

/// Sets the DOS attributes of `file`.
pub(crate) fn set_attributes(file: &File, attributes: u32) -> io::Result<()> {
    // Times of zero mean no change, and attributes of zero would too.
    let basic = FILE_BASIC_INFORMATION {
        FileAttributes: match attributes {
            0 => FILE_ATTRIBUTE_NORMAL,
            attributes => attributes,
        },
        ..FILE_BASIC_INFORMATION::default()
    };
    check(set(file, FileBasicInformation, &basic))
}

/// Sets the attributes and times of `file`. A time of 0 stays as it is.
pub(crate) fn set_basic(file: &File, attributes: u32, times: &Times) -> io::Result<()> {
    let number = |time: u64| i64::try_from(time).map_err(|_| io::ErrorKind::InvalidInput);
    let basic = FILE_BASIC_INFORMATION {
        CreationTime: number(times.creation.unwrap_or(0))?,
        LastAccessTime: number(times.access)?,
        LastWriteTime: number(times.modification)?,
        ChangeTime: number(times.change.unwrap_or(0))?,
        FileAttributes: match attributes {
            0 => FILE_ATTRIBUTE_NORMAL,
            attributes => attributes,
        },
    };
    check(set(file, FileBasicInformation, &basic))
}

/// Requests a change; `information` must have the type that the class requires, and contain no
/// pointers.
fn set<T>(file: &File, class: FILE_INFORMATION_CLASS, information: &T) -> NTSTATUS {
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: the kernel reads `size_of::<T>()` bytes of a live value, and writes the block only;
    // `file` keeps its handle open.
    unsafe {
        NtSetInformationFile(
            file.as_raw_handle(),
            &raw mut block,
            std::ptr::from_ref(information).cast(),
            size_of::<T>() as u32,
            class,
        )
    }
}
