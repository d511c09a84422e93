//! The parts of a run's file: undo data, and changes in the registry's terms. Runs of earlier
//! versions have a file for each.

use std::io;

use diskmend_disk::Access;

use super::RunFolder;
use crate::digest::Digest;
use crate::error::Error;
use crate::run::changes_file::{self, ChangesEntry};
use crate::run::run_file::{Kind, Part};
use crate::run::trust::{FileMac, Mac, Warrant};
use crate::run::{Content, FileEntry, Journal, JournalChange, undo_data};

impl RunFolder {
    /// Reads the changes of the run's hives in the registry's terms.
    ///
    /// # Errors
    /// If they can't be read, or aren't the ones that were written.
    pub(crate) fn read_changes(&self, journal: &mut Journal) -> Result<(), Error> {
        if journal.is_old() {
            let bytes = self.journal_bytes()?;
            let read = Journal::decode_old_changes(&bytes);
            let read = read.map_err(|what| self.damaged_journal(&what))?;
            for (hive, changes) in journal.hives.iter_mut().zip(read) {
                hive.changes = changes;
            }
            return Ok(());
        }
        for (number, hive) in (1..).zip(&mut journal.hives) {
            if let Some(entry) = &hive.changes_file {
                hive.changes = self.read_part_of_changes(number, entry)?;
            }
        }
        Ok(())
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
    fn read_part_of_changes(
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
}
