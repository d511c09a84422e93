//! The named streams of an open file.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::io::AsRawHandle;

use windows_sys::Wdk::Storage::FileSystem::{FILE_NON_DIRECTORY_FILE, FILE_OPEN, FILE_OPEN_IF};
use windows_sys::Win32::Foundation::{ERROR_HANDLE_EOF, ERROR_MORE_DATA};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_GENERIC_READ, FILE_GENERIC_WRITE, FileStreamInfo, GetFileInformationByHandleEx,
};

use super::open::{Opening, open_beneath};
use crate::details::MAX_STREAMS;

/// Room for the names of all streams, in words because the kernel aligns what it writes.
const WORDS: usize = MAX_STREAMS * (NAME / 2 + 256) / 2;
/// `FILE_STREAM_INFO`: in words of 32 bits, the start of the next entry (in bytes from this one, 0
/// in the last) and the length of the name in bytes; in UTF-16 units, the start of the name.
const NEXT_ENTRY: usize = 0;
const NAME_LEN: usize = 1;
const NAME: usize = 12;
/// The type at the end of the name of a stream of data.
const DATA: &str = ":$DATA";

/// The names of the named streams of data of an open file, without colons and type.
pub(crate) fn stream_names(file: &File) -> io::Result<Vec<String>> {
    // Entries contain numbers of 64 bits.
    let mut buffer = vec![0_u64; WORDS];
    // SAFETY: the kernel writes at most the length of a live buffer that is aligned as it wants;
    // `file` keeps its handle open.
    let done = unsafe {
        GetFileInformationByHandleEx(
            file.as_raw_handle(),
            FileStreamInfo,
            buffer.as_mut_ptr().cast(),
            size_of_val(buffer.as_slice()) as u32,
        )
    };
    if done == 0 {
        let error = io::Error::last_os_error();
        return match error.raw_os_error().map(i32::cast_unsigned) {
            // Not even the unnamed stream.
            Some(ERROR_HANDLE_EOF) => Ok(Vec::new()),
            Some(ERROR_MORE_DATA) => Err(crate::details::cannot("it has too many named streams")),
            _ => Err(error),
        };
    }
    let units: Vec<u16> = buffer
        .iter()
        .flat_map(|word| {
            let bytes = word.to_le_bytes();
            let (units, _) = bytes.as_chunks::<2>();
            [units.first(), units.get(1), units.get(2), units.get(3)]
                .map(|unit| unit.copied().map_or(0, u16::from_le_bytes))
        })
        .collect();
    let torn = || io::Error::new(io::ErrorKind::InvalidData, "a list that ends in an entry");
    let word = |at: usize| {
        let low = units.get(at).copied().map(usize::from)?;
        let high = units.get(at + 1).copied().map(usize::from)?;
        Some(high << 16 | low)
    };
    let mut names = Vec::new();
    let mut at = 0;
    loop {
        let len = word(at + NAME_LEN * 2).ok_or_else(torn)? / 2;
        let name = units.get(at + NAME..at + NAME + len).ok_or_else(torn)?;
        let name = OsString::from_wide(name).into_string();
        let name = name
            .map_err(|_| crate::details::cannot("the name of one of its streams is not Unicode"))?;
        let named = name
            .strip_prefix(':')
            .and_then(|name| name.strip_suffix(DATA));
        match named {
            Some("") => {}
            Some(name) => names.push(name.to_owned()),
            None => return Err(crate::details::cannot("it has a stream of an unknown type")),
        }
        match word(at + NEXT_ENTRY * 2).ok_or_else(torn)? {
            0 => return Ok(names),
            next => at += next / 2,
        }
    }
}

/// Opens a named stream of an open file, or creates it for writing.
pub(crate) fn open_stream(file: &File, name: &str, write: bool) -> io::Result<File> {
    let opening = Opening {
        access: if write {
            FILE_GENERIC_READ | FILE_GENERIC_WRITE
        } else {
            FILE_GENERIC_READ
        },
        disposition: if write { FILE_OPEN_IF } else { FILE_OPEN },
        options: FILE_NON_DIRECTORY_FILE,
        private: false,
    };
    open_beneath(file, OsStr::new(&format!(":{name}{DATA}")), &opening)
}
