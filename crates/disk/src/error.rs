//! The errors, one enum for each class of operation. Paths inside a target are relative to its
//! root.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use diskmend_image::content::Content;

use crate::condition::Condition;
use crate::{DiskError, DiskNumber, Kind};

/// Windows returns this for a volume that is encrypted with BitLocker and not unlocked:
/// `FVE_E_LOCKED_VOLUME`.
const LOCKED_VOLUME: i32 = 0x8031_0000_u32.cast_signed();

/// Windows returns this if no file system driver recognizes a volume: `ERROR_UNRECOGNIZED_VOLUME`.
const UNRECOGNIZED_VOLUME: i32 = 1005;

/// True if someone else has the file open or locked: Windows's `ERROR_SHARING_VIOLATION` and
/// `ERROR_LOCK_VIOLATION`.
#[must_use]
pub fn is_in_use(error: &io::Error) -> bool {
    cfg!(windows) && matches!(error.raw_os_error(), Some(32 | 33))
}

/// The reason why a path couldn't be opened as a target, or a named file's folder couldn't be
/// opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The path doesn't exist.
    #[error("{}: not found", path.display())]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// The path is neither a folder nor something that could hold one.
    #[error("{}: not a folder", path.display())]
    NotAFolder {
        /// The path as given.
        path: PathBuf,
    },
    /// The path is a drive of Windows that is encrypted with BitLocker and locked.
    #[error(
        "{}: encrypted with BitLocker: unlock it with its recovery key first",
        path.display()
    )]
    BitLocker {
        /// The path as given.
        path: PathBuf,
    },
    /// The path is a file or block device that can't be used as a disk.
    #[error("{}", path.display())]
    Disk {
        /// The path as given.
        path: PathBuf,
        /// The reason.
        source: Box<DiskError>,
    },
    /// A partition was chosen, but the path is a folder.
    #[error("{}: this is a mounted volume, so there is no partition to choose", path.display())]
    NoPartitions {
        /// The path as given.
        path: PathBuf,
    },
    /// A volume of a disk that isn't mounted holds something that diskmend can't read.
    #[error("{}: diskmend can't read its content: {content}", path.display())]
    UnknownContent {
        /// The path as given.
        path: PathBuf,
        /// Its content.
        content: Content,
    },
    /// The volume has no file system, or one that this machine doesn't know.
    #[error("{}: the volume has no file system that this machine can read", path.display())]
    NoFileSystem {
        /// The path as given.
        path: PathBuf,
    },
    /// The path doesn't exist, but may be on a disk that Windows keeps offline.
    #[error("{}: not found; {}", path.display(), offline(.disks))]
    Offline {
        /// The path as given.
        path: PathBuf,
        /// The offline disks of this machine, at least one.
        disks: Vec<DiskNumber>,
    },
    /// The named file is a link.
    #[error("{}: a link or reparse point, which is not followed", path.display())]
    Link {
        /// The path as given.
        path: PathBuf,
    },
    /// The path doesn't end in a file name, for example `..`.
    #[error("{}: not the name of a file", path.display())]
    NoFileName {
        /// The path as given.
        path: PathBuf,
    },
    /// This user doesn't have the right.
    #[error("{}: permission denied: administrator rights are needed", path.display())]
    Permission {
        /// The path as given.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Any other error.
    #[error("{}: cannot be opened", path.display())]
    Io {
        /// The path as given.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl OpenError {
    /// The error of opening the disk at `path`.
    #[must_use]
    pub fn of_disk(path: &Path, source: DiskError) -> Self {
        match source {
            DiskError::Io(source) => Self::from_io(path.to_path_buf(), source),
            source => Self::Disk {
                path: path.to_path_buf(),
                source: Box::new(source),
            },
        }
    }

    /// The variant for an error that the system reported for `path`.
    pub(crate) fn from_io(path: PathBuf, source: io::Error) -> Self {
        if cfg!(windows) && source.raw_os_error() == Some(LOCKED_VOLUME) {
            return Self::BitLocker { path };
        }
        if cfg!(windows) && source.raw_os_error() == Some(UNRECOGNIZED_VOLUME) {
            return Self::NoFileSystem { path };
        }
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { path },
            io::ErrorKind::NotADirectory => Self::NotAFolder { path },
            io::ErrorKind::PermissionDenied => Self::Permission { path, source },
            _ => Self::Io { path, source },
        }
    }
}

/// A sentence about the offline disks.
fn offline(disks: &[DiskNumber]) -> String {
    let numbers: Vec<String> = disks.iter().map(ToString::to_string).collect();
    match numbers.as_slice() {
        [one] => format!("disk {one} of this machine is offline"),
        several => format!("disks {} of this machine are offline", several.join(", ")),
    }
}

/// The reason why a path inside the target couldn't be looked up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// A link is on the way or at the end. It wasn't followed.
    #[error("{}: a link or reparse point, which is not followed", path.display())]
    Link {
        /// The link, relative to the target's root.
        path: PathBuf,
    },
    /// Several names differ only in case, and none has the wanted spelling.
    #[error(
        "{}: \"{}\" and \"{}\" differ only in case",
        folder.display(),
        first.display(),
        second.display()
    )]
    Ambiguous {
        /// The folder that holds both, relative to the target's root.
        folder: PathBuf,
        /// One of the names.
        first: OsString,
        /// The other name.
        second: OsString,
    },
    /// Something other than a folder is on the way.
    #[error("{}: {kind}, not a folder", path.display())]
    NotAFolder {
        /// The obstacle, relative to the target's root.
        path: PathBuf,
        /// What it is.
        kind: Kind,
    },
    /// The folder holds more names than the limit.
    #[error("{}: more than {limit} names in one folder", folder.display())]
    TooManyNames {
        /// The folder, relative to the target's root.
        folder: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// The system could not read a name or folder.
    #[error("{}: cannot be looked up", path.display())]
    Io {
        /// The path, relative to the target's root.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Inside an [`io::Error`]: the object isn't a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, not a regular file")]
pub struct NotRegular {
    /// What it is.
    pub kind: Kind,
}

/// The error of opening something else as a folder.
pub(crate) fn not_a_folder(kind: Kind) -> io::Error {
    io::Error::new(io::ErrorKind::NotADirectory, NotRegular { kind })
}

impl From<NotRegular> for io::Error {
    fn from(error: NotRegular) -> Self {
        let kind = match error.kind {
            Kind::Folder => io::ErrorKind::IsADirectory,
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}

/// The reason why a target isn't changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The target has no `Windows/System32/config` folder.
    #[error("not a Windows volume: there is no folder Windows/System32/config")]
    NotWindows,
    /// The target is mounted read-only.
    #[error("mounted read-only")]
    ReadOnly,
    /// Windows doesn't allow writing to the disk that holds the target.
    #[error("disk {disk} is read-only")]
    DiskReadOnly {
        /// The disk.
        disk: DiskNumber,
    },
    /// A volume on a disk that isn't mounted is in a condition in which it mustn't be written.
    #[error("{}", .0.meaning)]
    Condition(Box<Condition>),
    /// A volume on a disk that isn't mounted mustn't be written, or its container can't be.
    #[error("{reason}")]
    Unfit {
        /// The reason, and what to do.
        reason: String,
    },
    /// This user doesn't have the right to write to the file or device.
    #[error("this user may not write to the disk")]
    NotWritable {
        /// The system's error.
        source: io::Error,
    },
    /// Since it was opened, something else has changed the file or replaced it by another one.
    #[error("the disk was changed since it was opened")]
    DiskChanged,
    /// The block device was mounted when it was read, so the data that was read may be outdated.
    #[error("the disk was in use when it was opened, and may have changed since")]
    DiskWasInUse,
    /// The file system with the image file can't be written.
    #[error("the image file is on a file system that is mounted read-only")]
    DiskOnReadOnly,
    /// The disk is mounted, or another program uses it.
    #[error("the disk is in use: it is mounted, or another program works on it")]
    DiskInUse,
    /// The kernel has attached the file or block device to a loop device, which may be mounted.
    #[error("the disk is in use: it is attached to the loop device {device}")]
    DiskAttached {
        /// Its name, such as `loop0`.
        device: String,
    },
    /// Another program has the image open and denies others to write to it.
    #[error("the disk is in use: a virtual machine or another program has locked it")]
    DiskLocked,
    /// Another program has the image open for writing.
    #[error("the disk is in use: another program has the image open for writing")]
    DiskOpen,
    /// Windows may have volumes of the disk mounted.
    #[error("disk {disk} is online: Windows uses its volumes")]
    DiskOnline {
        /// The disk.
        disk: DiskNumber,
    },
    /// Windows is hibernated, or was shut down with fast startup.
    #[error(
        "Windows is hibernated (hiberfil.sys holds a saved session): changes would be lost or \
         damage the volume"
    )]
    Hibernated,
    /// The target is the system that runs this program.
    #[error("this is the running system's own disk")]
    OwnDisk,
    /// Another diskmend holds the lock.
    #[error("another diskmend is working on this target")]
    Busy,
    /// There isn't enough free space.
    #[error("{needed} bytes of free space are needed, {available} are available")]
    NoSpace {
        /// Bytes needed.
        needed: u64,
        /// Bytes available.
        available: u64,
    },
    /// A BitLocker tool put its decrypted image into this folder.
    #[error("this folder holds a decrypted BitLocker image ({name}): mount that image first")]
    DecryptedImage {
        /// The image's name.
        name: &'static str,
    },
    /// The guard needs a name that couldn't be looked up.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The guard itself failed.
    #[error("cannot {action}")]
    Io {
        /// The action that failed.
        action: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

impl GuardError {
    /// For `map_err`: the guard failed while it did `action`.
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Io { action, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_drive_of_windows_is_encrypted() {
        let locked = io::Error::from_raw_os_error(LOCKED_VOLUME);
        let error = OpenError::from_io("F:".into(), locked);
        assert_eq!(matches!(error, OpenError::BitLocker { .. }), cfg!(windows));
    }

    #[test]
    fn an_unknown_volume_is_a_different_error_from_one_that_fails() {
        let unknown = io::Error::from_raw_os_error(UNRECOGNIZED_VOLUME);
        let error = OpenError::from_io("F:".into(), unknown);
        assert_eq!(
            matches!(error, OpenError::NoFileSystem { .. }),
            cfg!(windows)
        );
    }

    #[test]
    fn offline_disks_are_named_by_their_numbers() {
        let error = |disks: &[u32]| {
            let disks = disks.iter().copied().map(DiskNumber).collect();
            let path = "F:".into();
            OpenError::Offline { path, disks }.to_string()
        };
        assert_eq!(
            error(&[2]),
            "F:: not found; disk 2 of this machine is offline"
        );
        assert_eq!(
            error(&[2, 5]),
            "F:: not found; disks 2, 5 of this machine are offline"
        );
    }
}
