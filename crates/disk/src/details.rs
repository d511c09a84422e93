//! What a file has besides its name and its content, so that an equal file can be made later.

use std::io;

use crate::error::NotRegular;
use crate::metadata::{Kind, Metadata};

/// `FILE_ATTRIBUTE_*` bits that any file can be given: read-only, hidden, system, archive,
/// temporary, offline, not content-indexed.
pub(crate) const SETTABLE: u32 = 0x1 | 0x2 | 0x4 | 0x20 | 0x100 | 0x1000 | 0x2000;
/// `FILE_ATTRIBUTE_*` bits of files that are stored in a special way, with a word for each.
const SPECIAL: [(u32, &str); 4] = [
    (0x4000, "it is encrypted (EFS)"),
    (0x400, "it is a link or another reparse point"),
    (
        0x800,
        "it is compressed, and could only be restored uncompressed",
    ),
    (
        0x200,
        "it is sparse, and could only be restored without holes",
    ),
];
/// The greatest number of named streams of a file, and of bytes in each.
pub(crate) const MAX_STREAMS: usize = 64;
pub(crate) const MAX_STREAM: usize = 1 << 16;

/// What a file has besides its name and its content. What the file system doesn't store is `None`,
/// or empty.
///
/// Extended attributes (`$EA`) and object ids are not included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// `FILE_ATTRIBUTE_*` bits that can be set.
    pub attributes: Option<u32>,
    /// The file's times.
    pub times: Option<Times>,
    /// The permission bits of Unix, on a file system without Windows permissions.
    pub mode: Option<u32>,
    /// The bytes of the self-relative security descriptor.
    pub descriptor: Option<Vec<u8>>,
    /// The named streams.
    pub streams: Vec<NamedStream>,
}

/// The times of a file, as Windows counts them: in units of 100 nanoseconds since 1601.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When the file was created, if that can be read and set.
    pub creation: Option<u64>,
    /// When its content was last changed.
    pub modification: u64,
    /// When it was last read.
    pub access: u64,
    /// When anything of it was last changed, if that can be read and set.
    pub change: Option<u64>,
}

/// A named stream of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedStream {
    /// Its name, without a colon.
    pub name: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// The error for a file that can't be removed, renamed or restored.
pub(crate) fn cannot(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why)
}

/// Refuses anything but a regular file.
pub(crate) fn regular(metadata: &Metadata) -> io::Result<()> {
    match metadata.kind {
        Kind::File => Ok(()),
        kind => Err(NotRegular { kind }.into()),
    }
}

/// The attributes that an equal file can be given.
///
/// # Errors
/// If the file is stored in a way in which no equal file can be made.
pub(crate) fn settable(attributes: u32) -> io::Result<u32> {
    match SPECIAL.iter().find(|(bit, _)| attributes & bit != 0) {
        Some((_, why)) => Err(cannot(why)),
        None => Ok(attributes & SETTABLE),
    }
}

/// Refuses a file with more names than the one that it would get again.
pub(crate) fn only_name(names: u64) -> io::Result<()> {
    if names > 1 {
        return Err(cannot(&format!("it has {names} names (hard links)")));
    }
    Ok(())
}

/// Checks the number and length of a file's streams.
pub(crate) fn check_stream(count: usize, len: usize) -> io::Result<()> {
    if count > MAX_STREAMS || len > MAX_STREAM {
        return Err(cannot(&format!(
            "it has more than {MAX_STREAMS} named streams, or one of more than {MAX_STREAM} bytes"
        )));
    }
    Ok(())
}
