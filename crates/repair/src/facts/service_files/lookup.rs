//! Looking for many files of a few folders.

use std::collections::BTreeMap;

use diskmend_disk::{Dir, Kind, LookupError};
use serde::Serialize;

/// The greatest number of folders that are kept open.
const MOST_FOLDERS: usize = 64;
/// The greatest number of problems that are told.
const MOST_PROBLEMS: usize = 8;
const DRIVERS: [&str; 3] = ["Windows", "System32", "drivers"];

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileFault {
    /// There is no such file.
    Missing,
    /// It has no bytes.
    Empty,
}

/// Looks for files below a root. Each folder is opened once.
pub(super) struct Lookup<'r> {
    root: &'r dyn Dir,
    /// The folders by their path in lower case; `None` for one that the disk does not have.
    folders: BTreeMap<String, Option<Box<dyn Dir>>>,
    /// What could not be looked up, for display.
    pub(super) problems: Vec<String>,
}

impl<'r> Lookup<'r> {
    pub(super) const fn new(root: &'r dyn Dir) -> Self {
        Self {
            root,
            folders: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    /// True if the disk has the folder of drivers, with something in it.
    pub(super) fn has_drivers(&mut self) -> bool {
        let folder = self.root.find(&DRIVERS).ok().flatten();
        let folder = folder.and_then(|found| found.open_dir().ok());
        // Too many names to be listed are something too.
        folder.is_some_and(|folder| !folder.names(0).is_ok_and(|names| names.is_empty()))
    }

    /// True if this is a file that is not empty.
    pub(super) fn is_file(&mut self, path: &[&str]) -> bool {
        let path: Vec<String> = path.iter().copied().map(str::to_owned).collect();
        let problems = self.problems.len();
        self.fault(&path).is_none() && self.problems.len() == problems
    }

    /// What is wrong with a file; `None` if nothing is, or if that can't be said: a link on the way
    /// is not followed.
    pub(super) fn fault(&mut self, path: &[String]) -> Option<FileFault> {
        match self.look(path) {
            Ok(fault) => fault,
            Err(error) => {
                if self.problems.len() < MOST_PROBLEMS {
                    let error = diskmend_base::chain(&error);
                    self.problems.push(error);
                }
                None
            }
        }
    }

    fn look(&mut self, path: &[String]) -> Result<Option<FileFault>, LookupError> {
        let Some((file, folder)) = path.split_last() else {
            return Ok(None);
        };
        let name = folder.join("/").to_lowercase();
        if !self.folders.contains_key(&name) {
            if self.folders.len() == MOST_FOLDERS {
                self.folders.clear();
            }
            let opened = self.open(folder)?;
            self.folders.insert(name.clone(), opened);
        }
        let Some(Some(folder)) = self.folders.get(&name) else {
            return Ok(Some(FileFault::Missing));
        };
        let found = folder.find(&[file])?;
        Ok(match found {
            None => Some(FileFault::Missing),
            Some(found) if found.kind() == Kind::File && found.metadata.len == 0 => {
                Some(FileFault::Empty)
            }
            Some(_) => None,
        })
    }

    fn open(&self, folder: &[String]) -> Result<Option<Box<dyn Dir>>, LookupError> {
        let names: Vec<&str> = folder.iter().map(String::as_str).collect();
        if names.is_empty() {
            let io = |source| LookupError::Io {
                path: std::path::PathBuf::new(),
                source,
            };
            return self.root.try_clone().map(Some).map_err(io);
        }
        let Some(found) = self.root.find(&names)? else {
            return Ok(None);
        };
        let io = |source| LookupError::Io {
            path: found.path.clone().into(),
            source,
        };
        found.open_dir().map(Some).map_err(io)
    }
}
