//! The state folder with its runs, and how a journal is kept durable.

use std::io;

use diskmend_disk::{Access, Change, Kind};
use jiff::Timestamp;

use super::journal::{Head, MAX_LEN};
use super::{Content, Journal, RunId, keepers, undo_data};
use crate::descriptors::{Draft, RECORDS, RecordsEntry, RecordsReader};
use crate::documents::RunState;
use crate::error::{Error, Refusal};
use crate::store::{Dir, OpenFile};

pub(super) const RUNS: &str = "runs";
const JOURNAL: &str = "journal.json";
const JOURNAL_NEW: &str = "journal.json.new";
/// The last journal that was made durable, while a later one could not be.
const JOURNAL_DURABLE: &str = "journal.json.durable";
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

/// What a journal tells of how far its run got.
trait Noted {
    /// What is known is that the run failed, and could not be taken back.
    fn set_broken(&mut self);
}

impl Noted for Journal {
    fn set_broken(&mut self) {
        self.state = RunState::Broken;
    }
}

impl Noted for Head {
    fn set_broken(&mut self) {
        self.state = RunState::Broken;
    }
}

/// The runs of a state folder, oldest first.
#[derive(Default)]
pub(crate) struct Runs {
    /// The folder that holds theirs; none if there are no runs.
    dir: Option<Box<dyn Dir>>,
    ids: std::vec::IntoIter<RunId>,
}

impl Runs {
    /// The folder of a run; `None` if it was removed meanwhile.
    fn open(&self, id: RunId) -> Option<Result<RunFolder, Error>> {
        let opened = existing(self.dir.as_deref()?, &id.to_string()).transpose()?;
        Some(opened.map(|dir| RunFolder { id, dir }))
    }
}

impl Iterator for Runs {
    type Item = Result<RunFolder, Error>;

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
    ///
    /// # Errors
    /// [`Refusal::StateFolderOpen`] where somebody else may have written what is there.
    pub(crate) fn create(&self) -> Result<Box<dyn Dir>, Error> {
        match &self.place {
            Some((parent, name)) => ensure(parent.as_ref(), name, name),
            None => Err(Refusal::StateFolderNeeded.into()),
        }
    }

    /// Refuses a folder that somebody else may have written.
    ///
    /// # Errors
    /// [`Refusal::StateFolderOpen`]; what hinders from looking.
    pub(crate) fn require_private(&self) -> Result<(), Error> {
        match self.doubt()? {
            None => Ok(()),
            Some(doubt) => Err(doubt.into()),
        }
    }

    /// Why somebody else may have written the folder, or the one of the runs in it, where that is
    /// so. An empty one that can be taken over is in no doubt.
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

    /// The runs that have a folder, oldest first. Each folder is opened when its turn comes: there
    /// may be more of them than a process can have files open.
    pub(crate) fn runs(&self) -> Result<Runs, Error> {
        let Some(dir) = self.runs_dir()? else {
            return Ok(Runs::default());
        };
        let mut ids: Vec<RunId> = dir
            .names()
            .map_err(Error::io(RUNS, "list the folder"))?
            .iter()
            .filter_map(|name| RunId::parse(name))
            .collect();
        ids.sort();
        Ok(Runs {
            dir: Some(dir),
            ids: ids.into_iter(),
        })
    }

    /// The folder of one run.
    pub(crate) fn run(&self, name: &str) -> Result<RunFolder, Error> {
        let found = match (RunId::parse(name), self.runs_dir()?) {
            (Some(id), Some(dir)) => existing(dir.as_ref(), &id.to_string())?.map(|dir| (id, dir)),
            _ => None,
        };
        let (id, dir) = found.ok_or_else(|| Error::NoRun {
            run: name.to_owned(),
        })?;
        Ok(RunFolder { id, dir })
    }

    /// Makes the folder of a new run, durably.
    pub(crate) fn new_run(&self, now: Timestamp) -> Result<RunFolder, Error> {
        let state = self.create()?;
        let runs = ensure(state.as_ref(), RUNS, RUNS)?;
        let mut id = RunId::first_of(now);
        for _ in 0..MAX_PER_SECOND {
            match runs.create_dir(&id.to_string()) {
                Ok(()) => {
                    let name = id.to_string();
                    runs.sync().map_err(Error::io(RUNS, "flush the folder"))?;
                    let dir = runs
                        .open_private_dir(&name)
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
    /// Refuses a folder that somebody else may have written.
    ///
    /// # Errors
    /// [`Refusal::StateFolderOpen`].
    pub(crate) fn require_private(&self) -> Result<(), Error> {
        match keepers::doubt(self.dir.as_ref()) {
            None => Ok(()),
            Some(reason) => Err(Refusal::StateFolderOpen {
                name: format!("{RUNS}/{}", self.id),
                reason,
            }
            .into()),
        }
    }

    /// Reads the journal; `None` where the run was killed before it had one, and has changed
    /// nothing.
    pub(crate) fn journal(&self) -> Result<Option<Journal>, Error> {
        self.decoded(Journal::decode)
    }

    /// How far the run got, as [`journal`](Self::journal) tells it.
    pub(crate) fn head(&self) -> Result<Option<Head>, Error> {
        self.decoded(Journal::decode_head)
    }

    fn decoded<T: Noted>(
        &self,
        decode: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<Option<T>, Error> {
        let decoded = self.decoded_of(JOURNAL, &decode);
        if let Ok(Some(_)) = decoded {
            return decoded;
        }
        // The one that is there could not be made durable, and is lost. It told of a run that failed
        // and could not be taken back, or not entirely.
        match self.decoded_of(JOURNAL_DURABLE, &decode) {
            Ok(Some(mut durable)) => {
                durable.set_broken();
                Ok(Some(durable))
            }
            _ => decoded,
        }
    }

    fn decoded_of<T>(
        &self,
        name: &str,
        decode: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<Option<T>, Error> {
        let io = |error| Error::io(&self.path(name), "read the journal")(error);
        let file = match self.dir.open(name, Access::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        let len = file.len().map_err(io)?;
        if len > MAX_LEN {
            return Err(self.damaged(name, &format!("{len} bytes long")));
        }
        let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
        file.read_exact_at(&mut bytes, 0).map_err(io)?;
        decode(&bytes)
            .map(Some)
            .map_err(|what| self.damaged(name, &what))
    }

    /// Writes the journal; whenever that is interrupted, the old or the new one is there.
    pub(crate) fn write_journal(&self, journal: &Journal) -> Result<(), Error> {
        let write = || {
            self.write_new(journal)?.sync()?;
            self.dir.replace(JOURNAL_NEW, JOURNAL)?;
            self.dir.sync()?;
            match self.dir.remove_file(JOURNAL_DURABLE) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        };
        write().map_err(Error::io(&self.path(JOURNAL), "write the journal"))
    }

    /// Writes the journal of a run that failed, even if it can't be made durable: the state must not
    /// stay what it was. Until it is durable, the one before is kept.
    pub(crate) fn note_journal(&self, journal: &Journal) -> Result<(), Error> {
        let write = || {
            let flushed = self.write_new(journal)?.sync();
            if flushed.is_err() && self.dir.kind(JOURNAL_DURABLE)?.is_none() {
                self.dir.replace(JOURNAL, JOURNAL_DURABLE)?;
            }
            self.dir.replace(JOURNAL_NEW, JOURNAL)?;
            flushed?;
            self.dir.sync()
        };
        write().map_err(Error::io(&self.path(JOURNAL), "write the journal"))
    }

    /// The journal beside its name.
    fn write_new(&self, journal: &Journal) -> io::Result<Box<dyn OpenFile>> {
        let bytes = journal.encode()?;
        match self.dir.remove_file(JOURNAL_NEW) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = self.dir.create(JOURNAL_NEW)?;
        file.write_all_at(&bytes, 0)?;
        Ok(file)
    }

    /// Writes undo data. They are durable once the journal that names them is.
    pub(crate) fn write_undo(
        &self,
        name: &str,
        images: &undo_data::Images<'_>,
    ) -> Result<(), Error> {
        let write = || {
            let mut file = self.dir.create(name)?;
            let mut at = 0;
            images.encode(|piece| {
                file.write_all_at(piece, at)?;
                at += piece.len() as u64;
                Ok(())
            })?;
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
            .open_private_dir(name)
            .map(Some)
            .map_err(Error::io(name, "open the folder")),
        Some(_) => Err(Refusal::StateFolder {
            name: name.to_owned(),
        }
        .into()),
    }
}

/// A folder, created durably where missing. One that somebody else may have written is refused;
/// `path` names it then.
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

/// A folder of others, where it is empty and could be taken from them.
fn taken_over(parent: &dyn Dir, name: &str) -> Result<Option<Box<dyn Dir>>, Error> {
    let taken = parent.take_over_empty_dir(name);
    match taken.map_err(Error::io(name, "take the empty folder over"))? {
        true => existing(parent, name),
        false => Ok(None),
    }
}
