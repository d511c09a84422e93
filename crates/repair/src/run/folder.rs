//! The files of one run: its run file, and the folder beside it for everything else.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use diskmend_disk::{Access, Change, Dir, File};

use super::changes_file::{self, ChangesEntry};
use super::draft::Draft;
use super::file_names::{RECORDS, RUNS, files_of, unflushed_of};
use super::log::{Log, remove_if_there};
use super::records::{RecordsEntry, RecordsReader};
use super::run_file::{Kind, Part};
use super::trust::{FileMac, Mac, Warrant, seal};
use super::{Content, FileEntry, Journal, JournalChange, MOST_NAMES, RunId, keepers, undo_data};
use crate::digest::Digest;
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

    /// Writes undo data and returns their MAC. They become durable with the journal that names
    /// them.
    pub(crate) fn write_undo(
        &self,
        name: &str,
        images: &undo_data::Images<'_>,
    ) -> Result<Option<Mac>, Error> {
        let number = undo_data::number(name).map(u32::from);
        self.write_part(Kind::Undo, (name, number), |write| images.encode(write))
    }

    /// Writes the changes of a hive in the registry's terms. `number` counts the hives from 1.
    pub(crate) fn write_changes(
        &self,
        number: usize,
        changes: &[JournalChange],
    ) -> Result<Option<ChangesEntry>, Error> {
        if changes.is_empty() {
            return Ok(None);
        }
        let name = changes_file::name(number);
        let bytes = changes_file::encode(changes);
        let bytes = bytes.map_err(Error::io(&self.path(), "write the undo data"))?;
        let called = (name.as_str(), u32::try_from(number).ok());
        Ok(Some(ChangesEntry {
            mac: self.write_part(Kind::Changes, called, |write| write(&bytes))?,
            content: Content {
                length: bytes.len() as u64,
                xxh3: Digest::of(&bytes),
            },
            file: name,
        }))
    }

    fn write_part(
        &self,
        kind: Kind,
        (name, number): (&str, Option<u32>),
        pieces: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
    ) -> Result<Option<Mac>, Error> {
        let mut mac = match &self.warrant {
            Warrant::Sealed(key) => Some(key.file(name)),
            Warrant::Vouched => None,
        };
        let number = number.ok_or(io::ErrorKind::InvalidInput.into());
        let written = number.and_then(|number| {
            self.log.add(kind, number, |write| {
                pieces(&mut |piece| {
                    if let Some(mac) = &mut mac {
                        mac.update(piece);
                    }
                    write(piece)
                })
            })
        });
        written.map_err(Error::io(&self.path(), "write the undo data"))?;
        Ok(mac.map(FileMac::finish))
    }

    /// Opens undo data in the run file or, for a run of an earlier version, in a file of their own.
    fn part(&self, kind: Kind, (name, number): (&str, u32)) -> Result<Part, Error> {
        let io = || Error::io(&self.path_of(name), "open the undo data");
        match self.log.part(kind, number).map_err(io())? {
            Some(part) => Ok(part),
            None => Part::whole(self.open(name, Access::Read)?).map_err(io()),
        }
    }

    /// Reads the changes of the hive with this number, from 1.
    pub(super) fn read_part_of_changes(
        &self,
        number: usize,
        entry: &ChangesEntry,
    ) -> Result<Vec<JournalChange>, Error> {
        let name = &entry.file;
        let number = u32::try_from(number);
        let number = number.map_err(|_| self.damaged(name, "of a hive that can't be counted"))?;
        let part = self.part(Kind::Changes, (name, number))?;
        let io = || Error::io(&self.path_of(name), "read the undo data");
        let len = part.len();
        let fits = usize::try_from(len).ok();
        let fits = fits.filter(|_| len <= changes_file::MAX_LEN);
        let len = fits.ok_or_else(|| self.damaged(name, &format!("{len} bytes long")))?;
        let mut bytes = vec![0; len];
        part.read_exact_at(&mut bytes, 0).map_err(io())?;
        let found = match &self.warrant {
            Warrant::Sealed(key) => Some(key.of_bytes(name, &bytes)),
            Warrant::Vouched => None,
        };
        self.fits(name, found, entry.mac)?;
        let read = changes_file::decode(&bytes, &entry.content);
        read.map_err(|what| self.damaged(name, &what))
    }

    /// Reads the journal's bytes from the disk.
    pub(super) fn journal_bytes(&self) -> Result<Vec<u8>, Error> {
        let read = self.log.journal();
        read.map_err(Error::io(&self.path(), "read the journal"))
    }

    /// The MAC of a file of the run, if the run is sealed.
    pub(crate) fn mac_of(&self, name: &str, file: &dyn File) -> Result<Option<Mac>, Error> {
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
        file: &dyn File,
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

    /// Writes the changes of security descriptors that a run will make. They become durable with
    /// the journal that names them.
    pub(crate) fn write_records(&self, draft: Draft) -> Result<RecordsEntry, Error> {
        let path = self.path_of(RECORDS);
        let io = || Error::io(&path, "write the undo data");
        let objects = draft.objects();
        let below = draft.below()?;
        let created = self.make_files().and_then(|files| files.create(RECORDS));
        let mut file = created.map_err(io())?;
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
            mac: self.mac_of(RECORDS, file.as_ref())?,
            objects,
            below,
        })
    }

    /// Passes the changes of security descriptors to `visit`, frame by frame.
    ///
    /// # Errors
    /// If they can't be read, or aren't the ones that were written.
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

    /// Opens the changes of security descriptors, which must be the ones that were written.
    pub(crate) fn open_records(&self, entry: &RecordsEntry) -> Result<Box<dyn File>, Error> {
        let path = self.path_of(&entry.file);
        let io = || Error::io(&path, "read the undo data");
        let file = self.open(&entry.file, Access::Read)?;
        if !entry.content.is_of(file.as_ref()).map_err(io())? {
            return Err(self.damaged(&entry.file, "not what the journal says"));
        }
        self.check_mac(&entry.file, file.as_ref(), entry.mac)?;
        Ok(file)
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

    /// Opens undo data.
    pub(crate) fn read_undo(&self, entry: &FileEntry) -> Result<undo_data::UndoData, Error> {
        let name = &entry.undo;
        let number = undo_data::number(name).map(u32::from);
        let number = number.ok_or_else(|| self.damaged(name, "no name of undo data"))?;
        let part = self.part(Kind::Undo, (name, number))?;
        let damaged = |error: undo_data::UndoDataError| self.damaged(name, &error.to_string());
        undo_data::check_len(&part).map_err(damaged)?;
        let mac = self.mac(name, part.len(), |buf, at| part.read_exact_at(buf, at));
        let mac = mac.map_err(Error::io(&self.path_of(name), "read the undo data"))?;
        self.fits(name, mac, entry.mac)?;
        undo_data::UndoData::open(part).map_err(damaged)
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
