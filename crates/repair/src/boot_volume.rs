//! The places of boot stores: the target itself, or a boot or EFI partition that is mounted
//! elsewhere.

use std::path::{Path, PathBuf};

use diskmend_bcd::Guid;
use diskmend_disk::{Dir, GuardError, OpenError, Target, guard};

use crate::beside::{Attached, Beside};
use crate::error::{Error, Refusal};
use crate::hive_file;
use crate::site::{guards, reading_guards_of_boot_volume};

/// The caller's choice of a boot store.
#[derive(Clone, Debug, Default)]
pub struct BootChoice {
    /// The root of the volume that holds it; the target if absent.
    pub volume: Option<PathBuf>,
    /// The store's file.
    pub store: Option<PathBuf>,
    /// The loaders to use. They are checked to start the target's Windows.
    pub loaders: LoaderChoice,
}

/// A choice among a boot store's loaders that start `\Windows`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoaderChoice {
    /// The one that certainly starts the target's Windows.
    #[default]
    Plain,
    /// The one with this GUID.
    Named(Guid),
    /// All of them.
    All,
}

/// The places in which boot stores are searched.
pub(crate) struct BootPlace {
    /// Their volume, if the caller has named one other than the target.
    pub(crate) volume: Option<BootVolume>,
    /// The named store, by its path below the root of that volume.
    pub(crate) named: Option<Vec<String>>,
    /// Other volumes that may hold one.
    pub(crate) beside: Box<dyn Beside>,
}

impl Default for BootPlace {
    /// The target alone.
    fn default() -> Self {
        Self {
            volume: None,
            named: None,
            beside: Box::new(Attached::default()),
        }
    }
}

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

impl BootPlace {
    /// The places that a choice means for a target.
    ///
    /// # Errors
    /// [`Refusal::BootVolumeOffDisk`] and [`Refusal::BootVolumeNotMounted`]: a run is undone as a
    /// whole, and on a disk that isn't mounted that works by the record of that one disk.
    pub(crate) fn of(choice: &BootChoice, target: Target) -> Result<Self, Error> {
        if let (Some(named), Some(_)) = (
            choice.store.as_ref().or(choice.volume.as_ref()),
            target.disk(),
        ) {
            let path = named.display().to_string();
            return Err(Refusal::BootVolumeOffDisk { path }.into());
        }
        let (root, named) = match (&choice.store, &choice.volume) {
            (Some(file), _) => {
                let (root, components) = hive_file::whereabouts(file)?;
                (root, Some(components))
            }
            (None, Some(root)) => (root.clone(), None),
            (None, None) => {
                return Ok(Self {
                    beside: Box::new(Attached::of(target)),
                    ..Self::default()
                });
            }
        };
        let shown = root.display().to_string();
        // This isn't the canonical path: on Windows no other program shows that, and a volume
        // without a drive letter has none.
        let whole = std::path::absolute(&root).map_err(Error::io(&shown, "find the folder"))?;
        let volume = BootVolume::open(&whole)?;
        let is_target = volume
            .is(&target)
            .map_err(Error::io(&shown, "tell from the target"))?;
        Ok(Self {
            volume: (!is_target).then_some(volume),
            named,
            beside: Box::new(Attached::of(target)),
        })
    }

    /// True if it is a volume of the target's disk.
    pub(crate) fn is_sibling(&self, path: &str) -> Result<bool, Error> {
        let siblings = self.beside.siblings()?;
        Ok(siblings.iter().any(|sibling| sibling.path == path))
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

    fn is(&self, other: &Target) -> std::io::Result<bool> {
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
            Error::Refused(Refusal::Guard(source)) => Refusal::BootVolumeGuard {
                path: self.path.clone(),
                source,
            }
            .into(),
            error => error,
        })
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
