//! The reasons why security descriptors can't be read or written.

use super::SecurityId;
use crate::ntfs::error::{Corruption, VolumeError};
use crate::ntfs::place::FileId;

/// The reason why a descriptor could not be read or set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityError {
    /// The volume could not be read or written, or the file has no sound record.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// A structure of `$Secure` violates the format.
    #[error(
        "$Secure is damaged, {index} {part} at offset {offset}: expected {expected}, found \
         {actual}; nothing can be written before chkdsk /f has repaired it"
    )]
    Corrupt {
        /// `$SDS`, `$SII` or `$SDH`.
        index: &'static str,
        /// The attribute, or a part of it.
        part: &'static str,
        /// The offset in it, in bytes.
        offset: u64,
        /// What the format requires.
        expected: String,
        /// What was found.
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
    /// All ids are used up.
    #[error("the volume has given out all ids of security descriptors")]
    IdsUsedUp,
    /// The descriptor to be added is not one that a volume can store.
    #[error("no self-relative security descriptor of at most {max} bytes, but {actual}")]
    NotADescriptor {
        /// The maximum length.
        max: u32,
        /// What it is.
        actual: String,
    },
    /// The file has its own descriptor, and an attribute list names its attribute.
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
    /// The file was named twice.
    #[error("file {0} is to be changed twice at once")]
    Twice(FileId),
}

impl From<Corruption> for SecurityError {
    fn from(corruption: Corruption) -> Self {
        Self::Volume(corruption.into())
    }
}
