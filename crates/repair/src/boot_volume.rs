//! The places of boot stores: the target itself, or a boot or EFI partition that is mounted
//! elsewhere.

use std::path::PathBuf;

use diskmend_bcd::Guid;
use diskmend_disk::Target;

use crate::beside::{Attached, Beside};
use crate::error::{Error, Refusal};
use crate::volume::BootVolume;
use crate::whereabouts;

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
                let (root, components) = whereabouts::whereabouts(file)?;
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
