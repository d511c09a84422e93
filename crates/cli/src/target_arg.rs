//! The target and what belongs to it, as typed and as opened.

use std::path::{Path, PathBuf};

use diskmend_disk::Target;
use diskmend_repair::Options;

use crate::failure::Failure;
use crate::hints;
use crate::output::shell;

/// The disk to work on.
#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// The folder on which the Windows volume is mounted; on Windows, its drive letter
    pub(crate) target: PathBuf,
    #[command(flatten)]
    pub(crate) state: StateArgs,
}

/// Where undo data go.
#[derive(Debug, clap::Args)]
pub(crate) struct StateArgs {
    /// Keep undo data in this folder instead of 'diskmend' at the volume's root (for a hive file
    /// that is not part of a Windows: beside it); give it to every command on the same target
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl TargetArgs {
    /// Opens the target.
    pub(crate) fn open(&self) -> Result<Target, Failure> {
        Target::open(&root(&self.target)).map_err(|error| hints::target_failure(&error))
    }

    /// Turns an error of the engine into a failure with hints that name the target.
    pub(crate) fn failure(&self, error: &diskmend_repair::Error) -> Failure {
        hints::engine_failure(error, &self.target, &self.state.option())
    }
}

impl StateArgs {
    /// The option as typed, to be repeated in hints; empty where it was not.
    pub(crate) fn option(&self) -> String {
        let dir = self.state_dir.as_ref();
        dir.map_or(String::new(), |dir| {
            let dir = dir.display().to_string();
            format!(" --state-dir {}", shell::word(&dir))
        })
    }

    /// What the engine takes.
    pub(crate) fn options(&self) -> Options {
        Options {
            state_dir: self.state_dir.clone(),
            scratch: Some(std::env::temp_dir()),
            ..Options::default()
        }
    }
}

/// A drive letter alone means the drive's current folder to Windows; here its root is meant.
pub(crate) fn root(path: &Path) -> PathBuf {
    let letter = path.to_str().and_then(|text| text.strip_suffix(':'));
    match letter {
        Some(letter) if cfg!(windows) && letter.len() == 1 => PathBuf::from(format!("{letter}:\\")),
        _ => path.to_owned(),
    }
}
