//! The folder for undo data, and the list of the runs in it.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use diskmend_disk::{Dir, Kind};
use jiff::Timestamp;

use super::file_names::{RUNS, files_of, half_removed_run, run_of_files, unflushed_of};
use super::found::{FoundRun, MAX_JOURNALS};
use super::journal::KEPT;
use super::log::Log;
use super::trust::{Judge, Warrant};
use super::{MOST_NAMES, RunFolder, RunId, keepers};
use crate::error::{Error, Refusal};
use crate::run_names::RunNames;

/// The greatest number of runs that may begin in one second.
const MAX_PER_SECOND: usize = 1000;

/// The folder for undo data, which may not exist yet.
pub(crate) struct StateFolder {
    /// The parent folder and the name; `None` if nobody has named a place for the undo data of a
    /// block device. Commands that only read don't need one.
    place: Option<(Box<dyn Dir>, String)>,
}

/// The runs of a state folder, oldest first.
#[derive(Default)]
pub(crate) struct Runs {
    /// The folder with their files; `None` if there are no runs.
    dir: Option<Rc<dyn Dir>>,
    ids: std::vec::IntoIter<RunId>,
    /// The number of bytes of journals that may still be read.
    left: Rc<Cell<u64>>,
}

impl Runs {
    /// A run; `None` if it was removed meanwhile.
    fn open(&self, id: RunId) -> Option<Result<FoundRun, Error>> {
        let found = FoundRun::open(id, self.dir.as_ref()?)?;
        Some(Ok(found.within(Rc::clone(&self.left))))
    }
}

impl Iterator for Runs {
    type Item = Result<FoundRun, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(id) = self.ids.next() {
            if let Some(opened) = self.open(id) {
                return Some(opened);
            }
        }
        None
    }
}

impl DoubleEndedIterator for Runs {
    fn next_back(&mut self) -> Option<Self::Item> {
        while let Some(id) = self.ids.next_back() {
            if let Some(opened) = self.open(id) {
                return Some(opened);
            }
        }
        None
    }
}

impl StateFolder {
    /// The folder `name` in `parent`; the case of its name on disk is ignored.
    ///
    /// # Errors
    /// [`Refusal::StateFolder`] if it is a link or isn't a folder.
    pub(crate) fn new(parent: Box<dyn Dir>, name: &str) -> Result<Self, Error> {
        let refused = || {
            let name = name.to_owned();
            Error::from(Refusal::StateFolder { name })
        };
        let spelled = match parent.find(&[name]) {
            Ok(None) => name.to_owned(),
            Ok(Some(place)) if place.kind() == Kind::Folder => place.name,
            Ok(Some(_)) | Err(diskmend_disk::LookupError::Link { .. }) => return Err(refused()),
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            place: Some((parent, spelled)),
        })
    }

    /// No folder, for commands that only read.
    pub(crate) const fn nowhere() -> Self {
        Self { place: None }
    }

    /// Refuses a target if the place for its undo data isn't known.
    pub(crate) fn require_place(&self) -> Result<(), Error> {
        match self.place {
            Some(_) => Ok(()),
            None => Err(Refusal::StateFolderNeeded.into()),
        }
    }

    /// The folder itself, if it exists.
    pub(crate) fn open(&self) -> Result<Option<Box<dyn Dir>>, Error> {
        match &self.place {
            Some((parent, name)) => existing(parent.as_ref(), name),
            None => Ok(None),
        }
    }

    /// True if it is on the same volume as `root`.
    pub(crate) fn is_on_volume_of(&self, root: &dyn Dir) -> bool {
        let volume = |dir: &dyn Dir| Some(dir.own_metadata().ok()?.identity.device);
        let state = match self.open() {
            Ok(Some(state)) => volume(state.as_ref()),
            Ok(None) => match &self.place {
                Some((parent, _)) => volume(parent.as_ref()),
                None => None,
            },
            Err(_) => None,
        };
        state.is_some() && state == volume(root)
    }

    /// True if the folder of a run still holds a file that the run has moved there.
    pub(crate) fn keeps_files(&self, run: &RunId) -> Result<bool, Error> {
        let Some(runs) = self.runs_dir()? else {
            return Ok(false);
        };
        let Some(files) = existing(runs.as_ref(), &files_of(run))? else {
            return Ok(false);
        };
        let names = files
            .names(MOST_NAMES)
            .map_err(Error::io(RUNS, "list the folder"))?;
        Ok(names.iter().any(|name| name.starts_with(KEPT)))
    }

    /// True if its place is known, and it doesn't exist.
    pub(crate) fn is_missing(&self) -> Result<bool, Error> {
        Ok(self.place.is_some() && self.open()?.is_none())
    }

    /// The folder itself. It is created if it is missing.
    ///
    /// # Errors
    /// [`Refusal::StateFolderOpen`] if somebody else may have written to an existing one.
    pub(crate) fn create(&self) -> Result<Box<dyn Dir>, Error> {
        match &self.place {
            Some((parent, name)) => ensure(parent.as_ref(), name, name),
            None => Err(Refusal::StateFolderNeeded.into()),
        }
    }

    /// Refuses a folder that somebody else may have written to.
    ///
    /// # Errors
    /// [`Refusal::StateFolderOpen`], or an error of checking.
    pub(crate) fn require_private(&self) -> Result<(), Error> {
        match self.doubt()? {
            None => Ok(()),
            Some(doubt) => Err(doubt.into()),
        }
    }

    /// The refusal of this folder, or of the folder of the runs in it, if somebody else may have
    /// written to it. An empty folder that can be taken over isn't refused.
    pub(crate) fn doubt(&self) -> Result<Option<Refusal>, Error> {
        let Some((parent, name)) = &self.place else {
            return Ok(None);
        };
        let Some(state) = existing(parent.as_ref(), name)? else {
            return Ok(None);
        };
        if let Some(doubt) = keepers::doubt_of(state.as_ref(), name) {
            return Ok(Some(doubt));
        }
        let runs = existing(state.as_ref(), RUNS)?;
        Ok(runs.and_then(|runs| keepers::doubt_of(runs.as_ref(), &format!("{name}/{RUNS}"))))
    }

    /// The folder that holds the folders of runs, if it exists.
    pub(super) fn runs_dir(&self) -> Result<Option<Box<dyn Dir>>, Error> {
        match self.open()? {
            Some(state) => existing(state.as_ref(), RUNS),
            None => Ok(None),
        }
    }

    /// The runs, oldest first. Each is opened when its turn comes, because there may be more than a
    /// process can have open files.
    pub(crate) fn runs(&self) -> Result<Runs, Error> {
        let Some(dir) = self.runs_dir()? else {
            return Ok(Runs::default());
        };
        let names = dir
            .names(MOST_NAMES)
            .map_err(Error::io(RUNS, "list the folder"))?;
        let removed: Vec<RunId> = names
            .iter()
            .filter_map(|name| half_removed_run(name))
            .collect();
        // A run that was killed before it began may have left only a folder.
        let alone = names.iter().filter_map(|name| run_of_files(name));
        let alone = alone.filter(|id| !removed.contains(id));
        let whole = names.iter().filter_map(|name| RunId::parse(name));
        let mut ids: Vec<RunId> = whole.chain(alone).collect();
        ids.sort();
        ids.dedup();
        Ok(Runs {
            dir: Some(dir.into()),
            ids: ids.into_iter(),
            left: Rc::new(Cell::new(MAX_JOURNALS)),
        })
    }

    /// One run.
    pub(crate) fn run(&self, name: &str) -> Result<FoundRun, Error> {
        self.open_run(name)?.ok_or_else(|| self.no_run(name))
    }

    fn open_run(&self, name: &str) -> Result<Option<FoundRun>, Error> {
        Ok(match (RunId::parse(name), self.runs_dir()?) {
            (Some(id), Some(dir)) => FoundRun::open(id, &dir.into()),
            _ => None,
        })
    }

    /// The error for a run that does not exist.
    fn no_run(&self, name: &str) -> Error {
        match self.runs() {
            Ok(runs) => Error::NoRun {
                run: name.to_owned(),
                known: RunNames::of(runs.ids.as_slice()),
            },
            Err(error) => error,
        }
    }

    /// The run with this name, or the only run whose name begins like this.
    pub(crate) fn find(&self, text: &str) -> Result<RunId, Error> {
        if let Some(found) = self.open_run(text)? {
            return Ok(found.id);
        }
        let mut ids: Vec<RunId> = self.runs()?.ids.collect();
        // What has a time and its end is a whole name: if that run was removed, another run of the
        // same second is not meant.
        let is_beginning = !text.is_empty() && !text.contains('Z');
        ids.retain(|id| is_beginning && id.to_string().starts_with(text));
        match ids.as_slice() {
            [] => Err(self.no_run(text)),
            [id] => Ok(id.clone()),
            several => Err(Error::SeveralRuns {
                run: text.to_owned(),
                candidates: RunNames::of(several),
            }),
        }
    }

    /// Begins a new run. Its first journal makes it durable.
    pub(crate) fn new_run(&self, now: Timestamp, judge: &Judge) -> Result<RunFolder, Error> {
        judge.require_key().map_err(Refusal::NoKey)?;
        let state = self.create()?;
        let runs: Rc<dyn Dir> = ensure(state.as_ref(), RUNS, RUNS)?.into();
        let io = || Error::io(RUNS, "create a run");
        let mut id = RunId::first_of(now);
        for _ in 0..MAX_PER_SECOND {
            if is_left_of(runs.as_ref(), &id).map_err(io())? {
                id = id.next();
                continue;
            }
            let name = id.to_string();
            match runs.create(&name) {
                Ok(file) => {
                    let key = judge.own_run_key(&id).map_err(Refusal::NoKey)?;
                    let log = Log::begin(Rc::clone(&runs), name, file).map_err(io())?;
                    return Ok(RunFolder::new((id, runs), log, None, Warrant::Sealed(key)));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => id = id.next(),
                Err(error) => return Err(io()(error)),
            }
        }
        let taken = io::Error::from(io::ErrorKind::AlreadyExists);
        Err(Error::io(RUNS, "find a free name for the run")(taken))
    }
}

/// True if something is left of a removed run with that name.
fn is_left_of(runs: &dyn Dir, id: &RunId) -> io::Result<bool> {
    let left = |name: String| runs.kind(&name).map(|kind| kind.is_some());
    Ok(left(files_of(id))? || left(unflushed_of(id))?)
}

/// A folder that may be missing. Anything else with that name is refused.
fn existing(parent: &dyn Dir, name: &str) -> Result<Option<Box<dyn Dir>>, Error> {
    let kind = parent
        .kind(name)
        .map_err(Error::io(name, "look at the folder"))?;
    match kind {
        None => Ok(None),
        Some(Kind::Folder) => parent
            .open_private_dir(name)
            .map(Some)
            .map_err(Error::io(name, "open the folder")),
        Some(_) => Err(Refusal::StateFolder {
            name: name.to_owned(),
        }
        .into()),
    }
}

/// A folder, created durably if it is missing. A folder that somebody else may have written to is
/// refused; `path` names it then.
fn ensure(parent: &dyn Dir, name: &str, path: &str) -> Result<Box<dyn Dir>, Error> {
    if let Some(dir) = existing(parent, name)? {
        return match keepers::doubt(dir.as_ref()) {
            None => Ok(dir),
            Some(reason) => taken_over(parent, name)?.ok_or_else(|| {
                let name = path.to_owned();
                Refusal::StateFolderOpen { name, reason }.into()
            }),
        };
    }
    parent
        .create_dir(name)
        .map_err(Error::io(name, "create the folder"))?;
    parent
        .sync()
        .map_err(Error::io(name, "flush the folder above"))?;
    parent
        .open_private_dir(name)
        .map_err(Error::io(name, "open the folder"))
}

/// A folder of somebody else, if it is empty and could be taken over.
fn taken_over(parent: &dyn Dir, name: &str) -> Result<Option<Box<dyn Dir>>, Error> {
    let taken = parent.take_over_empty_dir(name);
    if taken.map_err(Error::io(name, "take the empty folder over"))? {
        existing(parent, name)
    } else {
        Ok(None)
    }
}
