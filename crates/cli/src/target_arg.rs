//! The options for the target, and how they are opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use diskmend_disk::Target;
use diskmend_repair::{BootChoice, Engine, Error, Keys, Options, Refusal, hive_file};

use crate::failure::Failure;
use crate::hints;
use crate::hive_target;
use crate::key_store::{self, KeyFile, KnownKey};
use crate::output::shell;
use crate::volume_root::volume_root;

/// The target disk.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// The mount point of the Windows volume; on Windows, its drive letter; or an unmounted disk:
    /// an image file (raw, VHD, VHDX) or a block device
    pub(crate) target: PathBuf,
    #[command(flatten)]
    volume: VolumeArgs,
    #[command(flatten)]
    pub(crate) state: StateArgs,
}

/// The volume of an unmounted disk.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct VolumeArgs {
    /// The partition to work on, by its number as 'diskmend disks' lists it, if an unmounted disk
    /// has several that could be meant
    #[arg(long, value_name = "N")]
    volume: Option<u32>,
}

/// The folder for undo data.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StateArgs {
    /// Keep undo data in this folder instead of 'diskmend' at the volume's root (for an image:
    /// instead of the folder next to it with its name and '.diskmend'; for a hive file that is not
    /// part of a Windows: instead of a folder next to it); give this option to every command on
    /// this target
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Believe runs that the machine with this key has sealed: the file that 'diskmend key export'
    /// made there; may be repeated
    #[arg(long = "key", value_name = "FILE", value_parser = key_store::read)]
    keys: Vec<KnownKey>,
}

impl TargetArgs {
    /// Opens the target.
    pub(crate) fn open(&self) -> Result<Target, Failure> {
        self.volume.open(&volume_root(&self.target))
    }

    /// If the target is a hive file that was edited or belongs to a Windows: the target that
    /// remembers its edits, and the path of the file below it, as runs name it.
    pub(crate) fn of_hive(&self) -> Result<Option<(Self, String)>, Failure> {
        if !hive_target::is_hive_file(&self.target) {
            return Ok(None);
        }
        let place = hive_file::place_of(&self.target);
        let (target, hive) = place.map_err(|error| self.failure(&error))?;
        let target = Self {
            target,
            ..self.clone()
        };
        let engine = target.engine(BootChoice::default())?;
        if target.not_a_target(&engine)?.is_some() {
            // Opening it says what it is instead.
            return Ok(None);
        }
        Ok(Some((target, hive)))
    }

    /// Opens the target for a command that may need its boot store.
    pub(crate) fn engine(&self, boot: BootChoice) -> Result<Engine, Failure> {
        self.engine_with(|options| options.boot = boot)
    }

    /// Opens the target with other options than the default ones.
    pub(crate) fn engine_with(&self, choose: impl FnOnce(&mut Options)) -> Result<Engine, Failure> {
        let mut options = self.state.options();
        choose(&mut options);
        Engine::open(self.open()?, options).map_err(|error| self.failure(&error))
    }

    /// The same target with its runs in another folder.
    pub(crate) fn with_state_dir(&self, dir: PathBuf) -> Self {
        let mut target = self.clone();
        target.state.state_dir = Some(dir);
        target
    }

    /// The failure of a command that needs runs, if the target is not Windows and has no undo data.
    pub(crate) fn not_a_target(&self, engine: &Engine) -> Result<Option<Failure>, Failure> {
        let is_none = engine.is_not_a_target();
        let is_none = is_none.map_err(|error| self.failure(&error))?;
        Ok(is_none.then(|| hints::not_a_target(&self.target)))
    }

    /// The options as typed, to be repeated in hints.
    pub(crate) fn option(&self) -> String {
        format!("{}{}", self.volume.option(), self.state.option())
    }

    /// The options for a run of that partition, to be repeated in hints.
    pub(crate) fn option_for(&self, partition: Option<u32>) -> String {
        let volume = VolumeArgs {
            volume: partition.or(self.volume.volume),
        };
        format!("{}{}", volume.option(), self.state.option())
    }

    /// The keys that are believed.
    pub(crate) fn keys(&self) -> Keys {
        self.state.options().keys
    }

    /// Turns an error of the engine into a failure with hints that name the target.
    pub(crate) fn failure(&self, error: &Error) -> Failure {
        let partition = match error {
            Error::Refused(Refusal::OtherPartition { partition, .. }) => Some(*partition),
            Error::Refused(
                Refusal::Unfinished { partition, .. } | Refusal::Untrusted { partition, .. },
            ) => *partition,
            _ => None,
        };
        hints::engine_failure(error, &self.target, &self.option_for(partition))
    }
}

impl VolumeArgs {
    /// Opens the volume that is mounted on this folder, or is on this disk.
    pub(crate) fn open(&self, root: &Path) -> Result<Target, Failure> {
        Target::open_volume(root, self.volume).map_err(|error| hints::target_failure(&error))
    }

    /// The number of the partition, if it was given.
    pub(crate) fn number(&self) -> Option<u32> {
        self.volume
    }

    /// The option as typed, to be repeated in hints; empty if it was not given.
    pub(crate) fn option(&self) -> String {
        match self.volume {
            Some(number) => format!(" --volume {number}"),
            None => String::new(),
        }
    }
}

impl StateArgs {
    /// The option as typed, to be repeated in hints; empty if it was not given.
    pub(crate) fn option(&self) -> String {
        let mut option = String::new();
        if let Some(dir) = &self.state_dir {
            let dir = dir.display().to_string();
            option.push_str(&format!(" --state-dir {}", shell::word(&dir)));
        }
        for known in &self.keys {
            option.push_str(&format!(" --key {}", shell::word(&known.path)));
        }
        option
    }

    /// The options in the engine's terms.
    pub(crate) fn options(&self) -> Options {
        Options {
            state_dir: self.state_dir.clone(),
            scratch: Some(std::env::temp_dir()),
            keys: Keys {
                own: Some(Arc::new(KeyFile::of_this_machine())),
                known: self.keys.iter().map(|known| known.key.clone()).collect(),
            },
            ..Options::default()
        }
    }
}
