//! Why a container cannot be opened or written.

use std::fmt::Display;
use std::io;

/// Why a container was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// The system could not read or write.
    #[error("the image could not be read or written")]
    Io(#[from] io::Error),
    /// Too short to hold even one sector.
    #[error("the image has {len} bytes, less than one sector of 512")]
    TooShort {
        /// The length of the file, in bytes.
        len: u64,
    },
    /// A container of another kind.
    #[error("this is {format}: convert it first, with `qemu-img convert -O raw IN OUT`")]
    Foreign {
        /// What its signature says.
        format: &'static str,
    },
    /// Compressed, archived or encrypted as a whole.
    #[error(
        "this is {format}: unpack it first, and convert what it holds with \
         `qemu-img convert -O raw IN OUT` if that is neither raw, VHD nor VHDX"
    )]
    Packed {
        /// What its signature says.
        format: &'static str,
    },
    /// The file answers to two formats.
    #[error(
        "the file starts as a VHDX and ends as a fixed VHD: convert it first, with \
         `qemu-img convert -f vhdx -O raw IN OUT` or `qemu-img convert -f vpc -O raw IN OUT`, \
         whichever it really is"
    )]
    Ambiguous,
    /// The disk is only a difference to another one.
    #[error(
        "this is a differencing {format} of the parent {parent}: merge it into its parent first, \
         and give the merged disk"
    )]
    Differencing {
        /// `VHD` or `VHDX`.
        format: &'static str,
        /// Name or path of the parent, as the file has it.
        parent: String,
    },
    /// A structure breaks the rules of its format.
    #[error("{what} at offset {offset} is damaged: expected {expected}, found {found}")]
    Corrupt {
        /// The structure or field.
        what: &'static str,
        /// Byte offset in the file.
        offset: u64,
        /// What the format asks for.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Something that this program does not know.
    #[error("{what} at offset {offset} is not supported: {found}")]
    Unsupported {
        /// The structure or field.
        what: &'static str,
        /// Byte offset in the file.
        offset: u64,
        /// What is there.
        found: String,
    },
    /// The log of a VHDX should be replayed, but cannot be.
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
    /// Writing was asked for, but is not possible.
    #[error("the {format} cannot be written: {reason}")]
    Unwritable {
        /// `VHD` or `VHDX`.
        format: &'static str,
        /// What is in the way, and what to do.
        reason: String,
    },
}

impl ContainerError {
    /// A structure that breaks the rules.
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

    /// Something unknown.
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
