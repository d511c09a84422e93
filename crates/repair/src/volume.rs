//! A volume of this machine, or of the target's disk, other than the target.

use std::path::Path;

use diskmend_disk::{Dir, GuardError, OpenError, Target, Writes, guard};

use crate::error::{Error, Refusal};
use crate::guards::{guards, reading_guards_of_boot_volume};

/// A volume beside the target.
pub(crate) struct BootVolume {
    /// Its absolute root path, as journals store it.
    pub(crate) path: String,
    pub(crate) root: Box<dyn Dir>,
    /// Absent in tests that keep the volume in memory.
    target: Option<Target>,
}

/// The root of a volume.
pub(crate) enum Root<'a> {
    Known(&'a dyn Dir),
    Opened(Box<dyn Dir>),
}

impl Root<'_> {
    pub(crate) fn dir(&self) -> &dyn Dir {
        match self {
            Self::Known(dir) => *dir,
            Self::Opened(dir) => dir.as_ref(),
        }
    }
}

impl BootVolume {
    /// Opens a mounted volume by its absolute path.
    ///
    /// # Errors
    /// [`Refusal::BootVolumeNotMounted`] if the path is a disk that isn't mounted.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let not_mounted = || {
            Error::from(Refusal::BootVolumeNotMounted {
                path: shown.clone(),
            })
        };
        let target = Target::open(path).map_err(|source| match source {
            OpenError::Disk { .. } => not_mounted(),
            source => Error::Target {
                path: shown.clone(),
                source,
            },
        })?;
        if target.disk().is_some() {
            return Err(not_mounted());
        }
        let path = path.to_str().ok_or_else(|| {
            let error = std::io::Error::from(std::io::ErrorKind::InvalidFilename);
            Error::io(&shown, "note the path")(error)
        })?;
        Self::of(path, target)
    }

    /// An open volume, and its path as journals store it.
    pub(crate) fn of(path: &str, target: Target) -> Result<Self, Error> {
        Ok(Self {
            path: path.to_owned(),
            root: target
                .root()
                .try_clone()
                .map_err(Error::io(path, "open the folder"))?,
            target: Some(target),
        })
    }

    pub(crate) fn is(&self, other: &Target) -> std::io::Result<bool> {
        self.target
            .as_ref()
            .map_or(Ok(false), |target| target.is_same(other))
    }

    /// Checks the guards.
    pub(crate) fn guards(&self, writing: bool) -> Result<(), Error> {
        let asked = match &self.target {
            Some(target) if writing => guards(target, false),
            Some(target) => reading_guards_of_boot_volume(target),
            None => Ok(()),
        };
        asked.map_err(|error| match error {
            Error::Refused(Refusal::Guard(source)) => self.refused(source),
            error => error,
        })
    }

    fn refused(&self, source: GuardError) -> Error {
        Refusal::BootVolumeGuard {
            path: self.path.clone(),
            source,
        }
        .into()
    }

    /// What may be written on it.
    pub(crate) fn writes(&self) -> Result<Writes, Error> {
        let writes = self.target.as_ref().map_or(Ok(Writes::All), Target::writes);
        writes.map_err(|error| self.refused(error))
    }

    /// Checks that everything may be written on it.
    pub(crate) fn writes_all(&self) -> Result<(), Error> {
        let checked = self.target.as_ref().map_or(Ok(()), Target::writes_all);
        checked.map_err(|error| self.refused(error))
    }

    /// Checks that there is room for files that grow.
    pub(crate) fn room(&self, bytes: u64) -> Result<(), GuardError> {
        match &self.target {
            Some(target) if bytes > 0 => guard::require_free(target, bytes),
            _ => Ok(()),
        }
    }

    /// A volume in memory.
    #[cfg(test)]
    pub(crate) fn in_memory(path: &str, root: Box<dyn Dir>) -> Self {
        Self {
            path: path.to_owned(),
            root,
            target: None,
        }
    }
}
