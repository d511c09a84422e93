//! The reasons why a container can't be opened or written.

use std::fmt::Display;
use std::io;

/// The reason why a container was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// The system could not read or write.
    #[error("the image could not be read or written")]
    Io(#[from] io::Error),
    /// The file is too short for one sector.
    #[error("the image has {len} bytes, less than one sector of 512")]
    TooShort {
        /// The length of the file, in bytes.
        len: u64,
    },
    /// A container of another format.
    #[error("this is {format}: convert it first, with `qemu-img convert -O raw IN OUT`")]
    Foreign {
        /// The format according to its signature.
        format: &'static str,
    },
    /// The file is compressed, archived or encrypted as a whole.
    #[error(
        "this is {format}: unpack it first, and convert its content with \
         `qemu-img convert -O raw IN OUT` if that is neither raw, VHD nor VHDX"
    )]
    Packed {
        /// The format according to its signature.
        format: &'static str,
    },
    /// The file matches two formats.
    #[error(
        "the file starts as a VHDX and ends as a fixed VHD: convert it first, with \
         `qemu-img convert -f vhdx -O raw IN OUT` or `qemu-img convert -f vpc -O raw IN OUT`, \
         depending on which it really is"
    )]
    Ambiguous,
    /// The disk contains only the differences from another disk.
    #[error(
        "this is a differencing {format} of the parent {parent}: merge it into its parent first, \
         and use the merged disk"
    )]
    Differencing {
        /// `VHD` or `VHDX`.
        format: &'static str,
        /// The parent's name or path, as stored in the file.
        parent: String,
    },
    /// A structure violates its format.
    #[error("{what} at offset {offset} is damaged: expected {expected}, found {found}")]
    Corrupt {
        /// The structure or field.
        what: &'static str,
        /// Byte offset in the file.
        offset: u64,
        /// What the format requires.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A valid structure that this program does not support.
    #[error("{what} at offset {offset} is not supported: {found}")]
    Unsupported {
        /// The structure or field.
        what: &'static str,
        /// Byte offset in the file.
        offset: u64,
        /// What was found.
        found: String,
    },
    /// The log of a VHDX has to be replayed, but can't be.
    #[error(
        "the VHDX has changes in its log at offset {offset} that cannot be replayed: {reason}; \
         take a copy of the disk from before the failure, or let Hyper-V try to open it"
    )]
    Log {
        /// Byte offset in the file.
        offset: u64,
        /// The problem.
        reason: String,
    },
    /// Writing was requested, but is not possible.
    #[error("the {format} cannot be written: {reason}")]
    Unwritable {
        /// `VHD` or `VHDX`.
        format: &'static str,
        /// The reason, and what to do.
        reason: String,
    },
}

impl ContainerError {
    /// An error for a structure that violates its format.
    pub(super) fn corrupt(
        what: &'static str,
        offset: u64,
        expected: impl Display,
        found: impl Display,
    ) -> Self {
        Self::Corrupt {
            what,
            offset,
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    /// An error for an unsupported structure.
    pub(super) fn unsupported(what: &'static str, offset: u64, found: impl Display) -> Self {
        Self::Unsupported {
            what,
            offset,
            found: found.to_string(),
        }
    }
}

impl From<ContainerError> for io::Error {
    fn from(error: ContainerError) -> Self {
        match error {
            ContainerError::Io(error) => error,
            error @ ContainerError::Unwritable { .. } => Self::other(error),
            error => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}
