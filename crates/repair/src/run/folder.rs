//! The folder of one run, and the files in it.

use std::io;

use diskmend_disk::{Access, Change, Dir, File};

use super::changes_file::{self, ChangesEntry};
use super::state_folder::RUNS;
use super::trust::{FileMac, Mac, Warrant, seal};
use super::{
    Content, FileEntry, Journal, JournalChange, MOST_NAMES, RunId, StateFolder, keepers, undo_data,
};
use crate::descriptors::{Draft, RECORDS, RecordsEntry, RecordsReader};
use crate::digest::Digest;
use crate::error::{Error, Refusal};

pub(super) const JOURNAL: &str = "journal.json";
const JOURNAL_NEW: &str = "journal.json.new";
/// The last journal that was made durable, while a later one could not be.
pub(super) const JOURNAL_DURABLE: &str = "journal.json.durable";
/// The folder of a run that was begun here, or that was found and admitted.
pub(crate) struct RunFolder {
    pub(crate) id: RunId,
    dir: Box<dyn Dir>,
    warrant: Warrant,
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

    pub(super) fn new(id: RunId, dir: Box<dyn Dir>, warrant: Warrant) -> Self {
        Self { id, dir, warrant }
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
    fn write_new(&self, journal: &Journal) -> io::Result<Box<dyn File>> {
        let bytes = self.sealed(journal.encode()?)?;
        match self.dir.remove_file(JOURNAL_NEW) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = self.dir.create(JOURNAL_NEW)?;
        file.write_all_at(&bytes, 0)?;
        Ok(file)
    }

    /// Seals a journal, so that it is known for one of the key's owner.
    fn sealed(&self, journal: Vec<u8>) -> io::Result<Vec<u8>> {
        match &self.warrant {
            Warrant::Sealed(key) => {
                let sealed = seal(&journal, key);
                sealed.ok_or_else(|| io::Error::other("a journal that can't be sealed"))
            }
            Warrant::Vouched => Ok(journal),
        }
    }

    /// Writes undo data, and gives their MAC. They are durable once the journal that names them is.
    pub(crate) fn write_undo(
        &self,
        name: &str,
        images: &undo_data::Images<'_>,
    ) -> Result<Option<Mac>, Error> {
        self.write_pieces(name, |write| images.encode(write))
    }

    /// Writes what changes in a hive in the registry's terms.
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
        let bytes = bytes.map_err(Error::io(&self.path(&name), "write the undo data"))?;
        Ok(Some(ChangesEntry {
            mac: self.write_pieces(&name, |write| write(&bytes))?,
            content: Content {
                length: bytes.len() as u64,
                xxh3: Digest::of(&bytes),
            },
            file: name,
        }))
    }

    fn write_pieces(
        &self,
        name: &str,
        pieces: impl FnOnce(&mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>,
    ) -> Result<Option<Mac>, Error> {
        let mut mac = match &self.warrant {
            Warrant::Sealed(key) => Some(key.file(name)),
            Warrant::Vouched => None,
        };
        let write = || {
            let mut file = self.dir.create(name)?;
            let mut at = 0;
            pieces(&mut |piece| {
                file.write_all_at(piece, at)?;
                at += piece.len() as u64;
                if let Some(mac) = &mut mac {
                    mac.update(piece);
                }
                Ok(())
            })?;
            file.sync()
        };
        write().map_err(Error::io(&self.path(name), "write the undo data"))?;
        Ok(mac.map(FileMac::finish))
    }

    /// Reads a file of the run that is no longer than `limit`.
    pub(super) fn read_whole(&self, name: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let file = self.open(name, Access::Read)?;
        let path = self.path(name);
        let io = || Error::io(&path, "read the undo data");
        let len = file.len().map_err(io())?;
        let fits = usize::try_from(len).ok().filter(|_| len <= limit);
        let len = fits.ok_or_else(|| self.damaged(name, &format!("{len} bytes long")))?;
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, 0).map_err(io())?;
        Ok(bytes)
    }

    /// The MAC of a file of the run, if the run is sealed.
    pub(crate) fn mac_of(&self, name: &str, file: &dyn File) -> Result<Option<Mac>, Error> {
        match &self.warrant {
            Warrant::Sealed(key) => {
                let path = self.path(name);
                let mac = key.of_file(name, file);
                mac.map(Some)
                    .map_err(Error::io(&path, "read the undo data back"))
            }
            Warrant::Vouched => Ok(None),
        }
    }

    /// Whether a file of the run is the one that the journal means.
    pub(crate) fn check_mac(
        &self,
        name: &str,
        file: &dyn File,
        expected: Option<Mac>,
    ) -> Result<(), Error> {
        self.fits(name, self.mac_of(name, file)?, expected)
    }

    pub(super) fn check_bytes(
        &self,
        name: &str,
        bytes: &[u8],
        expected: Option<Mac>,
    ) -> Result<(), Error> {
        let found = match &self.warrant {
            Warrant::Sealed(key) => Some(key.of_bytes(name, bytes)),
            Warrant::Vouched => None,
        };
        self.fits(name, found, expected)
    }

    fn fits(&self, name: &str, found: Option<Mac>, expected: Option<Mac>) -> Result<(), Error> {
        match found {
            // A person vouches for it, as it is.
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

    /// Writes the changes of security descriptors that a run is about to make. They are durable
    /// once the journal that names them is.
    pub(crate) fn write_records(&self, draft: Draft) -> Result<RecordsEntry, Error> {
        let path = self.path(RECORDS);
        let io = || Error::io(&path, "write the undo data");
        let objects = draft.objects();
        let below = draft.below()?;
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
            mac: self.mac_of(RECORDS, file.as_ref())?,
            objects,
            below,
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
    pub(crate) fn open_records(&self, entry: &RecordsEntry) -> Result<Box<dyn File>, Error> {
        let path = self.path(&entry.file);
        let io = || Error::io(&path, "read the undo data");
        let file = self.dir.open(&entry.file, Access::Read).map_err(io())?;
        if !entry.content.is_of(file.as_ref()).map_err(io())? {
            return Err(self.damaged(&entry.file, "not what the journal says"));
        }
        self.check_mac(&entry.file, file.as_ref(), entry.mac)?;
        Ok(file)
    }

    /// Creates a file, in place of one that a run that was killed has left. `action` says what this
    /// is for a person.
    pub(crate) fn create_anew(
        &self,
        name: &str,
        action: &'static str,
    ) -> Result<Box<dyn File>, Error> {
        let path = self.path(name);
        let io = || Error::io(&path, action);
        match self.dir.remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io()(error)),
            _ => self.dir.create(name).map_err(io()),
        }
    }

    /// Opens a file of the run.
    pub(crate) fn open(&self, name: &str, access: Access) -> Result<Box<dyn File>, Error> {
        let path = self.path(name);
        self.dir
            .open(name, access)
            .map_err(Error::io(&path, "open the undo data"))
    }

    /// Opens a file of the run for reading, where it is there.
    pub(crate) fn open_existing(&self, name: &str) -> Result<Option<Box<dyn File>>, Error> {
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
    pub(crate) fn read_undo(&self, entry: &FileEntry) -> Result<undo_data::UndoData, Error> {
        let name = &entry.undo;
        let file = self.open(name, Access::Read)?;
        let damaged = |error: undo_data::UndoDataError| self.damaged(name, &error.to_string());
        undo_data::check_len(file.as_ref()).map_err(damaged)?;
        self.check_mac(name, file.as_ref(), entry.mac)?;
        undo_data::UndoData::open(file).map_err(damaged)
    }

    /// Removes what is left of a run that changed nothing; failing at that does no harm.
    pub(crate) fn discard(self, state: &StateFolder) {
        for name in self.dir.names(MOST_NAMES).unwrap_or_default() {
            let _ = self.dir.remove_file(&name);
        }
        if let Ok(Some(runs)) = state.runs_dir() {
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
