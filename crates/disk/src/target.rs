//! The root of a mounted Windows volume.

use std::fmt;
use std::fs::{self, FileType, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{LookupError, OpenError};
use crate::folder::Folder;
use crate::lookup::Found;
use crate::positioned::read_exact_at;

/// Signature of a BitLocker volume in its first sector, from byte 3 on (the place of the file
/// system's name in a boot sector).
const BITLOCKER_SIGNATURE: &[u8; 8] = b"-FVE-FS-";
const BITLOCKER_SIGNATURE_OFFSET: u64 = 3;

/// The Windows volume to be repaired: an open folder that is its root.
#[derive(Debug)]
pub struct Target {
    root: Folder,
    path: PathBuf,
}

impl Target {
    /// Opens the folder at `path`. Links on the way are followed, since a person chose that path;
    /// beneath the root none is.
    ///
    /// Whether the folder is a Windows volume that may be changed is for the guards to say.
    ///
    /// # Errors
    /// What the path is instead of a folder, or why it can't be opened.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let io_error = |source| not_opened(path, source);
        let kind = fs::metadata(path).map_err(io_error)?.file_type();
        if !kind.is_dir() {
            return Err(not_a_folder(path, kind));
        }
        Ok(Self {
            root: Folder::open_ambient(path).map_err(io_error)?,
            path: path.to_path_buf(),
        })
    }

    /// The path as given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How to name the target to a person.
    pub fn display(&self) -> impl fmt::Display {
        self.path.display()
    }

    /// The root folder.
    #[must_use]
    pub fn root(&self) -> &Folder {
        &self.root
    }

    /// Whether both are the same folder of the same volume, by whatever paths they were opened.
    ///
    /// # Errors
    /// What the system reported.
    pub fn is_same(&self, other: &Self) -> io::Result<bool> {
        self.root.is_same(&other.root)
    }

    /// Finds a file or folder from the root on; see [`Folder::find`].
    ///
    /// # Errors
    /// As [`Folder::find`].
    pub fn find<S: AsRef<str>>(&self, components: &[S]) -> Result<Option<Found>, LookupError> {
        self.root.find(components)
    }
}

fn not_opened(path: &Path, source: io::Error) -> OpenError {
    let error = OpenError::from_io(path.to_path_buf(), source);
    #[cfg(windows)]
    if let OpenError::NotFound { path } = error {
        // A disk that is offline has no drive letters, nor any other way to its volumes.
        let disks = match path.parent() {
            None => crate::volumes::offline_disks(),
            Some(_) => Vec::new(),
        };
        return match disks.is_empty() {
            true => OpenError::NotFound { path },
            false => OpenError::Offline { path, disks },
        };
    }
    error
}

/// Says what the path is instead, by its first sector where it can have one.
fn not_a_folder(path: &Path, kind: FileType) -> OpenError {
    #[cfg(unix)]
    let device = std::os::unix::fs::FileTypeExt::is_block_device(&kind);
    #[cfg(not(unix))]
    let device = false;
    let path_buf = path.to_path_buf();
    if !kind.is_file() && !device {
        return OpenError::NotAFolder { path: path_buf };
    }
    match bitlocker_signature(path) {
        Ok(true) => OpenError::BitLocker { path: path_buf },
        Ok(false) => OpenError::NotMounted { path: path_buf },
        Err(source) => OpenError::from_io(path_buf, source),
    }
}

fn bitlocker_signature(path: &Path) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    options.read(true);
    // A FIFO may have taken the path since: opening must not wait for its other end.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        rustix::fs::OFlags::NONBLOCK.bits().cast_signed(),
    );
    let file = options.open(path)?;
    let mut signature = [0; BITLOCKER_SIGNATURE.len()];
    match read_exact_at(&file, &mut signature, BITLOCKER_SIGNATURE_OFFSET) {
        Ok(()) => Ok(&signature == BITLOCKER_SIGNATURE),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
