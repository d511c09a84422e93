//! The errors, one enum per class of operation. Paths inside a target are relative to its root.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use diskmend_image::content::Content;

use crate::{DiskError, DiskNumber, Kind};

/// How Windows says that a volume is encrypted with BitLocker and was not unlocked:
/// `FVE_E_LOCKED_VOLUME`.
const LOCKED_VOLUME: i32 = 0x8031_0000_u32.cast_signed();

/// How Windows says that no driver for file systems takes a volume for its own:
/// `ERROR_UNRECOGNIZED_VOLUME`.
const UNRECOGNIZED_VOLUME: i32 = 1005;

/// Whether Windows says that someone else has a file open or locked: `ERROR_SHARING_VIOLATION` and
/// `ERROR_LOCK_VIOLATION`.
#[must_use]
pub fn is_in_use(error: &io::Error) -> bool {
    cfg!(windows) && matches!(error.raw_os_error(), Some(32 | 33))
}

/// Why a path could not be opened as a target, or a named file's folder could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing is there.
    #[error("{}: not found", path.display())]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// Neither a folder nor something that could hold one.
    #[error("{}: not a folder", path.display())]
    NotAFolder {
        /// The path as given.
        path: PathBuf,
    },
    /// A drive of Windows's that is encrypted with BitLocker and locked.
    #[error(
        "{}: encrypted with BitLocker: unlock it with its recovery key first",
        path.display()
    )]
    BitLocker {
        /// The path as given.
        path: PathBuf,
    },
    /// A file or block device that can't be worked on as a disk.
    #[error("{}", path.display())]
    Disk {
        /// The path as given.
        path: PathBuf,
        /// Why.
        source: Box<DiskError>,
    },
    /// A partition was chosen of what is a folder.
    #[error("{}: a mounted volume, which has no partitions to choose from", path.display())]
    NoPartitions {
        /// The path as given.
        path: PathBuf,
    },
    /// A volume of a disk that is not mounted, which holds something that is not read here.
    #[error("{}: it holds what is not read here: {content}", path.display())]
    UnknownContent {
        /// The path as given.
        path: PathBuf,
        /// What it holds.
        content: Content,
    },
    /// A volume with a file system that this machine does not know, or none.
    #[error("{}: the volume has no file system that this machine can read", path.display())]
    NoFileSystem {
        /// The path as given.
        path: PathBuf,
    },
    /// Nothing is there, and what is looked for may be on disks that Windows keeps offline.
    #[error("{}: not found; {}", path.display(), offline(.disks))]
    Offline {
        /// The path as given.
        path: PathBuf,
        /// The disks of this machine that are offline, at least one.
        disks: Vec<DiskNumber>,
    },
    /// The named file is a link.
    #[error("{}: a link or reparse point, which is not followed", path.display())]
    Link {
        /// The path as given.
        path: PathBuf,
    },
    /// The path does not end in a file name, as `..` does not.
    #[error("{}: not the name of a file", path.display())]
    NoFileName {
        /// The path as given.
        path: PathBuf,
    },
    /// This user may not.
    #[error("{}: permission denied: administrator rights are needed", path.display())]
    Permission {
        /// The path as given.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// Anything else.
    #[error("{}: cannot be opened", path.display())]
    Io {
        /// The path as given.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
}

impl OpenError {
    /// Of the disk that was to be opened at `path`.
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

    /// Sorts what the system reported for `path` into its variant.
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

/// Disks that are offline, for a person.
fn offline(disks: &[DiskNumber]) -> String {
    let numbers: Vec<String> = disks.iter().map(ToString::to_string).collect();
    match numbers.as_slice() {
        [one] => format!("disk {one} of this machine is offline"),
        several => format!("disks {} of this machine are offline", several.join(", ")),
    }
}

/// Why a path inside the target could not be looked up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// A link stands on the way or at the end; it was not followed.
    #[error("{}: a link or reparse point, which is not followed", path.display())]
    Link {
        /// The link, relative to the target's root.
        path: PathBuf,
    },
    /// Several names differ only in case, none of them spelled as asked for.
    #[error("{}: {first:?} and {second:?} differ only in case", folder.display())]
    Ambiguous {
        /// The folder that holds both, relative to the target's root.
        folder: PathBuf,
        /// One of the names.
        first: OsString,
        /// The other.
        second: OsString,
    },
    /// Something other than a folder stands on the way.
    #[error("{}: {kind}, not a folder", path.display())]
    NotAFolder {
        /// The obstacle, relative to the target's root.
        path: PathBuf,
        /// What it is.
        kind: Kind,
    },
    /// A folder that holds more names than are read.
    #[error("{}: more than {limit} names in one folder", folder.display())]
    TooManyNames {
        /// The folder, relative to the target's root.
        folder: PathBuf,
        /// The bound.
        limit: usize,
    },
    /// The system could not read a name or folder.
    #[error("{}: cannot be looked up", path.display())]
    Io {
        /// Where, relative to the target's root.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
}

/// Inside of an [`io::Error`]: something that should be a regular file is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}, not a regular file")]
pub struct NotRegular {
    /// What it is.
    pub kind: Kind,
}

/// What opening something else as a folder is refused with.
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

/// Why a target is left alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// The target has no `Windows/System32/config` folder.
    #[error("not a Windows volume: there is no folder Windows/System32/config")]
    NotWindows,
    /// The target is mounted read-only.
    #[error("mounted read-only")]
    ReadOnly,
    /// Windows lets nobody write to the disk that holds the target.
    #[error("disk {disk} is read-only")]
    DiskReadOnly {
        /// The disk.
        disk: DiskNumber,
    },
    /// The volume of a disk that is not mounted must not be written.
    #[error("{reason}")]
    Unfit {
        /// Why, and what to do.
        reason: String,
    },
    /// This user may not write the file or device.
    #[error("the disk may not be written by this user")]
    NotWritable {
        /// What the system reported.
        source: io::Error,
    },
    /// Something else has changed the file or put another in its place since it was opened.
    #[error("the disk was changed since it was opened")]
    DiskChanged,
    /// The block device was mounted when it was read: what was read may no longer hold.
    #[error("the disk was in use when it was opened, and may have changed since")]
    DiskWasInUse,
    /// The file system that holds the image file can't be written.
    #[error("the image file lies on a file system that is mounted read-only")]
    DiskOnReadOnly,
    /// The disk is mounted, or another program has it.
    #[error("the disk is in use: it is mounted, or another program works on it")]
    DiskInUse,
    /// The kernel shows the file or block device as a loop device, which may be mounted.
    #[error("the disk is in use: it is attached to the loop device {device}")]
    DiskAttached {
        /// Its name, such as `loop0`.
        device: String,
    },
    /// Another program has the image open and lets nobody else write it.
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
    #[error("another diskmend is at work on this target")]
    Busy,
    /// Too little free space.
    #[error("{needed} bytes of free space are needed, {available} are available")]
    NoSpace {
        /// Bytes needed.
        needed: u64,
        /// Bytes available.
        available: u64,
    },
    /// The folder is where a BitLocker tool put its decrypted image.
    #[error("this folder holds a decrypted BitLocker image ({name}): mount that image first")]
    DecryptedImage {
        /// The image's name.
        name: &'static str,
    },
    /// A name that the guard needs could not be looked up.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The guard itself could not be carried out.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the system reported.
        source: io::Error,
    },
}

impl GuardError {
    /// For `map_err`: the guard failed at `action`.
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
    fn a_volume_that_no_driver_knows_is_told_from_one_that_fails() {
        let unknown = io::Error::from_raw_os_error(UNRECOGNIZED_VOLUME);
        let error = OpenError::from_io("F:".into(), unknown);
        assert_eq!(
            matches!(error, OpenError::NoFileSystem { .. }),
            cfg!(windows)
        );
    }

    #[test]
    fn disks_that_are_offline_are_told_by_their_numbers() {
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
