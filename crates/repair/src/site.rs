//! A target as the engine works on it: its root, its folder for undo data, and its space.

use std::path::{Path, PathBuf};

use diskmend_disk::{
    Dir, Disk, DiskLayout, Encryption, GuardError, Target, VolumeState, Writes, folder_and_name,
    guard,
};

use crate::boot_volume::{BootChoice, BootPlace};
use crate::error::{Error, Refusal, chain};
use crate::run::{HiveEntry, Journal, STATE_SUFFIX, StateFolder};
use crate::run_state::same_partition;
use crate::state_name::state_name;
use crate::trust::{Judge, Keys};
use crate::volume::Root;

/// The choices of the caller.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder for undo data. Without it, the folder `diskmend` at the target's root is used, or
    /// for an image file the folder beside it with the name of the image and `.diskmend`.
    pub state_dir: Option<PathBuf>,
    /// True if hives are checked in full and read with a second reader before they are written.
    pub check: bool,
    /// The boot store to use.
    pub boot: BootChoice,
    /// A folder of this machine for data that do not fit in memory. Without it, all data are kept
    /// in memory.
    pub scratch: Option<PathBuf>,
    /// True if hives are changed in place also on a volume that Windows did not dismount, if that is
    /// safe.
    pub in_place: bool,
    /// The keys that seal runs and recognize them. Without a key of this machine, nothing can be
    /// written.
    pub keys: Keys,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            state_dir: None,
            check: true,
            boot: BootChoice::default(),
            scratch: None,
            in_place: true,
            keys: Keys::default(),
        }
    }
}

/// The number of bytes that an operation needs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Need {
    /// On the target itself, for files that grow.
    pub(crate) target: u64,
    /// In the folder for undo data.
    pub(crate) state: u64,
    /// On the volume of the boot store, if that is another volume.
    pub(crate) boot: u64,
}

/// A target and what belongs to it.
pub(crate) struct Site {
    /// The target as named by the user.
    pub(crate) display: String,
    /// Its root.
    pub(crate) root: Box<dyn Dir>,
    /// The folder for undo data.
    pub(crate) state: StateFolder,
    /// The places of boot stores.
    pub(crate) boot: BootPlace,
    /// The disk with the target and the boot store, if it is not mounted.
    pub(crate) disk: Option<Disk>,
    /// The number of the target's partition on it.
    pub(crate) partition: Option<u32>,
    /// The partitions of the target's disk, if they are known, whether it is mounted or not.
    pub(crate) layout: Option<DiskLayout>,
    /// Checks that there is room on the target and for undo data.
    pub(crate) room: Box<dyn Fn(Need) -> Result<(), GuardError>>,
    /// Whether the target's volume is encrypted with BitLocker; `None` if that isn't known.
    pub(crate) encryption: Option<Encryption>,
    /// Reads what is known about the target's volume.
    pub(crate) volume_state: Box<dyn Fn() -> VolumeState>,
    /// The target; absent in tests that keep the volume in memory.
    pub(crate) target: Option<Target>,
    /// True if hives may be changed in place where nothing else may be.
    pub(crate) in_place: bool,
    /// Decides which runs are believed.
    pub(crate) judge: Judge,
}

impl Site {
    /// The site of a mounted volume or any other folder, or of a volume on a disk that is not
    /// mounted.
    ///
    /// # Errors
    /// If a folder that was named can't be opened.
    pub(crate) fn of(target: &Target, options: &Options) -> Result<Self, Error> {
        let path = target.display().to_string();
        let own = || {
            target
                .try_clone()
                .map_err(Error::io(&path, "open the folder"))
        };
        let folder = || Ok::<_, Error>(own()?.into_root());
        let state_dir = match (&options.state_dir, target.disk()) {
            (Some(dir), _) => Some(dir.clone()),
            (None, Some(disk)) => beside(disk)?,
            (None, None) => None,
        };
        let (state, state_volume) = match &state_dir {
            None if target.disk().is_some() => (StateFolder::nowhere(), None),
            None => (StateFolder::new(folder()?, state_name(target)?)?, None),
            Some(dir) => {
                let (parent, name) = folder_and_name(dir).map_err(unnamed(dir))?;
                let above = dir.parent().filter(|above| !above.as_os_str().is_empty());
                let above = above.unwrap_or(Path::new("."));
                let volume = Target::open(above).map_err(unopened(above))?;
                (StateFolder::new(parent, &name)?, Some(volume))
            }
        };
        let volume = own()?;
        let state_of = own()?;
        let room = move |need: Need| match &state_volume {
            None => guard::require_free(&volume, need.target.saturating_add(need.state)),
            Some(state_volume) => {
                guard::require_free(&volume, need.target)?;
                guard::require_free(state_volume, need.state)
            }
        };
        Ok(Self {
            display: path.clone(),
            root: folder()?,
            state,
            boot: BootPlace::of(&options.boot, own()?)?,
            disk: target.disk().cloned(),
            partition: target.partition(),
            layout: DiskLayout::of(target),
            room: Box::new(room),
            encryption: Encryption::of(target),
            volume_state: Box::new(move || VolumeState::of(&state_of)),
            target: Some(own()?),
            in_place: options.in_place,
            judge: Judge::new(options.keys.clone(), target.disk_identity().into())
                .of_partition(target.partition()),
        })
    }

    /// The root of the volume of a hive, as its place or a journal names the volume. If the caller
    /// has named the volume of the boot store, that volume is used, wherever it was before.
    pub(crate) fn root_of(&self, volume: Option<&str>) -> Result<Root<'_>, Error> {
        match (volume, &self.boot.volume) {
            (None, _) => Ok(Root::Known(self.root.as_ref())),
            (Some(_), Some(boot)) => Ok(Root::Known(boot.root.as_ref())),
            (Some(path), None) => Ok(Root::Opened(self.boot.beside.recorded(path)?.root)),
        }
    }

    /// True if a run changed the target, and not another partition of its disk.
    pub(crate) fn is_target_of(&self, journal: &Journal) -> bool {
        same_partition(journal.partition(), self.partition)
    }

    /// True if a hive is on the target's disk.
    pub(crate) fn holds(&self, hive: &HiveEntry) -> Result<bool, Error> {
        match &hive.volume {
            None => Ok(true),
            Some(path) => self.boot.is_sibling(path),
        }
    }

    /// True if all hives of a run are on the target's disk.
    pub(crate) fn holds_all(&self, journal: &Journal) -> Result<bool, Error> {
        for hive in &journal.hives {
            if !self.holds(hive)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Checks that there is room everywhere. `boot` is the volume of the boot store, if that is
    /// another volume.
    pub(crate) fn room(&self, need: Need, boot: Option<&str>) -> Result<(), Error> {
        (self.room)(need)?;
        match (&self.boot.volume, boot) {
            (Some(volume), _) => Ok(volume.room(need.boot)?),
            (None, Some(path)) => Ok(self.boot.beside.recorded(path)?.room(need.boot)?),
            (None, None) => Ok(()),
        }
    }

    /// What may be written on the volume of a hive, as its place or a journal names the volume.
    ///
    /// # Errors
    /// The reason why nothing may be written there. That includes that only bytes of files may be,
    /// if the caller does not want that.
    pub(crate) fn writes(&self, volume: Option<&str>) -> Result<Writes, Error> {
        let writes = self.writes_of(volume)?;
        if writes == Writes::InPlace && !self.in_place {
            self.writes_all(volume)?;
        }
        Ok(writes)
    }

    /// The same error, or if a hive can't be changed because only its bytes may be changed in place,
    /// an error that also says why that is so.
    pub(crate) fn explained(&self, volume: Option<&str>, error: Error) -> Error {
        let is_about_place = matches!(error, Error::Refused(Refusal::NoRoom { .. }));
        if !is_about_place || !matches!(self.writes(volume), Ok(Writes::InPlace)) {
            return error;
        }
        match self.writes_all(volume) {
            Err(Error::Refused(
                Refusal::Guard(condition)
                | Refusal::BootVolumeGuard {
                    source: condition, ..
                },
            )) => {
                let reason = Box::new(error);
                Refusal::NotInPlace { reason, condition }.into()
            }
            _ => error,
        }
    }

    fn writes_of(&self, volume: Option<&str>) -> Result<Writes, Error> {
        match (volume, &self.boot.volume) {
            (None, _) => match &self.target {
                Some(target) => Ok(target.writes()?),
                None => Ok(Writes::All),
            },
            (Some(_), Some(boot)) => boot.writes(),
            (Some(path), None) => self.boot.beside.recorded(path)?.writes(),
        }
    }

    /// Checks that everything may be written on a volume.
    pub(crate) fn writes_all(&self, volume: Option<&str>) -> Result<(), Error> {
        match (volume, &self.boot.volume) {
            (None, _) => match &self.target {
                Some(target) => Ok(target.writes_all()?),
                None => Ok(()),
            },
            (Some(_), Some(boot)) => boot.writes_all(),
            (Some(path), None) => self.boot.beside.recorded(path)?.writes_all(),
        }
    }

    /// Refuses to continue while a run waits to be settled, except for the run that is being
    /// reversed.
    pub(crate) fn no_unfinished_run(&self, reversed: Option<&str>) -> Result<(), Error> {
        for run in self.state.runs()? {
            let run = run?;
            let name = run.id.to_string();
            let read = match run.read(&self.judge) {
                Ok(Some(read)) => read,
                Ok(None) => continue,
                // The run may not have ended.
                Err(error @ Error::DamagedRun { .. }) => {
                    let what = chain(&error);
                    return Err(Refusal::UnreadableRun { run: name, what }.into());
                }
                Err(error) => return Err(error),
            };
            if !read.journal.state.is_unfinished() || reversed == Some(name.as_str()) {
                continue;
            }
            if !read.trust.is_given() {
                return Err(read.untrusted().into());
            }
            return Err(Refusal::Unfinished {
                run: name,
                state: read.journal.state,
                partition: read.journal.partition(),
            }
            .into());
        }
        Ok(())
    }
}

/// The folder for undo data beside an image file. If the image was named by a link, it is beside
/// the file itself.
fn beside(disk: &Disk) -> Result<Option<PathBuf>, Error> {
    if disk.is_block_device() {
        return Ok(None);
    }
    let mut path = disk.path().to_path_buf();
    // The canonical form is used only if it is needed, because no other program on Windows shows
    // it.
    if path
        .symlink_metadata()
        .is_ok_and(|known| known.is_symlink())
    {
        let shown = path.display().to_string();
        path = path
            .canonicalize()
            .map_err(Error::io(&shown, "find the file that the link leads to"))?;
    }
    let Some(name) = path.file_name() else {
        return Ok(None);
    };
    let mut name = name.to_owned();
    name.push(STATE_SUFFIX);
    Ok(Some(path.with_file_name(name)))
}

fn unnamed(dir: &Path) -> impl FnOnce(diskmend_disk::OpenError) -> Error {
    move |error| match error {
        diskmend_disk::OpenError::Link { path } => Refusal::StateFolder {
            name: path.display().to_string(),
        }
        .into(),
        error => unopened(dir)(error),
    }
}

fn unopened(path: &Path) -> impl FnOnce(diskmend_disk::OpenError) -> Error {
    let path = path.display().to_string();
    move |source| Error::Target { path, source }
}
