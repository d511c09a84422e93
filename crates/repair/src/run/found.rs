//! A run that was found on a disk. Its journal shows which key has sealed it, and its files can't
//! be used until it is admitted.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use diskmend_base::count::to_usize;
use diskmend_disk::{Access, Dir, File, Kind};

use super::file_names::{RUNS, files_of, unflushed_of};
use super::folder::RunFolder;
use super::journal::MAX_OLD_LEN;
use super::log::{Form, JOURNAL, JOURNAL_DURABLE, Log};
use super::run_file::{FRAME_HEADER_LEN, Frames, MAX_FRAMES, RunFileError};
use super::trust::{Judge, RunKey, Sealed, Trust, Warrant};
use super::{Journal, RunId};
use crate::error::{Error, Refusal};
use crate::run_state::RunState;

/// The greatest number of bytes of journals that are read for one list of runs.
pub(super) const MAX_JOURNALS: u64 = 64 << 20;

/// A run that was found.
pub(crate) struct FoundRun {
    pub(crate) id: RunId,
    /// The folder of all runs.
    runs: Rc<dyn Dir>,
    place: Result<Place, Closed>,
    /// The number of bytes of journals that may still be read, if this run is one of a list.
    left: Option<Rc<Cell<u64>>>,
}

/// The object that has the name of a run.
enum Place {
    /// Its run file.
    File,
    /// A folder, which earlier versions made for each run.
    Folder(Rc<dyn Dir>),
    /// Nothing. There is only a folder that belongs to the run.
    Nothing,
}

/// The reason why the object with a run's name can't be read.
enum Closed {
    /// It is neither a file nor a folder.
    Odd(Kind),
    /// The system could not open it.
    Io(io::Error),
}

/// A run's journal, and who has sealed it.
pub(crate) struct ReadRun {
    pub(crate) journal: Journal,
    pub(crate) trust: Trust,
    key: Option<RunKey>,
    form: Form,
}

impl FoundRun {
    /// Opens the object with the name of a run; `None` if there is none. An object that can't be
    /// opened is found nevertheless, so that it doesn't hide the other runs.
    pub(super) fn open(id: RunId, runs: &Rc<dyn Dir>) -> Option<Self> {
        let name = id.to_string();
        let place = match runs.kind(&name) {
            Ok(None) => match runs.kind(&files_of(&id)) {
                Ok(None) => return None,
                Ok(Some(_)) => Ok(Place::Nothing),
                Err(error) => Err(Closed::Io(error)),
            },
            Ok(Some(Kind::File)) => Ok(Place::File),
            Ok(Some(Kind::Folder)) => match runs.open_private_dir(&name) {
                Ok(dir) => Ok(Place::Folder(dir.into())),
                Err(error) => Err(Closed::Io(error)),
            },
            Ok(Some(kind)) => Err(Closed::Odd(kind)),
            Err(error) => Err(Closed::Io(error)),
        };
        Some(Self {
            id,
            runs: Rc::clone(runs),
            place,
            left: None,
        })
    }

    /// A run of a list that may only read this number of bytes of journals.
    pub(super) fn within(self, left: Rc<Cell<u64>>) -> Self {
        Self {
            left: Some(left),
            ..self
        }
    }

    /// Subtracts a journal's length from the number of bytes that may be read.
    fn take(&self, len: u64) -> Result<(), Error> {
        let Some(left) = &self.left else {
            return Ok(());
        };
        let Some(rest) = left.get().checked_sub(len) else {
            // No later run of the list may read any more either.
            left.set(0);
            return Err(self.too_long());
        };
        left.set(rest);
        Ok(())
    }

    fn too_long(&self) -> Error {
        let run = self.id.to_string();
        let what = "the journals of the runs are too long together, and it was not read";
        let what = what.to_owned();
        Refusal::UnreadableRun { run, what }.into()
    }

    /// The number of frames that may be read.
    fn most_frames(&self) -> usize {
        let left = self.left.as_ref().map(|left| to_usize(left.get()));
        left.map_or(MAX_FRAMES, |left| MAX_FRAMES.min(left / FRAME_HEADER_LEN))
    }

    /// True if this number of bytes may be read for a run that no known key has sealed.
    fn may_take(&self, len: u64) -> bool {
        let left = self.left.as_ref().map_or(MAX_JOURNALS, |left| left.get());
        len <= left && self.take(len).is_ok()
    }

    fn place(&self) -> Result<&Place, Error> {
        match &self.place {
            Ok(place) => Ok(place),
            Err(Closed::Odd(kind)) => {
                let path = format!("{RUNS}/{}", self.id);
                Err(self.damaged(&path, &format!("it is {kind}, and no run")))
            }
            Err(Closed::Io(error)) => {
                let again = io::Error::new(error.kind(), error.to_string());
                Err(Error::io(&format!("{RUNS}/{}", self.id), "open the folder")(again))
            }
        }
    }

    /// Reads the journal; `None` if the run was killed before it had one. Then it has changed
    /// nothing.
    ///
    /// # Errors
    /// If it can't be read, or if it holds what no journal may hold.
    pub(crate) fn read(&self, judge: &Judge) -> Result<Option<ReadRun>, Error> {
        match self.place()? {
            Place::Nothing => Ok(None),
            Place::File => {
                let name = self.id.to_string();
                match self.open_file(self.runs.as_ref(), &name)? {
                    Some(file) => self.read_frames(&name, file.as_ref(), judge),
                    None => Ok(None),
                }
            }
            Place::Folder(dir) => self.read_folder(dir.as_ref(), judge),
        }
    }

    /// Reads the journal of a run of an earlier version.
    fn read_folder(&self, dir: &dyn Dir, judge: &Judge) -> Result<Option<ReadRun>, Error> {
        let read = self.read_json(dir, JOURNAL, judge);
        if let Ok(Some(_)) = read {
            return read;
        }
        // The journal that is there couldn't be made durable and is lost. It was about a run that
        // failed and couldn't be rolled back completely.
        match self.read_json(dir, JOURNAL_DURABLE, judge) {
            Ok(Some(mut durable)) => {
                durable.journal.state = RunState::Broken;
                Ok(Some(durable))
            }
            _ => read,
        }
    }

    fn read_json(
        &self,
        dir: &dyn Dir,
        name: &str,
        judge: &Judge,
    ) -> Result<Option<ReadRun>, Error> {
        let Some(file) = self.open_file(dir, name)? else {
            return Ok(None);
        };
        let io = |error| Error::io(&format!("{RUNS}/{}/{name}", self.id), "read")(error);
        match Frames::of(file.as_ref(), self.most_frames()) {
            // An empty file is damaged JSON.
            Ok(frames) if frames.len() > 0 => return self.read_frames(name, file.as_ref(), judge),
            Err(RunFileError::Io(error)) => return Err(io(error)),
            Err(RunFileError::TooMany(most)) if most < MAX_FRAMES => return Err(self.too_long()),
            Ok(_) | Err(_) => {}
        }
        let len = file.len().map_err(io)?;
        let fits = usize::try_from(len).ok().filter(|_| len <= MAX_OLD_LEN);
        let len = fits.ok_or_else(|| self.damaged(name, &format!("{len} bytes long")))?;
        self.take(len as u64)?;
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, 0).map_err(io)?;
        self.judged(name, &bytes, Form::Json, judge).map(Some)
    }

    /// Reads the last complete journal of a run file.
    fn read_frames(
        &self,
        name: &str,
        file: &dyn File,
        judge: &Judge,
    ) -> Result<Option<ReadRun>, Error> {
        let io = |error| Error::io(&format!("{RUNS}/{name}"), "read")(error);
        let mut frames = Frames::of(file, self.most_frames()).map_err(|error| match error {
            RunFileError::Io(error) => io(error),
            RunFileError::TooMany(most) if most < MAX_FRAMES => self.too_long(),
            error => self.damaged(name, &error.to_string()),
        })?;
        self.take((frames.len() as u64).saturating_mul(FRAME_HEADER_LEN as u64))?;
        let journals = frames.journals();
        let mut found = None;
        // Each journal is flushed before the next is begun, so only the last one can be torn.
        for _ in 0..2 {
            let Some(len) = frames.journal_len() else {
                // Nothing is changed before the first journal is durable.
                return Ok(None);
            };
            self.take(len)?;
            found = frames.read_journal(file).map_err(io)?;
            if found.is_some() {
                break;
            }
        }
        let found = found.ok_or_else(|| self.damaged(name, "its journals are damaged"))?;
        let parts = frames.parts_len();
        let mut read = self.judged(name, &found, Form::Frames(frames.clone()), judge)?;
        // The first journal is flushed together with the undo data. If these are torn, it wasn't
        // durable.
        if journals == 1
            && (read.trust.is_given() || self.may_take(parts))
            && !frames.parts_are_whole(file).map_err(io)?
        {
            return Ok(None);
        }
        let mark = self.runs.kind(&unflushed_of(&self.id)).map_err(io)?;
        // A later journal couldn't be made durable and is lost. It was about a run that failed and
        // couldn't be rolled back completely.
        if mark.is_some() && matches!(read.journal.state, RunState::Applying | RunState::Done) {
            read.journal.state = RunState::Broken;
        }
        Ok(Some(read))
    }

    /// A journal, and the key that sealed it.
    fn judged(
        &self,
        name: &str,
        bytes: &[u8],
        form: Form,
        judge: &Judge,
    ) -> Result<ReadRun, Error> {
        let damaged = |what: String| self.damaged(name, &what);
        let journal = Journal::decode(bytes, &self.id).map_err(damaged)?;
        let (trust, key) = if journal.is_old() {
            (
                Trust::Unauthenticated {
                    reason: super::trust::Doubt::OldFormat,
                },
                None,
            )
        } else {
            let target = (&journal.identity, journal.partition());
            judge.judge(&self.id, &Sealed::of(bytes), target)
        };
        Ok(ReadRun {
            journal,
            trust,
            key,
            form,
        })
    }

    /// Allows the use of the run's files, if a known key has sealed it or a person vouches for it.
    ///
    /// # Errors
    /// [`Refusal::Untrusted`] otherwise.
    pub(crate) fn admit(self, read: ReadRun, judge: &Judge) -> Result<(RunFolder, Journal), Error> {
        let warrant = match &read.key {
            Some(key) if read.trust.is_given() => Warrant::Sealed(key.clone()),
            _ if judge.vouched => Warrant::Vouched,
            _ => return Err(read.untrusted().into()),
        };
        let (log, files) = match self.place {
            Ok(Place::Folder(dir)) => {
                let log = Log::found(Rc::clone(&dir), JOURNAL.to_owned(), read.form);
                (log, Some(dir))
            }
            Ok(Place::File) => {
                let name = self.id.to_string();
                let log = Log::found(Rc::clone(&self.runs), name, read.form);
                (log, self.files()?)
            }
            Ok(Place::Nothing) | Err(_) => return Err(read.untrusted().into()),
        };
        let run = (self.id, self.runs);
        Ok((RunFolder::new(run, log, files, warrant), read.journal))
    }

    /// The run's own folder beside its run file, if there is one.
    fn files(&self) -> Result<Option<Rc<dyn Dir>>, Error> {
        let name = files_of(&self.id);
        let io = |error| Error::io(&format!("{RUNS}/{name}"), "open the folder")(error);
        match self.runs.kind(&name).map_err(io)? {
            None => Ok(None),
            Some(Kind::Folder) => {
                let dir = self.runs.open_private_dir(&name).map_err(io)?;
                Ok(Some(dir.into()))
            }
            Some(kind) => Err(self.damaged(&name, &format!("it is {kind}, and no folder"))),
        }
    }

    /// A file of the run, if it exists.
    fn open_file(&self, dir: &dyn Dir, name: &str) -> Result<Option<Box<dyn File>>, Error> {
        let io = |error| Error::io(&format!("{RUNS}/{}/{name}", self.id), "read")(error);
        match dir.kind(name).map_err(io)? {
            None => return Ok(None),
            Some(Kind::File) => {}
            Some(kind) => return Err(self.damaged(name, &format!("it is {kind}, and no file"))),
        }
        match dir.open(name, Access::Read) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io(error)),
        }
    }

    fn damaged(&self, file: &str, what: &str) -> Error {
        Error::DamagedRun {
            run: self.id.to_string(),
            file: file.to_owned(),
            what: what.to_owned(),
        }
    }
}

impl ReadRun {
    /// The refusal of a run that isn't trusted.
    pub(crate) fn untrusted(&self) -> Refusal {
        Refusal::Untrusted {
            run: self.journal.run.clone(),
            state: self.journal.state,
            trust: self.trust.clone(),
            partition: self.journal.partition(),
        }
    }
}
