//! Lists the names in an open folder.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::os::windows::io::AsRawHandle;
use std::ptr;

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_DIRECTORY_FILE, FILE_OPEN, FileNamesInformation, NtQueryDirectoryFile,
};
use windows_sys::Win32::Foundation::{STATUS_NO_MORE_FILES, STATUS_NO_SUCH_FILE, UNICODE_STRING};
use windows_sys::Win32::Storage::FileSystem::{FILE_LIST_DIRECTORY, SYNCHRONIZE};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::open::{Opening, reopen, unicode_string};
use super::status::check;

/// Room for the names of one call: 64 KiB, in words because the kernel aligns what it writes.
const WORDS: usize = 1 << 14;

/// `FILE_NAMES_INFORMATION`: in words, the start of the next entry (in bytes from this one, 0 in
/// the last) and the length of the name in bytes; in UTF-16 units, the start of the name.
const NEXT_ENTRY: usize = 0;
const NAME_LEN: usize = 2;
const NAME: usize = 6;

/// The names of a folder, except those of the folder itself and of its parent.
struct Names {
    /// A separate handle, because the kernel stores the position in the listing with the handle.
    folder: File,
    filter: Option<Vec<u16>>,
    buffer: Vec<u32>,
    /// The next entry in the buffer, in words; `None` if there are no more.
    entry: Option<usize>,
    begun: bool,
    ended: bool,
}

/// The names in the folder as the system lists them; with a filter, only the names that the file
/// system accepts for it.
pub(crate) fn names(
    folder: &File,
    filter: Option<&OsStr>,
) -> io::Result<impl Iterator<Item = io::Result<OsString>> + use<>> {
    let opening = Opening {
        access: FILE_LIST_DIRECTORY | SYNCHRONIZE,
        disposition: FILE_OPEN,
        options: FILE_DIRECTORY_FILE,
        private: false,
    };
    let names = Names {
        folder: reopen(folder, &opening)?,
        filter: filter.map(|name| name.encode_wide().collect()),
        buffer: vec![0; WORDS],
        entry: None,
        begun: false,
        ended: false,
    };
    Ok(names.filter(|name| !matches!(name, Ok(name) if name == "." || name == "..")))
}

impl Iterator for Names {
    type Item = io::Result<OsString>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = match self.entry {
            Some(entry) => Ok(Some(entry)),
            None => self.fill(),
        };
        let name = match next {
            Ok(Some(entry)) => self.take(entry),
            Ok(None) => {
                self.ended = true;
                return None;
            }
            Err(error) => Err(error),
        };
        self.ended = name.is_err();
        Some(name)
    }
}

impl Names {
    /// Makes the kernel write the next entries; `None` if there are no more.
    fn fill(&mut self) -> io::Result<Option<usize>> {
        let filter = self.filter.as_deref_mut().map(unicode_string).transpose()?;
        let filter = match &filter {
            Some(filter) => ptr::from_ref::<UNICODE_STRING>(filter),
            None => ptr::null(),
        };
        let mut block = IO_STATUS_BLOCK::default();
        // SAFETY: the kernel writes at most the length of a live buffer that is aligned as it
        // wants; the filter lives in `self`, or is null; the handle is open and synchronous.
        let status = unsafe {
            NtQueryDirectoryFile(
                self.folder.as_raw_handle(),
                ptr::null_mut(),
                None,
                ptr::null(),
                &raw mut block,
                self.buffer.as_mut_ptr().cast(),
                size_of_val(self.buffer.as_slice()) as u32,
                FileNamesInformation,
                false,
                filter,
                !self.begun,
            )
        };
        if status == STATUS_NO_MORE_FILES || status == STATUS_NO_SUCH_FILE {
            return Ok(None);
        }
        check(status)?;
        self.begun = true;
        Ok(Some(0))
    }

    /// The name of the entry that starts there; the next entry is then the following one.
    fn take(&mut self, entry: usize) -> io::Result<OsString> {
        let word = |at: usize| self.buffer.get(entry + at).copied().ok_or_else(torn);
        let bytes = word(NAME_LEN)? as usize;
        let first = entry * 2 + NAME;
        let name: Option<Vec<u16>> = (first..first + bytes / 2).map(|at| self.unit(at)).collect();
        let next = match word(NEXT_ENTRY)? as usize {
            0 => None,
            bytes => Some(entry + bytes / size_of::<u32>()),
        };
        self.entry = next;
        Ok(OsString::from_wide(&name.ok_or_else(torn)?))
    }

    /// A UTF-16 unit of the buffer, by its number.
    fn unit(&self, at: usize) -> Option<u16> {
        let word = self.buffer.get(at / 2)?;
        let [a, b, c, d] = word.to_le_bytes();
        Some(u16::from_le_bytes(if at.is_multiple_of(2) {
            [a, b]
        } else {
            [c, d]
        }))
    }
}

fn torn() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "a listing that ends in an entry",
    )
}
