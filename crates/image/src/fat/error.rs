//! The errors of a FAT volume, with the place, what was expected and what was found.

use std::io;

/// The reason why a FAT volume can't be read, or must not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FatError {
    /// The device could not be read or written.
    #[error("the FAT volume could not be read or written")]
    Io(#[from] io::Error),
    /// A structure violates the format.
    #[error("{what} at offset {offset}: expected {expected}, found {actual}")]
    Corrupt {
        /// The name of the structure or field in the format.
        what: &'static str,
        /// Offset in the volume in bytes.
        offset: u64,
        /// What the format requires.
        expected: &'static str,
        /// What was found.
        actual: String,
    },
    /// The volume is longer than its partition.
    #[error(
        "the FAT volume has {volume} bytes, but its partition only {device}; the image is cut \
         short or the table is wrong"
    )]
    Outside {
        /// The length in the boot sector, in bytes.
        volume: u64,
        /// The length of the device in bytes.
        device: u64,
    },
    /// The volume was not closed, or errors were found on it.
    #[error("the FAT volume is marked as {mark}; run chkdsk on it first")]
    Marked {
        /// The mark.
        mark: &'static str,
    },
    /// The copies of the FAT are not equal.
    #[error(
        "the two copies of the file allocation table differ at offset {offset}; run chkdsk on the \
         volume first"
    )]
    CopiesDiffer {
        /// The offset of the differing block in the first copy, in bytes in the volume.
        offset: u64,
    },
    /// A file or folder is damaged, or shares clusters with another.
    #[error("the FAT volume is damaged and must not be written; run chkdsk on it first")]
    Damaged {
        /// The damage.
        #[source]
        source: Box<FatError>,
    },
    /// A valid structure that can't be written here.
    #[error("{what} is not supported for writing")]
    Unsupported {
        /// The structure.
        what: &'static str,
    },
    /// The change would not have the requested result; nothing was written.
    #[error("the change to the FAT volume would leave {what}; nothing was written")]
    Unexpected {
        /// The wrong result.
        what: &'static str,
    },
}

impl From<FatError> for io::Error {
    fn from(error: FatError) -> Self {
        let kind = match error {
            FatError::Io(error) => return error,
            FatError::Corrupt { .. }
            | FatError::Outside { .. }
            | FatError::CopiesDiffer { .. }
            | FatError::Damaged { .. } => io::ErrorKind::InvalidData,
            FatError::Unsupported { .. } => io::ErrorKind::Unsupported,
            FatError::Marked { .. } => io::ErrorKind::ReadOnlyFilesystem,
            FatError::Unexpected { .. } => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
