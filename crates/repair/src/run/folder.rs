//! The state folder with its runs, and how a journal is kept durable.

use std::io;

use diskmend_disk::{Access, Change, Kind};
use jiff::Timestamp;

use super::journal::{Head, MAX_LEN};
use super::{Content, Journal, RunId, undo_data};
use crate::descriptors::{Draft, RECORDS, RecordsEntry, RecordsReader};
use crate::error::{Error, Refusal};
use crate::store::{Dir, OpenFile};

const RUNS: &str = "runs";
const JOURNAL: &str = "journal.json";
const JOURNAL_NEW: &str = "journal.json.new";
/// Most runs that may begin in one second.
const MAX_PER_SECOND: usize = 1000;

/// The folder for undo data, which may not exist yet.
pub(crate) struct StateFolder {
    /// The folder above and the name; none where nobody has said where undo data of a block device
    /// are to go, which for reading does not matter.
    place: Option<(Box<dyn Dir>, String)>,
}

/// The folder of one run.
pub(crate) struct RunFolder {
    pub(crate) id: RunId,
    dir: Box<dyn Dir>,
}

impl StateFolder {
    /// The folder `name` in `parent`, in whatever case it is spelled on disk.
    ///
    /// # Errors
    /// [`Refusal::StateFolder`] where that is a link or no folder.
    pub(crate) fn new(parent: Box<dyn Dir>, name: &str) -> Result<Self, Error> {
        let refused = || {
            let name = name.to_owned();
            Error::from(Refusal::StateFolder { name })
        };
        let spelled = match parent.find(&[name]) {
            Ok(None) => name.to_owned(),
            Ok(Some(place)) if place.kind == Kind::Folder => place.name,
            Ok(Some(_)) | Err(diskmend_disk::LookupError::Link { .. }) => return Err(refused()),
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            place: Some((parent, spelled)),
        })
    }

    /// None, for what only reads.
    pub(crate) const fn nowhere() -> Self {
        Self { place: None }
    }

    /// Whether it is known where undo data go.
    pub(crate) const fn is_somewhere(&self) -> bool {
        self.place.is_some()
    }

    /// The folder itself, where it exists.
    pub(crate) fn open(&self) -> Result<Option<Box<dyn Dir>>, Error> {
        match &self.place {
            Some((parent, name)) => existing(parent.as_ref(), name),
            None => Ok(None),
        }
    }

    /// The folder itself, created where missing.
    pub(crate) fn create(&self) -> Result<Box<dyn Dir>, Error> {
        match &self.place {
            Some((parent, name)) => ensure(parent.as_ref(), name),
            None => Err(Refusal::StateFolderNeeded.into()),
        }
    }

    /// The runs that have a folder, oldest first.
    pub(crate) fn runs(&self) -> Result<Vec<RunFolder>, Error> {
        let Some(state) = self.open()? else {
            return Ok(Vec::new());
        };
        let Some(runs) = existing(state.as_ref(), RUNS)? else {
            return Ok(Vec::new());
        };
        let mut ids: Vec<RunId> = runs
            .names()
            .map_err(Error::io(RUNS, "list the folder"))?
            .iter()
            .filter_map(|name| RunId::parse(name))
            .collect();
        ids.sort();
        let mut folders = Vec::new();
        for id in ids {
            if let Some(dir) = existing(runs.as_ref(), &id.to_string())? {
                folders.push(RunFolder { id, dir });
            }
        }
        Ok(folders)
    }

    /// The folder of one run.
    pub(crate) fn run(&self, name: &str) -> Result<RunFolder, Error> {
        let wanted = RunId::parse(name);
        self.runs()?
            .into_iter()
            .find(|run| Some(&run.id) == wanted.as_ref())
            .ok_or_else(|| Error::NoRun {
                run: name.to_owned(),
            })
    }

    /// Makes the folder of a new run, durably.
    pub(crate) fn new_run(&self, now: Timestamp) -> Result<RunFolder, Error> {
        let state = self.create()?;
        let runs = ensure(state.as_ref(), RUNS)?;
        let mut id = RunId::first_of(now);
        for _ in 0..MAX_PER_SECOND {
            match runs.create_dir(&id.to_string()) {
                Ok(()) => {
                    let name = id.to_string();
                    runs.sync().map_err(Error::io(RUNS, "flush the folder"))?;
                    let dir = runs
                        .open_dir(&name)
                        .map_err(Error::io(&name, "open the folder"))?;
                    return Ok(RunFolder { id, dir });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => id = id.next(),
                Err(error) => return Err(Error::io(RUNS, "create a folder")(error)),
            }
        }
        let taken = io::Error::from(io::ErrorKind::AlreadyExists);
        Err(Error::io(RUNS, "find a free name for the run")(taken))
    }
}

impl RunFolder {
    /// Reads the journal; `None` where the run was killed before it had one, and has changed
    /// nothing.
    pub(crate) fn journal(&self) -> Result<Option<Journal>, Error> {
        self.decoded(Journal::decode)
    }

    /// How far the run got, as [`journal`](Self::journal) tells it.
    pub(crate) fn head(&self) -> Result<Option<Head>, Error> {
        self.decoded(Journal::decode_head)
    }

    fn decoded<T>(&self, decode: impl Fn(&[u8]) -> Result<T, String>) -> Result<Option<T>, Error> {
        let io = |error| Error::io(&self.path(JOURNAL), "read the journal")(error);
        let file = match self.dir.open(JOURNAL, Access::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        let len = file.len().map_err(io)?;
        if len > MAX_LEN {
            return Err(self.damaged(JOURNAL, &format!("{len} bytes long")));
        }
        let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
        file.read_exact_at(&mut bytes, 0).map_err(io)?;
        decode(&bytes)
            .map(Some)
            .map_err(|what| self.damaged(JOURNAL, &what))
    }

    /// Writes the journal; whenever that is interrupted, the old or the new one is there.
    pub(crate) fn write_journal(&self, journal: &Journal) -> Result<(), Error> {
        let write = || {
            let bytes = journal.encode()?;
            match self.dir.remove_file(JOURNAL_NEW) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = self.dir.create(JOURNAL_NEW)?;
            file.write_all_at(&bytes, 0)?;
            file.sync()?;
            drop(file);
            self.dir.replace(JOURNAL_NEW, JOURNAL)?;
            self.dir.sync()
        };
        write().map_err(Error::io(&self.path(JOURNAL), "write the journal"))
    }

    /// Writes undo data. They are durable once the journal that names them is.
    pub(crate) fn write_undo(
        &self,
        name: &str,
        records: &[undo_data::PreImage],
    ) -> Result<(), Error> {
        let write = || {
            let mut file = self.dir.create(name)?;
            file.write_all_at(&undo_data::encode(records), 0)?;
            file.sync()
        };
        write().map_err(Error::io(&self.path(name), "write the undo data"))
    }

    /// Writes the changes of security descriptors that a run is about to make. They are durable
    /// once the journal that names them is.
    pub(crate) fn write_records(&self, draft: Draft) -> Result<RecordsEntry, Error> {
        let path = self.path(RECORDS);
        let io = || Error::io(&path, "write the undo data");
        let objects = draft.objects();
        let mut file = self.dir.create(RECORDS).map_err(io())?;
        let mut at = 0;
        draft.copy(|bytes| {
            file.write_all_at(bytes, at).map_err(io())?;
            at += bytes.len() as u64;
            Ok(())
        })?;
        file.sync().map_err(io())?;
        Ok(RecordsEntry {
            file: RECORDS.to_owned(),
            content: Content::of_file(file.as_ref()).map_err(io())?,
            objects,
        })
    }

    /// Hands the changes of security descriptors to `visit`, frame by frame.
    ///
    /// # Errors
    /// Where they can't be read, or are not those that were written.
    pub(crate) fn for_each_frame(
        &self,
        entry: &RecordsEntry,
        mut visit: impl FnMut(Vec<Change>),
    ) -> Result<(), Error> {
        let damaged = |error: io::Error| self.damaged(&entry.file, &error.to_string());
        let file = self.open_records(entry)?;
        for frame in RecordsReader::new(file.as_ref()).map_err(damaged)? {
            visit(frame.map_err(damaged)?);
        }
        Ok(())
    }

    /// Opens the changes of security descriptors, which must be those that were written.
    pub(crate) fn open_records(&self, entry: &RecordsEntry) -> Result<Box<dyn OpenFile>, Error> {
        let path = self.path(&entry.file);
        let io = || Error::io(&path, "read the undo data");
        let file = self.dir.open(&entry.file, Access::Read).map_err(io())?;
        match Content::of_file(file.as_ref()).map_err(io())? == entry.content {
            true => Ok(file),
            false => Err(self.damaged(&entry.file, "not what the journal says")),
        }
    }

    /// Creates a file, in place of one that a run that was killed has left. `action` says what this
    /// is for a person.
    pub(crate) fn create_anew(
        &self,
        name: &str,
        action: &'static str,
    ) -> Result<Box<dyn OpenFile>, Error> {
        let path = self.path(name);
        let io = || Error::io(&path, action);
        match self.dir.remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io()(error)),
            _ => self.dir.create(name).map_err(io()),
        }
    }

    /// Opens a file of the run.
    pub(crate) fn open(&self, name: &str, access: Access) -> Result<Box<dyn OpenFile>, Error> {
        let path = self.path(name);
        self.dir
            .open(name, access)
            .map_err(Error::io(&path, "open the undo data"))
    }

    /// Opens a file of the run for reading, where it is there.
    pub(crate) fn open_existing(&self, name: &str) -> Result<Option<Box<dyn OpenFile>>, Error> {
        match self.dir.open(name, Access::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened
                .map(Some)
                .map_err(Error::io(&self.path(name), "open the undo data")),
        }
    }

    /// Removes a file of the run, durably.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        self.dir
            .remove_file(name)
            .map_err(Error::io(&self.path(name), "remove the undo data"))?;
        self.sync()
    }

    /// Makes the names of the run's files durable.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        let name = self.id.to_string();
        self.dir
            .sync()
            .map_err(Error::io(&name, "flush the folder"))
    }

    /// Opens undo data.
    pub(crate) fn read_undo(&self, name: &str) -> Result<undo_data::UndoData, Error> {
        let file = self
            .dir
            .open(name, Access::Read)
            .map_err(Error::io(&self.path(name), "open the undo data"))?;
        undo_data::UndoData::open(file).map_err(|error| self.damaged(name, &error.to_string()))
    }

    /// Removes what is left of a run that changed nothing; failing at that does no harm.
    pub(crate) fn discard(self, state: &StateFolder) {
        for name in self.dir.names().unwrap_or_default() {
            let _ = self.dir.remove_file(&name);
        }
        let runs = state
            .open()
            .ok()
            .flatten()
            .and_then(|state| existing(state.as_ref(), RUNS).ok().flatten());
        if let Some(runs) = runs {
            let _ = runs.remove_dir(&self.id.to_string());
        }
    }

    pub(crate) fn damaged(&self, file: &str, what: &str) -> Error {
        Error::DamagedRun {
            run: self.id.to_string(),
            file: file.to_owned(),
            what: what.to_owned(),
        }
    }

    fn path(&self, name: &str) -> String {
        format!("{RUNS}/{}/{name}", self.id)
    }
}

/// A folder that may be missing; anything else of that name is refused.
fn existing(parent: &dyn Dir, name: &str) -> Result<Option<Box<dyn Dir>>, Error> {
    let kind = parent
        .kind(name)
        .map_err(Error::io(name, "look at the folder"))?;
    match kind {
        None => Ok(None),
        Some(Kind::Folder) => parent
            .open_dir(name)
            .map(Some)
            .map_err(Error::io(name, "open the folder")),
        Some(_) => Err(Refusal::StateFolder {
            name: name.to_owned(),
        }
        .into()),
    }
}

/// A folder, created durably where missing.
fn ensure(parent: &dyn Dir, name: &str) -> Result<Box<dyn Dir>, Error> {
    if let Some(dir) = existing(parent, name)? {
        return Ok(dir);
    }
    parent
        .create_dir(name)
        .map_err(Error::io(name, "create the folder"))?;
    parent
        .sync()
        .map_err(Error::io(name, "flush the folder above"))?;
    parent
        .open_dir(name)
        .map_err(Error::io(name, "open the folder"))
}
