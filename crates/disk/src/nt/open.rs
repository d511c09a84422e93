//! Opening one name beneath an open folder.

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
use windows_sys::Win32::Foundation::{OBJ_CASE_INSENSITIVE, UNICODE_STRING};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_NORMAL, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_WRITE_DATA,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::status::check;

/// Who only reads, or looks, disturbs nobody.
const SHARE: u32 = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
/// Nobody else may write what is open for writing.
const SHARE_OF_WRITER: u32 = FILE_SHARE_READ | FILE_SHARE_DELETE;

/// How a name is opened, in the numbers of `NtCreateFile`.
#[derive(Debug)]
pub(crate) struct Opening {
    /// What the handle may be used for; `SYNCHRONIZE` must be among it.
    pub(crate) access: u32,
    /// Whether the name must exist.
    pub(crate) disposition: u32,
    /// What it must be.
    pub(crate) options: u32,
    /// Whether what is created is for the system and administrators only, with all that it will
    /// hold; otherwise it gets what its folder passes on.
    pub(crate) private: bool,
}

/// `D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)`, self-relative (MS-DTYP 2.4.6), as little-endian words.
const PRIVATE: [u32; 18] = [
    0x9004_0001, // revision 1; self-relative, a DACL, protected
    0,
    0,
    0,
    20,          // where the DACL begins
    0x0034_0002, // its revision, and length
    2,           // entries
    0x0014_0300, // an entry that allows, is passed on to folders and files
    0x001F_01FF,
    0x0000_0101, // S-1-5-18
    0x0500_0000,
    18,
    0x0018_0300, // the other
    0x001F_01FF,
    0x0000_0201, // S-1-5-32-544
    0x0500_0000,
    32,
    544,
];

/// Opens a name in a folder, never what a link of that name points to: that is for the caller to
/// recognise by the attributes. An empty name is the folder itself.
pub(crate) fn open_beneath(folder: &File, name: &OsStr, how: &Opening) -> io::Result<File> {
    let mut units: Vec<u16> = name.encode_wide().collect();
    let name = unicode_string(&mut units)?;
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: folder.as_raw_handle(),
        ObjectName: &raw const name,
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: match how.private {
            true => PRIVATE.as_ptr().cast(),
            false => ptr::null(),
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
    // SAFETY: all pointers are to variables of this function or to a constant, or null where that is
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

/// The form in which the kernel takes names; it lives as long as `units`.
pub(super) fn unicode_string(units: &mut [u16]) -> io::Result<UNICODE_STRING> {
    let len = u16::try_from(size_of_val(units)).map_err(|_| io::ErrorKind::InvalidFilename)?;
    Ok(UNICODE_STRING {
        Length: len,
        MaximumLength: len,
        Buffer: units.as_mut_ptr(),
    })
}

#[cfg(test)]
mod tests {
    use super::PRIVATE;

    #[test]
    fn the_descriptor_of_private_folders_is_whole() {
        let bytes: Vec<u8> = PRIVATE.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert!(crate::security::is_whole(&bytes));
        let len = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        assert_eq!(
            20 + len(22),
            bytes.len(),
            "the DACL is all that follows the header"
        );
        assert_eq!(8 + len(30) + len(50), len(22), "its entries fill it");
    }
}
