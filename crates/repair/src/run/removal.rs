//! Removing a run, so that a half-removed one is never taken for a run.
//!
//! The disk isn't trusted, so the run may hold anything. No link is followed, nothing but folders
//! is opened, and there are limits for the depth and the number of names.

use std::io;

use diskmend_disk::{Dir, Kind};

use super::file_names::{RUNS, files_of, half_removed_name, half_removed_run, unflushed_of};
use super::state_folder::StateFolder;
use super::{MOST_NAMES, RunId};
use crate::error::Error;

/// The greatest depth of folders. A run of diskmend has one.
const MAX_DEPTH: usize = 8;
/// The greatest number of names in a run's folder.
const MAX_NAMES: u64 = 1 << 16;

/// The number and size of a run's files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// The number of names, except those of folders.
    pub(crate) files: u64,
    /// The number of bytes in files.
    pub(crate) bytes: u64,
}

impl StateFolder {
    /// The names of runs with an interrupted removal.
    pub(crate) fn half_removed(&self) -> Result<Vec<String>, Error> {
        let Some(runs) = self.runs_dir()? else {
            return Ok(Vec::new());
        };
        let names = runs
            .names(MOST_NAMES)
            .map_err(Error::io(RUNS, "list the folder"))?;
        let runs = names.iter().filter_map(|name| half_removed_run(name));
        Ok(runs.map(|id| id.to_string()).collect())
    }

    /// The files of a run, or those that are left of it.
    pub(crate) fn tally(&self, run: &str, half_removed: bool) -> Result<Tally, Error> {
        let mut walk = Walk::default();
        if let Some(runs) = self.runs_dir()? {
            let others = others(run).into_iter();
            for name in others.chain([name_of(run, half_removed)]) {
                let counted = walk.count_name(runs.as_ref(), &name, 0);
                counted.map_err(failed(&name, "list the folder"))?;
            }
        }
        Ok(walk.tally)
    }

    /// Removes a run or what is left of it. The caller holds the target's lock.
    ///
    /// The run is first durably renamed. If the removal is interrupted, the whole run is there or
    /// no run.
    pub(crate) fn remove_run(&self, run: &str, half_removed: bool) -> Result<(), Error> {
        let Some(runs) = self.runs_dir()? else {
            return Ok(());
        };
        let runs = runs.as_ref();
        let removed = name_of(run, true);
        if !half_removed {
            // If it can't be removed completely, it isn't touched.
            self.tally(run, false)?;
            let kind = runs.kind(run).map_err(failed(run, "look at"))?;
            if matches!(kind, Some(Kind::Folder | Kind::File)) {
                clear(runs, &removed).map_err(failed(&removed, "remove"))?;
                runs.replace(run, &removed).map_err(failed(run, "rename"))?;
                runs.sync().map_err(failed(run, "rename"))?;
            } else {
                // Nothing can be left over in this case.
                clear(runs, run).map_err(failed(run, "remove"))?;
            }
        }
        for name in others(run) {
            clear(runs, &name).map_err(failed(&name, "remove"))?;
        }
        clear(runs, &removed).map_err(failed(&removed, "remove"))?;
        runs.sync().map_err(failed(&removed, "remove"))
    }
}

/// The names of a run's other files and folders.
fn others(run: &str) -> Vec<String> {
    let id = RunId::parse(run);
    id.map_or_else(Vec::new, |id| vec![files_of(&id), unflushed_of(&id)])
}

fn failed(name: &str, action: &'static str) -> impl FnOnce(io::Error) -> Error + use<> {
    Error::io(&format!("{RUNS}/{name}"), action)
}

fn name_of(run: &str, half_removed: bool) -> String {
    if half_removed {
        half_removed_name(run)
    } else {
        run.to_owned()
    }
}

/// Removes a folder with everything in it, or whatever else has that name. Of a link, only the link
/// is removed.
fn clear(parent: &dyn Dir, name: &str) -> io::Result<()> {
    match parent.kind(name)? {
        None => return Ok(()),
        Some(Kind::Folder) => {}
        Some(_) => return parent.remove_file(name),
    }
    // Everything is counted before anything is removed.
    let folder = parent.open_dir(name)?;
    Walk::default().count(folder.as_ref(), 0)?;
    remove_all(folder.as_ref(), 0)?;
    drop(folder);
    parent.remove_dir(name)
}

#[derive(Default)]
struct Walk {
    tally: Tally,
    names: u64,
}

impl Walk {
    fn count(&mut self, folder: &dyn Dir, depth: usize) -> io::Result<()> {
        if depth > MAX_DEPTH {
            return Err(too_much(format!(
                "more than {MAX_DEPTH} folders in each other"
            )));
        }
        for name in folder.names(MOST_NAMES)? {
            self.names += 1;
            if self.names > MAX_NAMES {
                return Err(too_much(format!("more than {MAX_NAMES} names")));
            }
            self.count_name(folder, &name, depth + 1)?;
        }
        Ok(())
    }

    /// Counts the object with a name. `depth` is its depth if it is a folder.
    fn count_name(&mut self, parent: &dyn Dir, name: &str, depth: usize) -> io::Result<()> {
        match parent.kind(name)? {
            None => {}
            Some(Kind::Folder) => self.count(parent.open_dir(name)?.as_ref(), depth)?,
            Some(kind) => {
                self.tally.files += 1;
                if kind == Kind::File {
                    let bytes = parent.metadata(name)?.len;
                    self.tally.bytes = self.tally.bytes.saturating_add(bytes);
                }
            }
        }
        Ok(())
    }
}

fn remove_all(folder: &dyn Dir, depth: usize) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(too_much(format!(
            "more than {MAX_DEPTH} folders in each other"
        )));
    }
    for name in folder.names(MOST_NAMES)? {
        match folder.kind(&name)? {
            None => {}
            Some(Kind::Folder) => {
                let below = folder.open_dir(&name)?;
                remove_all(below.as_ref(), depth + 1)?;
                drop(below);
                folder.remove_dir(&name)?;
            }
            // Only the link itself is removed.
            Some(_) => folder.remove_file(&name)?,
        }
    }
    Ok(())
}

fn too_much(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, what)
}
