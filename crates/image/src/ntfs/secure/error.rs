//! What keeps security descriptors from being read or written.

use super::{FileSecurity, SecurityId};
use crate::ntfs::error::{Corruption, VolumeError};
use crate::ntfs::place::FileId;

/// Why a descriptor could not be read or set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityError {
    /// The volume could not be read or written, or the file has no sound record.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// A structure of `$Secure` does not hold what the format demands.
    #[error(
        "$Secure is damaged, {index} {part} at offset {offset}: expected {expected}, found \
         {actual}; nothing can be written before chkdsk /f has repaired it"
    )]
    Corrupt {
        /// `$SDS`, `$SII` or `$SDH`.
        index: &'static str,
        /// The attribute or the part of it.
        part: &'static str,
        /// Where in it, in bytes.
        offset: u64,
        /// What the format demands there.
        expected: String,
        /// What is there.
        actual: String,
    },
    /// No descriptor has this id.
    #[error("no security descriptor has the id {0}: chkdsk /f gives its files a new one")]
    UnknownId(SecurityId),
    /// The record of `$Secure` is full.
    #[error(
        "the record of $Secure has no room for a longer {index}: attach the disk to Windows or \
         mount it to set this descriptor"
    )]
    NoRoom {
        /// `$SDS`, `$SII` or `$SDH`.
        index: &'static str,
    },
    /// All ids have been given out.
    #[error("the volume has given out all ids of security descriptors")]
    IdsUsedUp,
    /// What was to be added is no descriptor as volumes hold them.
    #[error("no self-relative security descriptor of at most {max} bytes, but {actual}")]
    NotADescriptor {
        /// The longest one.
        max: u32,
        /// What it is instead.
        actual: String,
    },
    /// A descriptor of the file's own whose attribute is named by an attribute list.
    #[error(
        "file {0} has a security descriptor of its own, and its attributes are spread over several \
         records, which is not changed here: mount the volume to set it"
    )]
    OwnDescriptor(FileId),
    /// The record of the file has no room for an id.
    #[error(
        "file {0} has $STANDARD_INFORMATION as before NTFS 3.0, and its record has no room for a \
         security id: mount the volume to set its security descriptor"
    )]
    RecordFull(FileId),
    /// The file has another descriptor than was expected.
    #[error("file {file}: expected {expected}, found {actual}")]
    Changed {
        /// The file.
        file: FileId,
        /// What it should have had.
        expected: FileSecurity,
        /// What it has.
        actual: FileSecurity,
    },
    /// The same file was named twice.
    #[error("file {0} is to be changed twice at once")]
    Twice(FileId),
}

impl From<Corruption> for SecurityError {
    fn from(corruption: Corruption) -> Self {
        Self::Volume(corruption.into())
    }
}
