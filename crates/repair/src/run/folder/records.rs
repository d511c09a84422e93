//! The file of a run with the changes of security descriptors.

use std::io;

use diskmend_disk::{Access, Change, File};

use super::RunFolder;
use crate::error::Error;
use crate::run::file_names::RECORDS;
use crate::run::records::{RecordsEntry, RecordsReader};
use crate::run::{Content, Draft};

impl RunFolder {
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
}
