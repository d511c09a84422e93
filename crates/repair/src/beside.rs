//! The other volumes of the target's disk, which may contain a boot store that the user has not
//! named.

use diskmend_disk::{Content, OpenError, Target};

use crate::error::{Error, Refusal, chain};
use crate::volume::BootVolume;

/// Opens volumes other than the target; a trait, so that tests can keep them in memory.
pub(crate) trait Beside {
    /// The volumes of the target's disk that have a file system, except for the target.
    fn siblings(&self) -> Result<Vec<Sibling>, Error>;

    /// A volume of the target's disk by its path, as a journal or plan names it, for writing.
    ///
    /// # Errors
    /// [`BootVolume`](crate::Refusal::BootVolume) if it is not there.
    fn recorded(&self, path: &str) -> Result<BootVolume, Error>;
}

/// A volume of the target's disk.
pub(crate) struct Sibling {
    /// Its root, as journals record it.
    pub(crate) path: String,
    /// The volume, open for reading, or the reason why it can't be opened.
    pub(crate) opened: Result<BootVolume, Error>,
}

/// The volumes of this machine, including those of the target's disk.
#[derive(Default)]
pub(crate) struct Attached {
    /// If there is no target, there are no other volumes.
    target: Option<Target>,
}

impl Attached {
    pub(crate) fn of(target: Target) -> Self {
        Self {
            target: Some(target),
        }
    }
}

impl Beside for Attached {
    fn siblings(&self) -> Result<Vec<Sibling>, Error> {
        let Some(target) = &self.target else {
            return Ok(Vec::new());
        };
        let shown = target.display().to_string();
        let volumes = diskmend_disk::siblings(target)
            .map_err(Error::io(&shown, "find the other volumes of the disk of"))?;
        let siblings = volumes.iter().map(|volume| {
            let path = volume.path().display().to_string();
            let opened = volume.open().map_err(|source| Error::Target {
                path: path.clone(),
                source,
            });
            let opened = opened.and_then(|target| BootVolume::of(&path, target));
            Sibling { path, opened }
        });
        Ok(siblings.filter(Sibling::has_file_system).collect())
    }

    fn recorded(&self, path: &str) -> Result<BootVolume, Error> {
        let siblings = self.siblings()?;
        let found = siblings.into_iter().find(|sibling| sibling.path == path);
        let gone = |reason: String| Refusal::BootVolume {
            path: path.to_owned(),
            reason,
        };
        // A path is never followed only because a journal contains it: the disk is not trusted.
        let unknown = "it is not a known volume of the target's disk".to_owned();
        let volume = found.ok_or_else(|| gone(unknown))?;
        let volume = volume.opened.map_err(|error| gone(chain(&error)))?;
        volume.guards(true)?;
        Ok(volume)
    }
}

impl Sibling {
    /// A volume without a file system contains neither a store nor a Windows.
    fn has_file_system(&self) -> bool {
        !matches!(
            self.opened,
            Err(Error::Target {
                source: OpenError::NoFileSystem { .. },
                ..
            })
        )
    }

    /// Its content, if diskmend can't read it.
    pub(crate) fn unknown_content(&self) -> Option<Content> {
        match &self.opened {
            Err(Error::Target {
                source: OpenError::UnknownContent { content, .. },
                ..
            }) => Some(*content),
            _ => None,
        }
    }

    /// True if its content can't be seen because it is encrypted: it contains no store, because the
    /// firmware could not read it either, but perhaps a Windows.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(
            self.opened,
            Err(Error::Target {
                source: OpenError::BitLocker { .. },
                ..
            })
        )
    }
}
