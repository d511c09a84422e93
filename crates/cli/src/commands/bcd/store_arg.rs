//! The boot store as typed, and its file.

use std::path::{Path, PathBuf};

use diskmend_disk::{Kind, LookupError, Target};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::hints;
use crate::volume_root::volume_root;

/// The places of boot stores on a volume: for BIOS, and for EFI firmware.
const PLACES: [&[&str]; 2] = [&["Boot", "BCD"], &["EFI", "Microsoft", "Boot", "BCD"]];

const ELSEWHERE: &str = "on BIOS machines the store is \\Boot\\BCD of the system partition or of \
                         the Windows volume, on EFI machines \\EFI\\Microsoft\\Boot\\BCD of the \
                         EFI system partition: mount that volume, and name its folder or the \
                         store itself";

/// The boot store.
#[derive(Debug, clap::Args)]
pub(crate) struct StoreArg {
    /// The boot store: its file, or the mount point of its volume
    store: PathBuf,
}

impl StoreArg {
    /// The path as typed.
    pub(crate) fn path(&self) -> &Path {
        &self.store
    }

    /// The file of the store.
    pub(crate) fn file(&self) -> Result<PathBuf, Failure> {
        let root = volume_root(&self.store);
        if !root.is_dir() {
            // Opening the path reports what else it is.
            return Ok(self.store.clone());
        }
        let shown = root.display();
        let target = Target::open(&root).map_err(|error| hints::target_failure(&error))?;
        let mut files = Vec::new();
        for place in PLACES {
            match target.root().find(place) {
                Ok(Some(found)) if found.kind() == Kind::File => {
                    files.push(
                        found
                            .path
                            .split('/')
                            .fold(root.clone(), |path, name| path.join(name)),
                    );
                }
                Ok(_) | Err(LookupError::NotAFolder { .. }) => {}
                Err(error) => return Err(Failure::of(Exit::Failure, &error).context(shown)),
            }
        }
        match files.len() {
            0 => {
                let message = format_args!("{shown}: there is no boot store on this volume");
                Err(Failure::new(Exit::Failure, message).hint(ELSEWHERE))
            }
            1 => Ok(files.swap_remove(0)),
            _ => {
                let message = format_args!("{shown}: there are several boot stores");
                let failure = Failure::new(Exit::Refused, message);
                Err(files.iter().fold(failure, |failure, file| {
                    failure.hint(format!("name the right one: {}", file.display()))
                }))
            }
        }
    }
}
