//! The errors of a volume, with the place, what was expected and what was found.

use std::io;

use super::place::FileId;

/// A structure of the volume that violates the format; its offset is in bytes from the start of the
/// volume.
pub type Corruption = diskmend_base::Corruption<u64>;

/// The reason why a file or folder of a volume could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VolumeError {
    /// The device failed.
    #[error("the device failed at offset {offset}")]
    Device {
        /// The offset in the volume, in bytes.
        offset: u64,
        /// The error of the device.
        source: io::Error,
    },
    /// A structure of the volume is wrong.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// The first sector is a boot sector of BitLocker.
    #[error("the volume is encrypted with BitLocker: unlock it and work on the decrypted volume")]
    BitLocker,
    /// The first sector is a boot sector of ReFS.
    #[error("the volume is formatted with ReFS, which is not supported")]
    Refs,
    /// The first sector is not a boot sector of NTFS.
    #[error("this is not an NTFS volume")]
    NotNtfs,
    /// There is no file, or another file, at the reference.
    #[error("file {0} does not exist any more")]
    Stale(FileId),
    /// An entry of a folder names a system file of the volume, which is in no folder.
    #[error("file {0} is one of the volume's own files, which are left alone")]
    OwnFile(FileId),
    /// The file is not a folder.
    #[error("file {0} is not a folder")]
    NotAFolder(FileId),
    /// The file has no unnamed $DATA: it is a folder, or a system file of the volume.
    #[error("{0} has no data that could be read as a file")]
    NoData(FileId),
    /// The bytes of the data are not those on disk, or must not be changed.
    #[error("file {id} is {how}, which is not supported: {advice}")]
    Transformed {
        /// The file.
        id: FileId,
        /// `compressed`, `encrypted`, `sparse`, ...
        how: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The volume was not dismounted, or a check found something.
    #[error(
        "the volume is marked dirty: attach it to Windows and run chkdsk /f, or start it there once"
    )]
    Dirty,
    /// Windows has saved its memory on the volume and will continue from there.
    #[error("Windows is hibernated on the volume: start it and shut it down completely")]
    Hibernated,
    /// The volume has pending work of Windows: an upgrade, a resize of the log, or chkdsk.
    #[error(
        "Windows has work under way on the volume (flags {flags:#06x}): attach it to Windows once"
    )]
    Pending {
        /// The flags of $VOLUME_INFORMATION.
        flags: u16,
    },
    /// The journal contains changes that are not in the volume yet.
    #[error(
        "the volume was not dismounted: its journal ($LogFile, version {}.{}) has changes that are \
         not in the volume yet",
        version.0,
        version.1
    )]
    PendingLog {
        /// The version of the journal: the parts before and after the dot.
        version: (u16, u16),
    },
    /// It isn't known what the journal contains.
    #[error(
        "what the volume's journal ($LogFile) contains is not known ({why}): attach the disk to \
         Windows once"
    )]
    UnknownLog {
        /// The reason.
        why: String,
    },
    /// The change needs more than bytes of the file in place, on a volume on which nothing else may be
    /// changed.
    #[error(
        "file {id} cannot be changed on a volume that Windows did not dismount or will check: {why}"
    )]
    OnlyInPlace {
        /// The file.
        id: FileId,
        /// The reason.
        why: &'static str,
    },
    /// Windows will change something of the file when it replays the journal.
    #[error("file {id} cannot be changed: replaying the journal ($LogFile) changes {what}")]
    Touched {
        /// The file.
        id: FileId,
        /// What the journal changes.
        what: String,
    },
    /// Something else than the bytes of a checked file would be written, on a volume on which only
    /// these may be changed.
    #[error(
        "nothing may be written at offset {offset} of the volume: only the bytes of files that were \
         checked are changed on a volume that Windows did not dismount or will check"
    )]
    NotPermitted {
        /// The offset in the volume, in bytes.
        offset: u64,
    },
    /// NTFS in another version.
    #[error("NTFS {major}.{minor} is not supported for writing, only 3.0 and 3.1 are")]
    Version {
        /// The part before the dot.
        major: u8,
        /// The part after it.
        minor: u8,
    },
    /// The volume was opened with the copy of its boot sector.
    #[error("the boot sector is damaged and only its copy was read: repair it with chkdsk first")]
    BackupBootSector,
    /// Two independent readers disagree about the position of the file's data.
    #[error("file {id} is not written: its place is not certain ({why})")]
    ReadersDisagree {
        /// The file.
        id: FileId,
        /// What they found, or what one of them does not support.
        why: String,
    },
    /// The file can't have this length.
    #[error("file {id} cannot grow to {len} bytes: {why}")]
    CannotGrow {
        /// The file.
        id: FileId,
        /// The requested length.
        len: u64,
        /// The reason.
        why: &'static str,
    },
    /// The folder has no such name, spelled in exactly this way.
    #[error("folder {0} has no such file")]
    NoSuchName(FileId),
    /// A file can't be removed or renamed here.
    #[error("file {id} cannot be {what}: {why}")]
    CannotChange {
        /// The file.
        id: FileId,
        /// `removed` or `renamed`.
        what: &'static str,
        /// The reason.
        why: String,
    },
    /// The folder already has this name.
    #[error("folder {0} already has a file with this name")]
    NameExists(FileId),
    /// The index of a folder can't get longer.
    #[error("the index of folder {folder} has no room: {why}")]
    NoRoomInFolder {
        /// The folder.
        folder: FileId,
        /// The reason.
        why: &'static str,
    },
    /// There are not enough free clusters.
    #[error("the volume is full: {needed} bytes are needed, {free} are free")]
    Full {
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The range is not inside the file.
    #[error("{len} bytes at offset {offset} do not lie within the file's {file_len} bytes")]
    OutOfRange {
        /// Start of the range.
        offset: u64,
        /// The length of the range.
        len: usize,
        /// The length of the file.
        file_len: u64,
    },
}

impl VolumeError {
    /// An error of the device at `offset`.
    pub(crate) fn device(offset: u64) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Device { offset, source }
    }

    /// The kind of error for callers that treat the file like any other.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Device { source, .. } => source.kind(),
            Self::Corrupt(_) | Self::NotNtfs => io::ErrorKind::InvalidData,
            Self::Stale(_) | Self::NoSuchName(_) => io::ErrorKind::NotFound,
            Self::NotAFolder(_) => io::ErrorKind::NotADirectory,
            Self::NoData(_) => io::ErrorKind::IsADirectory,
            Self::NameExists(_) => io::ErrorKind::AlreadyExists,
            Self::Full { .. } => io::ErrorKind::StorageFull,
            Self::OutOfRange { .. } => io::ErrorKind::UnexpectedEof,
            Self::BitLocker
            | Self::Refs
            | Self::OwnFile(_)
            | Self::Transformed { .. }
            | Self::Dirty
            | Self::Hibernated
            | Self::Pending { .. }
            | Self::PendingLog { .. }
            | Self::OnlyInPlace { .. }
            | Self::Touched { .. }
            | Self::NotPermitted { .. }
            | Self::UnknownLog { .. }
            | Self::Version { .. }
            | Self::BackupBootSector
            | Self::ReadersDisagree { .. }
            | Self::CannotGrow { .. }
            | Self::CannotChange { .. }
            | Self::NoRoomInFolder { .. } => io::ErrorKind::Unsupported,
        }
    }
}

impl From<VolumeError> for io::Error {
    fn from(error: VolumeError) -> Self {
        Self::new(error.kind(), error)
    }
}
