//! The files of one run: its run file, and the folder beside it for everything else.

mod parts;
mod records;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use diskmend_disk::{Access, Dir, File, Storage};

use super::file_names::{RUNS, files_of, unflushed_of};
use super::log::{Log, remove_if_there};
use super::trust::{Mac, Warrant, seal};
use super::{Journal, MOST_NAMES, RunId, keepers};
use crate::error::{Error, Refusal};

/// A run that was begun here, or that was found and admitted.
pub(crate) struct RunFolder {
    pub(crate) id: RunId,
    /// The folder of all runs.
    runs: Rc<dyn Dir>,
    log: Log,
    /// The run's own folder, if there is one.
    files: RefCell<Option<Rc<dyn Dir>>>,
    warrant: Warrant,
}

impl RunFolder {
    pub(super) fn new(
        (id, runs): (RunId, Rc<dyn Dir>),
        log: Log,
        files: Option<Rc<dyn Dir>>,
        warrant: Warrant,
    ) -> Self {
        let files = RefCell::new(files);
        Self {
            id,
            runs,
            log,
            files,
            warrant,
        }
    }

    /// Refuses a run if somebody else may have written to its run file or folder.
    ///
    /// # Errors
    /// [`Refusal::StateFolderOpen`].
    pub(crate) fn require_private(&self) -> Result<(), Error> {
        let files = self.files.borrow();
        let files = files.as_ref();
        let doubt = files.and_then(|files| keepers::doubt(files.as_ref()));
        match doubt.or_else(|| self.log.doubt()) {
            None => Ok(()),
            Some(reason) => Err(Refusal::StateFolderOpen {
                name: format!("{RUNS}/{}", self.id),
                reason,
            }
            .into()),
        }
    }

    /// The run's own folder, created if it is missing.
    fn make_files(&self) -> io::Result<Rc<dyn Dir>> {
        let mut files = self.files.borrow_mut();
        if let Some(files) = &*files {
            return Ok(Rc::clone(files));
        }
        let name = files_of(&self.id);
        self.runs.create_dir(&name)?;
        if self.log.is_named() {
            self.runs.sync()?;
        }
        let made: Rc<dyn Dir> = self.runs.open_private_dir(&name)?.into();
        *files = Some(Rc::clone(&made));
        Ok(made)
    }

    /// The run's own folder.
    fn existing_files(&self) -> io::Result<Rc<dyn Dir>> {
        let files = self.files.borrow();
        files.clone().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The folder for files that the run keeps; `None` if it doesn't exist.
    pub(crate) fn kept_folder(&self) -> Result<Option<Box<dyn Dir>>, Error> {
        let files = self.files.borrow();
        let folder = files.as_ref().map(|files| files.try_clone()).transpose();
        folder.map_err(Error::io(&self.path(), "open the folder"))
    }

    /// Creates the folder for files that the run keeps, if it is missing.
    pub(crate) fn make_kept_folder(&self) -> Result<(), Error> {
        let made = self.make_files().map(drop);
        made.map_err(Error::io(&self.path(), "create the folder"))
    }

    /// Writes the journal and makes it durable, together with all undo data written before. If this
    /// is interrupted, either the previous journal or this one is there.
    pub(crate) fn write_journal(&self, journal: &Journal) -> Result<(), Error> {
        let write = || {
            self.log.add_journal(&self.sealed(journal.encode()?)?)?;
            remove_if_there(self.runs.as_ref(), &unflushed_of(&self.id))
        };
        write().map_err(Error::io(&self.path(), "write the journal"))
    }

    /// Writes the journal of a run that failed, even if it can't be made durable, because the old
    /// state must not stay. A mark then says that a journal that is read later may be an older one.
    pub(crate) fn note_journal(&self, journal: &Journal) -> Result<(), Error> {
        let write = || {
            let bytes = self.sealed(journal.encode()?)?;
            self.log.add_journal(&bytes).or_else(|error| {
                let mark = unflushed_of(&self.id);
                if self.runs.kind(&mark)?.is_none() {
                    self.runs.create(&mark)?;
                }
                self.runs.sync()?;
                Err(error)
            })
        };
        write().map_err(Error::io(&self.path(), "write the journal"))
    }

    /// Seals a journal with the run's key.
    fn sealed(&self, journal: Vec<u8>) -> io::Result<Vec<u8>> {
        match &self.warrant {
            Warrant::Sealed(key) => {
                let sealed = seal(&journal, key);
                sealed.ok_or_else(|| io::Error::other("a journal that can't be sealed"))
            }
            Warrant::Vouched => Ok(journal),
        }
    }

    /// Reads the journal's bytes from the disk.
    pub(super) fn journal_bytes(&self) -> Result<Vec<u8>, Error> {
        let read = self.log.journal();
        read.map_err(Error::io(&self.path(), "read the journal"))
    }

    /// The MAC of a file of the run, if the run is sealed.
    pub(crate) fn mac_of(&self, name: &str, file: &dyn Storage) -> Result<Option<Mac>, Error> {
        let io = |error| Error::io(&self.path_of(name), "read the undo data back")(error);
        let len = file.len().map_err(io)?;
        let read = |buf: &mut [u8], at| file.read_exact_at(buf, at);
        self.mac(name, len, read).map_err(io)
    }

    fn mac(
        &self,
        name: &str,
        len: u64,
        read: impl Fn(&mut [u8], u64) -> io::Result<()>,
    ) -> io::Result<Option<Mac>> {
        match &self.warrant {
            Warrant::Sealed(key) => key.of_file(name, len, read).map(Some),
            Warrant::Vouched => Ok(None),
        }
    }

    /// Checks that a file of the run is the one that the journal names.
    pub(crate) fn check_mac(
        &self,
        name: &str,
        file: &dyn Storage,
        expected: Option<Mac>,
    ) -> Result<(), Error> {
        self.fits(name, self.mac_of(name, file)?, expected)
    }

    fn fits(&self, name: &str, found: Option<Mac>, expected: Option<Mac>) -> Result<(), Error> {
        match found {
            // A person vouches for it as it is.
            None => Ok(()),
            Some(_) if found == expected => Ok(()),
            Some(_) => Err(self.damaged(name, "it does not fit the seal of the run")),
        }
    }

    /// The key of a record of sectors, if the run is sealed.
    pub(crate) fn record_key(&self, name: &str) -> Option<[u8; 32]> {
        match &self.warrant {
            Warrant::Sealed(key) => Some(key.of_record(name)),
            Warrant::Vouched => None,
        }
    }

    /// Creates a file, and replaces one that a killed run has left. `action` names the action in an
    /// error.
    pub(crate) fn create_anew(
        &self,
        name: &str,
        action: &'static str,
    ) -> Result<Box<dyn File>, Error> {
        let create = || {
            let files = self.make_files()?;
            remove_if_there(files.as_ref(), name)?;
            files.create(name)
        };
        create().map_err(Error::io(&self.path_of(name), action))
    }

    /// Opens a file of the run.
    pub(crate) fn open(&self, name: &str, access: Access) -> Result<Box<dyn File>, Error> {
        let opened = self
            .existing_files()
            .and_then(|files| files.open(name, access));
        opened.map_err(Error::io(&self.path_of(name), "open the undo data"))
    }

    /// Opens a file of the run for reading, if it exists.
    pub(crate) fn open_existing(&self, name: &str) -> Result<Option<Box<dyn File>>, Error> {
        let opened = self
            .existing_files()
            .and_then(|files| files.open(name, Access::Read));
        match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened
                .map(Some)
                .map_err(Error::io(&self.path_of(name), "open the undo data")),
        }
    }

    /// Removes a file of the run, durably.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        let removed = self
            .existing_files()
            .and_then(|files| files.remove_file(name));
        removed.map_err(Error::io(&self.path_of(name), "remove the undo data"))?;
        self.sync()
    }

    /// Makes the names of the files in the run's own folder durable.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        let files = self.files.borrow();
        let synced = files.as_ref().map_or(Ok(()), |files| files.sync());
        synced.map_err(Error::io(&self.path(), "flush the folder"))
    }

    /// Removes the files of a run that changed nothing. If one stays, that does no
    /// harm: the run never had a journal, or its journal says that it was rolled back.
    pub(crate) fn discard(self) {
        let Self {
            id,
            runs,
            log,
            files,
            ..
        } = self;
        // Windows can't remove an open file.
        drop(log);
        let emptied = files.into_inner().map_or(Ok(()), |files| {
            for name in files.names(MOST_NAMES)? {
                files.remove_file(&name)?;
            }
            drop(files);
            runs.remove_dir(&files_of(&id))
        });
        let removed = [
            emptied,
            remove_if_there(runs.as_ref(), &unflushed_of(&id)),
            remove_if_there(runs.as_ref(), &id.to_string()),
        ];
        for error in removed.into_iter().filter_map(Result::err) {
            tracing::warn!(run = %id, "something is left of it: {error}");
        }
    }

    pub(crate) fn damaged(&self, file: &str, what: &str) -> Error {
        Error::DamagedRun {
            run: self.id.to_string(),
            file: file.to_owned(),
            what: what.to_owned(),
        }
    }

    /// What is wrong with the journal.
    pub(crate) fn damaged_journal(&self, what: &str) -> Error {
        self.damaged(self.log.name(), what)
    }

    fn path(&self) -> String {
        format!("{RUNS}/{}", self.id)
    }

    fn path_of(&self, name: &str) -> String {
        format!("{}/{name}", self.path())
    }
}
