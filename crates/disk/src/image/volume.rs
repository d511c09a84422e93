//! A volume on a disk that isn't mounted, with any file system.

use std::io;

use diskmend_base::chain;
use diskmend_image::ntfs::secure::Secure;
use diskmend_image::ntfs::{self, VolumeError, Writes};

use super::fat::FatDir;
use super::ntfs::NtfsDir;
use crate::condition::{self, ConditionKind, Place};
use crate::dir::Dir;
use crate::error::GuardError;

/// An open volume: its root folder. Clones are the same volume.
#[derive(Clone, Debug)]
pub(crate) enum Volume {
    /// NTFS.
    Ntfs(NtfsDir),
    /// FAT.
    Fat(FatDir),
}

impl Volume {
    /// The root folder.
    pub(crate) fn root(&self) -> &dyn Dir {
        match self {
            Self::Ntfs(root) => root,
            Self::Fat(root) => root,
        }
    }

    /// The root folder, owned.
    pub(crate) fn into_root(self) -> Box<dyn Dir> {
        match self {
            Self::Ntfs(root) => Box::new(root),
            Self::Fat(root) => Box::new(root),
        }
    }

    /// What may be written on the volume. `place` says where it is.
    pub(crate) fn writes(&self, place: impl FnOnce() -> Place) -> Result<Writes, GuardError> {
        match self {
            Self::Ntfs(root) => {
                let writes = root.volume().writes();
                writes.map_err(|error| unfit(root.volume(), &error, &place()))
            }
            Self::Fat(root) => match root.volume().check_writable() {
                Ok(()) => Ok(Writes::All),
                Err(error) => Err(GuardError::Unfit {
                    reason: error.to_string(),
                }),
            },
        }
    }

    /// The number of bytes by which files can still grow.
    pub(crate) fn free_bytes(&self) -> io::Result<u64> {
        match self {
            Self::Ntfs(root) => Ok(root.volume().free_bytes()?),
            Self::Fat(root) => Ok(root.volume().free_bytes()?),
        }
    }

    /// True if files can still grow by this number of bytes. It is faster than
    /// [`Self::free_bytes`].
    pub(crate) fn has_free(&self, bytes: u64) -> io::Result<bool> {
        match self {
            Self::Ntfs(root) => Ok(root.volume().has_free(bytes)?),
            Self::Fat(root) => Ok(bytes == 0 || root.volume().free_bytes()? >= bytes),
        }
    }

    /// Its label; `None` if it has none.
    pub(crate) fn label(&self) -> io::Result<Option<String>> {
        match self {
            Self::Ntfs(root) => Ok(root.volume().label()?),
            Self::Fat(root) => root.volume().label(),
        }
    }

    /// Notices about how the volume is read.
    pub(crate) fn notices(&self) -> Vec<String> {
        match self {
            Self::Ntfs(root) => root.notices(),
            Self::Fat(_) => Vec::new(),
        }
    }

    /// The stored security descriptors, if the file system stores any.
    pub(crate) fn secure(&self) -> Option<&Secure> {
        match self {
            Self::Ntfs(root) => Some(root.secure()),
            Self::Fat(_) => None,
        }
    }
}

/// The reason why an NTFS volume can't be written: one of its conditions, or another one.
fn unfit(volume: &ntfs::Volume, error: &VolumeError, place: &Place) -> GuardError {
    let kind = match error {
        VolumeError::Hibernated => Some(ConditionKind::Hibernated),
        VolumeError::PendingLog { .. } => Some(ConditionKind::LogPending),
        VolumeError::UnknownLog { .. } => Some(ConditionKind::LogNotUnderstood),
        VolumeError::Dirty => Some(ConditionKind::Dirty),
        VolumeError::Pending { .. } => Some(ConditionKind::WorkUnderWay),
        VolumeError::BackupBootSector => Some(ConditionKind::BackupBootSector),
        _ => None,
    };
    let found = condition::of(volume, place).ok().and_then(|conditions| {
        let mut conditions = conditions.into_iter();
        conditions.find(|condition| Some(condition.kind) == kind)
    });
    match found {
        Some(condition) => GuardError::Condition(Box::new(condition)),
        None => GuardError::Unfit {
            reason: chain(error),
        },
    }
}
