//! Removing the folder of a run, so that a half removed one is never taken for a run.
//!
//! The folder lies on a disk that is not trusted: what is in it may be anything. No link is
//! followed, nothing but folders is opened, and depth and number of names have a limit.

use std::io;

use diskmend_disk::{Dir, Kind};

use super::state_folder::{RUNS, StateFolder};
use super::{MOST_NAMES, RunId};
use crate::error::Error;

/// What the name of a folder ends with that is being removed: no run has such a name.
const REMOVED: &str = ".removed";
/// Most folders in each other. A run of diskmend has none.
const MAX_DEPTH: usize = 8;
/// Most names that are looked at in one run's folder.
const MAX_NAMES: u64 = 1 << 16;

/// What lies in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Number of names, but those of folders.
    pub(crate) files: u64,
    /// Bytes of files.
    pub(crate) bytes: u64,
}

impl StateFolder {
    /// The names of runs whose removal was interrupted.
    pub(crate) fn half_removed(&self) -> Result<Vec<String>, Error> {
        let Some(runs) = self.runs_dir()? else {
            return Ok(Vec::new());
        };
        let names = runs
            .names(MOST_NAMES)
            .map_err(Error::io(RUNS, "list the folder"))?;
        let names = names.iter().filter_map(|name| name.strip_suffix(REMOVED));
        let names = names.filter(|name| RunId::parse(name).is_some());
        Ok(names.map(str::to_owned).collect())
    }

    /// What the folder of a run holds, or what is left of it.
    pub(crate) fn tally(&self, run: &str, half_removed: bool) -> Result<Tally, Error> {
        let name = folder_name(run, half_removed);
        let failed = || failed(&name, "list the folder");
        let mut walk = Walk::default();
        if let Some(runs) = self.runs_dir()? {
            walk.count_name(runs.as_ref(), &name, 0).map_err(failed())?;
        }
        Ok(walk.tally)
    }

    /// Removes the folder of a run, or what is left of it. The caller holds the lock of the target.
    ///
    /// The folder gets another name first, durably: whenever this is interrupted, there is the whole
    /// run or none.
    pub(crate) fn remove_run(&self, run: &str, half_removed: bool) -> Result<(), Error> {
        let Some(runs) = self.runs_dir()? else {
            return Ok(());
        };
        let removed = folder_name(run, true);
        if !half_removed {
            // What can't be removed as a whole stays as it is.
            self.tally(run, false)?;
            if !is_folder(runs.as_ref(), run).map_err(failed(run, "look at"))? {
                // Nothing of it can be left.
                clear(runs.as_ref(), run).map_err(failed(run, "remove"))?;
                return runs.sync().map_err(failed(run, "remove"));
            }
            if runs
                .kind(&removed)
                .map_err(failed(&removed, "look at"))?
                .is_some()
            {
                clear(runs.as_ref(), &removed).map_err(failed(&removed, "remove"))?;
            }
            runs.replace(run, &removed).map_err(failed(run, "rename"))?;
            runs.sync().map_err(failed(run, "rename"))?;
        }
        clear(runs.as_ref(), &removed).map_err(failed(&removed, "remove"))?;
        runs.sync().map_err(failed(&removed, "remove"))
    }
}

fn failed(name: &str, action: &'static str) -> impl FnOnce(io::Error) -> Error + use<> {
    Error::io(&format!("{RUNS}/{name}"), action)
}

fn folder_name(run: &str, half_removed: bool) -> String {
    match half_removed {
        true => format!("{run}{REMOVED}"),
        false => run.to_owned(),
    }
}

fn is_folder(parent: &dyn Dir, name: &str) -> io::Result<bool> {
    Ok(parent.kind(name)? == Some(Kind::Folder))
}

/// Removes a folder and all that is in it, or whatever else has that name: of a link that alone.
fn clear(parent: &dyn Dir, name: &str) -> io::Result<()> {
    if !is_folder(parent, name)? {
        return parent.remove_file(name);
    }
    // All of it is counted before anything is removed.
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

    /// Counts what has a name, at the depth that it has if it is a folder.
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
            // The name of a link goes, and not what it leads to.
            Some(_) => folder.remove_file(&name)?,
        }
    }
    Ok(())
}

fn too_much(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, what)
}
