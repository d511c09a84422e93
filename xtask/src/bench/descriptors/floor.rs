//! The minimum of work: only the calls themselves, one file after the other. It runs as a process
//! of its own, like the programs that are compared with it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use rustix::fs::{XattrFlags, getxattr, setxattr};

use super::files::{ATTRIBUTE, MAX_DESCRIPTOR_LEN, repaired};

/// What to do to each file of a folder.
#[derive(clap::Args)]
pub struct FloorOptions {
    /// Set the descriptor after reading it
    #[arg(long)]
    set: bool,
    /// Go into the folder first, so that each file is named by its name alone
    #[arg(long)]
    within: bool,
    folder: PathBuf,
}

/// Reads the descriptor of each file, by its path, and sets it if the options say so.
///
/// # Errors
/// If a call fails.
pub fn floor(options: &FloorOptions) -> Result<()> {
    let repaired = repaired()?;
    let mut buffer = vec![0; MAX_DESCRIPTOR_LEN];
    let entries = std::fs::read_dir(&options.folder)?;
    if options.within {
        std::env::set_current_dir(&options.folder)?;
    }
    for entry in entries {
        let entry = entry?;
        let path = if options.within {
            entry.file_name().into()
        } else {
            entry.path()
        };
        getxattr(&path, ATTRIBUTE, &mut *buffer).with_context(|| path.display().to_string())?;
        if options.set {
            setxattr(&path, ATTRIBUTE, &repaired, XattrFlags::empty())
                .with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}
