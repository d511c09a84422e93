//! Restoring one file, from the last step of the run to the first.

use std::io;

use diskmend_base::count::to_usize;

use super::file::{Restorable, greatest_len};
use crate::error::Error;

impl Restorable<'_> {
    /// Begins with the last record.
    pub(super) fn begin(&mut self) {
        self.left = self.undo.len();
        self.unflushed = false;
    }

    /// Undoes a write: restores the last records that aren't restored yet.
    pub(super) fn write_back(&mut self, records: usize) -> Result<(), Error> {
        for _ in 0..records {
            self.write_record()?;
        }
        self.unflushed = true;
        Ok(())
    }

    fn write_record(&mut self) -> Result<(), Error> {
        let unreadable = || Error::io(&self.entry.undo, "read the undo data");
        let too_few = || unreadable()(io::Error::other("it has fewer records than the steps"));
        let index = self.left.checked_sub(1).ok_or_else(too_few)?;
        self.left = index;
        // A file that the run created is removed.
        let (Some(open), Some(old)) = (&mut self.open, &self.entry.old) else {
            return Ok(());
        };
        let record = self.undo.get(index).map_err(unreadable())?;
        let mut record = record.ok_or_else(too_few)?;
        let io = || Error::io(&self.entry.path, "restore the file");
        // If the run never made the file longer, there is nothing to undo, and a full disk would
        // not let it grow.
        let end = open.len().map_err(io())?.max(old.length);
        let fits = to_usize(end.saturating_sub(record.offset));
        record.bytes.truncate(fits);
        if record.bytes.is_empty() {
            return Ok(());
        }
        open.write_all_at(&record.bytes, record.offset)
            .map_err(io())
    }

    /// Undoes a change of the length. `forced` says that the file may hold bytes of others.
    pub(super) fn cut(&mut self, len: u64, forced: bool) -> Result<(), Error> {
        self.unflushed = true;
        let greatest = greatest_len(self.entry, &self.undo);
        let (Some(open), Some(_)) = (&mut self.open, &self.entry.old) else {
            return Ok(());
        };
        let io = || Error::io(&self.entry.path, "restore the length of the file");
        let found = open.len().map_err(io())?;
        // Bytes after the end that the run gave the file aren't the run's.
        if forced && found > greatest {
            return Ok(());
        }
        // The cut-off part comes back with its records. Growing the file first would only take
        // space.
        if found > len {
            open.set_len(len).map_err(io())?;
        }
        Ok(())
    }

    /// Undoes the creation of the file.
    pub(super) fn remove(&mut self) -> Result<(), Error> {
        self.unflushed = false;
        if self.entry.old.is_some() {
            return Ok(());
        }
        self.open = None;
        let Some(place) = &self.place else {
            return Ok(());
        };
        let io = || Error::io(&self.entry.path, "remove the file");
        place.dir.remove_file(&place.name).map_err(io())?;
        place.dir.sync().map_err(io())?;
        self.place = None;
        Ok(())
    }

    /// Makes durable what was restored.
    pub(super) fn flush(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.unflushed)
            && let Some(open) = &mut self.open
        {
            open.sync()
                .map_err(Error::io(&self.entry.path, "flush the file"))?;
        }
        Ok(())
    }
}
