//! A run as it was found on a disk: who speaks for it is not known until its journal is read, and
//! nothing can be done with its files until it is admitted.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use diskmend_disk::{Access, Dir, Kind};

use super::folder::{JOURNAL, JOURNAL_DURABLE, RunFolder};
use super::journal::MAX_OLD_LEN;
use super::state_folder::RUNS;
use super::trust::{Judge, RunKey, Sealed, Trust, Warrant};
use super::{Journal, RunId, changes_file};
use crate::documents::RunState;
use crate::error::{Error, Refusal};

/// The folder of a run that was found.
pub(crate) struct FoundRun {
    pub(crate) id: RunId,
    dir: Result<Box<dyn Dir>, Closed>,
    /// Bytes of journals that may still be read for a list of which this is one.
    left: Option<Rc<Cell<u64>>>,
}

/// Why what has the name of a run can't be looked into.
enum Closed {
    /// It is no folder.
    Odd(Kind),
    /// The system could not open it.
    Io(io::Error),
}

/// What a run says of itself, and who speaks for it.
pub(crate) struct ReadRun {
    pub(crate) journal: Journal,
    pub(crate) trust: Trust,
    key: Option<RunKey>,
}

impl FoundRun {
    /// Opens what has the name of a run; `None` if nothing has. What can't be opened is found all
    /// the same, so that it does not hide the other runs.
    pub(super) fn open(id: RunId, runs: &dyn Dir) -> Option<Self> {
        let name = id.to_string();
        let dir = match runs.kind(&name) {
            Ok(None) => return None,
            Ok(Some(Kind::Folder)) => runs.open_private_dir(&name).map_err(Closed::Io),
            Ok(Some(kind)) => Err(Closed::Odd(kind)),
            Err(error) => Err(Closed::Io(error)),
        };
        let left = None;
        Some(Self { id, dir, left })
    }

    /// One of a list for which so many bytes of journals may be read.
    pub(super) fn within(self, left: Rc<Cell<u64>>) -> Self {
        Self {
            left: Some(left),
            ..self
        }
    }

    /// Takes the bytes of a journal from what may be read.
    fn take(&self, len: u64) -> Result<(), Error> {
        let Some(left) = &self.left else {
            return Ok(());
        };
        let rest = left.get().checked_sub(len);
        left.set(rest.unwrap_or(0));
        rest.map(|_| ()).ok_or_else(|| {
            let run = self.id.to_string();
            let what = "the journals of the runs are too long together, and it was not read";
            let what = what.to_owned();
            Refusal::UnreadableRun { run, what }.into()
        })
    }

    fn dir(&self) -> Result<&dyn Dir, Error> {
        match &self.dir {
            Ok(dir) => Ok(dir.as_ref()),
            Err(Closed::Odd(kind)) => {
                let path = format!("{RUNS}/{}", self.id);
                Err(self.damaged(&path, &format!("it is {kind}, and no folder")))
            }
            Err(Closed::Io(error)) => {
                let again = io::Error::new(error.kind(), error.to_string());
                Err(Error::io(&format!("{RUNS}/{}", self.id), "open the folder")(again))
            }
        }
    }

    /// Reads the journal; `None` if the run was killed before it had one, and has changed nothing.
    ///
    /// # Errors
    /// Where it can't be read, or says what no journal may say.
    pub(crate) fn read(&self, judge: &Judge) -> Result<Option<ReadRun>, Error> {
        let read = self.read_as(JOURNAL, judge);
        if let Ok(Some(_)) = read {
            return read;
        }
        // The one that is there could not be made durable, and is lost. It told of a run that failed
        // and could not be taken back, or not entirely.
        match self.read_as(JOURNAL_DURABLE, judge) {
            Ok(Some(mut durable)) => {
                durable.journal.state = RunState::Broken;
                Ok(Some(durable))
            }
            _ => read,
        }
    }

    fn read_as(&self, name: &str, judge: &Judge) -> Result<Option<ReadRun>, Error> {
        let Some(bytes) = self.bytes(name, MAX_OLD_LEN)? else {
            return Ok(None);
        };
        let damaged = |what: String| self.damaged(name, &what);
        let journal = Journal::decode(&bytes, &self.id).map_err(damaged)?;
        let (trust, key) = match journal.is_old() {
            true => (
                Trust::Unauthenticated {
                    reason: super::trust::Doubt::OldFormat,
                },
                None,
            ),
            false => {
                let target = (&journal.identity, journal.partition());
                judge.judge(&self.id, &Sealed::of(&bytes), target)
            }
        };
        Ok(Some(ReadRun {
            journal,
            trust,
            key,
        }))
    }

    /// Lets the files of the run be used: if somebody speaks for it, or a person vouches for it.
    ///
    /// # Errors
    /// [`Refusal::Untrusted`] otherwise.
    pub(crate) fn admit(self, read: ReadRun, judge: &Judge) -> Result<(RunFolder, Journal), Error> {
        let Ok(dir) = self.dir else {
            return Err(read.untrusted().into());
        };
        let warrant = match read.key {
            Some(key) if read.trust.is_given() => Warrant::Sealed(key),
            _ if judge.vouched => Warrant::Vouched,
            _ => return Err(read.untrusted().into()),
        };
        Ok((RunFolder::new(self.id, dir, warrant), read.journal))
    }

    /// A file of the run, if it exists.
    fn bytes(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let io = |error| Error::io(&format!("{RUNS}/{}/{name}", self.id), "read")(error);
        let dir = self.dir()?;
        match dir.kind(name).map_err(io)? {
            None => return Ok(None),
            Some(Kind::File) => {}
            Some(kind) => return Err(self.damaged(name, &format!("it is {kind}, and no file"))),
        }
        let file = match dir.open(name, Access::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        let len = file.len().map_err(io)?;
        let fits = usize::try_from(len).ok().filter(|_| len <= limit);
        let len = fits.ok_or_else(|| self.damaged(name, &format!("{len} bytes long")))?;
        self.take(len as u64)?;
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, 0).map_err(io)?;
        Ok(Some(bytes))
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
    /// Why nothing is done with it.
    pub(crate) fn untrusted(&self) -> Refusal {
        Refusal::Untrusted {
            run: self.journal.run.clone(),
            state: self.journal.state,
            trust: self.trust.clone(),
            partition: self.journal.partition(),
        }
    }
}

impl RunFolder {
    /// Reads what changed in the hives of the run, in the registry's terms.
    ///
    /// # Errors
    /// Where that can't be read, or is not what was written.
    pub(crate) fn read_changes(&self, journal: &mut Journal) -> Result<(), Error> {
        if journal.is_old() {
            let bytes = self.read_whole(JOURNAL, MAX_OLD_LEN)?;
            let read = Journal::decode_old_changes(&bytes);
            let read = read.map_err(|what| self.damaged(JOURNAL, &what))?;
            for (hive, changes) in journal.hives.iter_mut().zip(read) {
                hive.changes = changes;
            }
            return Ok(());
        }
        for hive in &mut journal.hives {
            let Some(entry) = &hive.changes_file else {
                continue;
            };
            let bytes = self.read_whole(&entry.file, changes_file::MAX_LEN)?;
            self.check_bytes(&entry.file, &bytes, entry.mac)?;
            let read = changes_file::decode(&bytes, &entry.content);
            hive.changes = read.map_err(|what| self.damaged(&entry.file, &what))?;
        }
        Ok(())
    }
}
