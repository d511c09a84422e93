//! What can be wrong with a FAT volume, with the place, what was expected and what was found.

use std::io;

/// Why a FAT volume can't be read, or must not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FatError {
    /// The device could not be read or written.
    #[error("the FAT volume could not be read or written")]
    Io(#[from] io::Error),
    /// A structure does not hold what the format demands.
    #[error("{what} at offset {offset}: expected {expected}, found {actual}")]
    Corrupt {
        /// The structure or field, in the format's terms.
        what: &'static str,
        /// Offset in the volume in bytes.
        offset: u64,
        /// What the format demands there.
        expected: &'static str,
        /// What is there.
        actual: String,
    },
    /// The volume is longer than what holds it.
    #[error(
        "the FAT volume has {volume} bytes, but its partition only {device}; the image is cut \
         short or the table is wrong"
    )]
    Outside {
        /// Length that the boot sector gives, in bytes.
        volume: u64,
        /// The length of the device in bytes.
        device: u64,
    },
    /// The volume was not closed, or errors were seen on it.
    #[error("the FAT volume is marked as {mark}; run chkdsk on it first")]
    Marked {
        /// What it is marked as.
        mark: &'static str,
    },
    /// The copies of the FAT are not equal.
    #[error(
        "the two copies of the file allocation table differ at offset {offset}; run chkdsk on the \
         volume first"
    )]
    CopiesDiffer {
        /// Offset in the volume where the first copy has the differing block, in bytes.
        offset: u64,
    },
    /// Some file or folder is damaged, or shares clusters with another.
    #[error("the FAT volume is damaged and must not be written; run chkdsk on it first")]
    Damaged {
        /// The damage.
        #[source]
        source: Box<FatError>,
    },
    /// Something valid that is not written here.
    #[error("{what} is not supported for writing")]
    Unsupported {
        /// What it is.
        what: &'static str,
    },
    /// The change would not have come out as asked for; nothing of it was written.
    #[error("the change to the FAT volume would leave {what}; nothing was written")]
    Unexpected {
        /// What would differ.
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
