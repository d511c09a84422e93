//! The reasons why a security descriptor isn't read or changed.

use std::io;

use crate::metadata::Kind;
use crate::nt_path::NtPath;

/// The reason why an object isn't changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The object is a symbolic link, a junction or another reparse point. It is neither followed
    /// nor changed.
    #[error("a link or reparse point, which is neither followed nor changed")]
    Link,
    /// Another volume is mounted on the folder.
    #[error("another volume is mounted here, which diskmend doesn't enter")]
    OtherVolume,
    /// The object is a device, FIFO or socket.
    #[error("a device, FIFO or socket")]
    Special,
    /// The file has other names, which may be anywhere on the volume. Whoever opens the file there
    /// would be affected by the change. A folder has one name, but a forged record may hold more.
    #[error("it has {names} names (hard links), and the others may be elsewhere")]
    HardLinked {
        /// The number of its names; the short name for DOS doesn't count.
        names: u64,
    },
    /// The file was found in the index of a folder that it isn't in. The index is damaged or
    /// forged.
    #[error(
        "the folder's index is damaged: it leads to file {number}, but that file's own record says \
         that it isn't here"
    )]
    Elsewhere {
        /// The number of the file's record.
        number: u64,
    },
    /// The index of a folder leads to a file that is known to be elsewhere.
    #[error("the folder's index is damaged: it leads to {path}, which has only one name")]
    SameAs {
        /// The path at which the file is.
        path: NtPath,
    },
    /// A forged index may lead to one of the files that Windows starts from. Only their places
    /// could show that, and one of these is unknown.
    #[error(
        "diskmend can't tell which file this is: it can't read the volume's records, and it can't \
         look up {path}, which a damaged or forged index may lead to: {reason}"
    )]
    PlacesUnknown {
        /// The path that can't be looked up.
        path: NtPath,
        /// The reason.
        reason: String,
    },
    /// The file is one of the volume's own, such as `$MFT`.
    #[error("one of the volume's own files (number {number}), which diskmend doesn't change")]
    OwnFile {
        /// The number of the file's record.
        number: u64,
    },
    /// The driver doesn't show the object's descriptor. The kernel's ntfs3 shows only descriptors
    /// in `$Secure` and not those in a file's own record. Windows NT 4, and ntfs-3g without its
    /// option `permissions`, store them there.
    #[error("the driver shows no security descriptor of it")]
    NoDescriptor,
    /// NTFS can't hold this name.
    #[error("not a valid name on NTFS")]
    Name,
    /// The folder is deeper than the limit.
    #[error("the folders in it are skipped, because it is {depth} folders deep")]
    TooDeep {
        /// The number of folders between the start of the walk and this one.
        depth: usize,
    },
    /// The object has vanished or has become another kind.
    #[error("it was {expected} before, and is now {found}")]
    Other {
        /// The kind before.
        expected: Kind,
        /// The kind now.
        found: Kind,
    },
    /// The descriptor is neither the old nor the new one of the change.
    #[error("its security descriptor was changed by somebody else meanwhile")]
    ChangedMeanwhile,
    /// Reading back gave other bytes than were written.
    #[error("reading back its security descriptor gave another one than was written")]
    ReadBack,
    /// The system's error.
    #[error("cannot {action}")]
    Io {
        /// The action that failed.
        action: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

impl ObjectError {
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }

    /// True if the path has something other than a file or folder of this volume, false if the
    /// object couldn't be read or changed.
    #[must_use]
    pub const fn is_by_nature(&self) -> bool {
        matches!(self, Self::Link | Self::OtherVolume | Self::Special)
    }
}
