//! The metadata of a directory entry, which are known without opening it.

use std::fmt;

#[cfg(unix)]
use cap_fs_ext::MetadataExt;
#[cfg(unix)]
use cap_std::fs::FileType;

/// The kind of a directory entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, a junction, a mounted volume or another reparse point that the file
    /// system shows as a link.
    Link,
    /// A device, FIFO or socket.
    Other,
}

#[cfg(unix)]
impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        if kind.is_symlink() {
            Self::Link
        } else if kind.is_dir() {
            Self::Folder
        } else if kind.is_file() {
            Self::File
        } else {
            Self::Other
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a file",
            Self::Folder => "a folder",
            Self::Link => "a link or reparse point",
            Self::Other => "a device, FIFO or socket",
        })
    }
}

/// Identifies one file on this machine, as long as the file is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Device number; on Windows the volume serial number.
    pub device: u64,
    /// Inode number; on Windows the file index.
    pub inode: u64,
}

/// The metadata of a file or folder; never those of a link's target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The kind.
    pub kind: Kind,
    /// Length in bytes; only meaningful for a regular file.
    pub len: u64,
    /// The identity of the file.
    pub identity: Identity,
    /// The number of names (hard links) of the file. Windows's own files often have two.
    pub links: u64,
}

impl Metadata {
    /// The metadata of an open file.
    pub(crate) fn of_file(file: &std::fs::File) -> std::io::Result<Self> {
        #[cfg(unix)]
        {
            Ok((&cap_std::fs::Metadata::from_file(file)?).into())
        }
        #[cfg(windows)]
        crate::nt::metadata(file)
    }
}

#[cfg(target_os = "linux")]
impl Metadata {
    /// The metadata of an open handle, whatever the handle allows. They are what the file system
    /// knew when the handle was opened, or newer.
    pub(crate) fn of_handle(handle: &impl std::os::fd::AsFd) -> std::io::Result<Self> {
        use rustix::fs::{AtFlags, StatxFlags, fstat, makedev, statx};

        let wanted = StatxFlags::TYPE | StatxFlags::NLINK | StatxFlags::INO | StatxFlags::SIZE;
        // The driver has already reported all this when the handle was opened; through FUSE,
        // another query would cost one more message to another process and back.
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        if let Ok(found) = statx(handle, "", flags, wanted)
            && StatxFlags::from_bits_retain(found.stx_mask).contains(wanted)
        {
            return Ok(Self {
                kind: Kind::of_mode(found.stx_mode.into()),
                len: found.stx_size,
                identity: Identity {
                    device: makedev(found.stx_dev_major, found.stx_dev_minor),
                    inode: found.stx_ino,
                },
                links: found.stx_nlink.into(),
            });
        }
        let found = fstat(handle)?;
        Ok(Self {
            kind: Kind::of_mode(found.st_mode),
            len: u64::try_from(found.st_size).map_err(|_| std::io::ErrorKind::InvalidData)?,
            identity: Identity {
                device: found.st_dev,
                inode: found.st_ino,
            },
            links: wide(found.st_nlink),
        })
    }
}

/// A number of links, which has 32 or 64 bits depending on the processor.
#[cfg(target_os = "linux")]
fn wide(links: impl Into<u64>) -> u64 {
    links.into()
}

#[cfg(target_os = "linux")]
impl Kind {
    const fn of_mode(mode: u32) -> Self {
        use rustix::fs::FileType;

        match FileType::from_raw_mode(mode) {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}

#[cfg(unix)]
impl From<&cap_std::fs::Metadata> for Metadata {
    fn from(metadata: &cap_std::fs::Metadata) -> Self {
        Self {
            kind: metadata.file_type().into(),
            len: metadata.len(),
            identity: Identity {
                device: metadata.dev(),
                inode: metadata.ino(),
            },
            links: metadata.nlink(),
        }
    }
}
