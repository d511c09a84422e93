//! Opens one name beneath an open folder.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_OPEN_FOR_BACKUP_INTENT, FILE_OPEN_REPARSE_POINT, FILE_SYNCHRONOUS_IO_NONALERT,
    NtCreateFile,
};
use windows_sys::Win32::Foundation::{ERROR_INVALID_OWNER, OBJ_CASE_INSENSITIVE, UNICODE_STRING};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_NORMAL, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_WRITE_DATA,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::status::check;
use crate::security::PRIVATE_FOLDER;

/// Callers that only read or query allow all other access meanwhile.
const SHARE: u32 = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
/// Nobody else may write a file that is open for writing.
const SHARE_OF_WRITER: u32 = FILE_SHARE_READ | FILE_SHARE_DELETE;

/// How a name is opened, in the numbers of `NtCreateFile`.
#[derive(Debug)]
pub(crate) struct Opening {
    /// The access rights of the handle; they must include `SYNCHRONIZE`.
    pub(crate) access: u32,
    /// Whether the name must exist or is created.
    pub(crate) disposition: u32,
    /// The required kind of the object, and other options.
    pub(crate) options: u32,
    /// True if what is created is accessible only to the system and administrators, with everything
    /// that it will contain; otherwise it inherits from its folder.
    pub(crate) private: bool,
}

/// Opens a name in a folder, never the target of a link: the caller must recognise a link by its
/// attributes.
pub(crate) fn open_beneath(folder: &File, name: &OsStr, how: &Opening) -> io::Result<File> {
    // To the system, an empty name means the folder itself.
    if name.is_empty() {
        return Err(io::ErrorKind::InvalidFilename.into());
    }
    match open(folder, name, how, &PRIVATE_FOLDER) {
        // Users who are not administrators can't make administrators the owner, and own it
        // themselves.
        Err(error)
            if how.private && error.raw_os_error() == Some(ERROR_INVALID_OWNER.cast_signed()) =>
        {
            let mut own = PRIVATE_FOLDER;
            let [_, owner, group, ..] = &mut own;
            (*owner, *group) = (0, 0);
            open(folder, name, how, &own)
        }
        opened => opened,
    }
}

/// Opens an open file or folder again, with other rights.
pub(crate) fn reopen(object: &File, how: &Opening) -> io::Result<File> {
    open(object, OsStr::new(""), how, &PRIVATE_FOLDER)
}

/// Opens a name, or the folder itself if the name is empty. An object that is created for the
/// system and administrators only gets this descriptor.
fn open(
    folder: &File,
    name: &OsStr,
    how: &Opening,
    descriptor: &[u32; PRIVATE_FOLDER.len()],
) -> io::Result<File> {
    let mut units: Vec<u16> = name.encode_wide().collect();
    let name = unicode_string(&mut units)?;
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: folder.as_raw_handle(),
        ObjectName: &raw const name,
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: if how.private {
            descriptor.as_ptr().cast()
        } else {
            ptr::null()
        },
        SecurityQualityOfService: ptr::null(),
    };
    let always =
        FILE_OPEN_REPARSE_POINT | FILE_OPEN_FOR_BACKUP_INTENT | FILE_SYNCHRONOUS_IO_NONALERT;
    let share = match how.access & FILE_WRITE_DATA {
        0 => SHARE,
        _ => SHARE_OF_WRITER,
    };
    let mut handle = ptr::null_mut();
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: all pointers are to variables of this function or its caller's, or null where that is
    // allowed; the name lives as long as `units`; `folder` keeps its handle open.
    let status = unsafe {
        NtCreateFile(
            &raw mut handle,
            how.access,
            &raw const attributes,
            &raw mut block,
            ptr::null(),
            FILE_ATTRIBUTE_NORMAL,
            share,
            how.disposition,
            how.options | always,
            ptr::null(),
            0,
        )
    };
    check(status)?;
    // SAFETY: the call has succeeded, so that this is an open handle that nobody else owns.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) }.into())
}

/// A name as the kernel takes it; valid as long as `units`.
pub(super) fn unicode_string(units: &mut [u16]) -> io::Result<UNICODE_STRING> {
    let len = u16::try_from(size_of_val(units)).map_err(|_| io::ErrorKind::InvalidFilename)?;
    Ok(UNICODE_STRING {
        Length: len,
        MaximumLength: len,
        Buffer: units.as_mut_ptr(),
    })
}
