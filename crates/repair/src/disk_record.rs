//! Recording what a run changes of a disk that is not mounted, and giving it back as a whole: after
//! that the disk is the same to the last byte.
//!
//! On a mounted target nothing here does anything.

use diskmend_disk::{Access, Progress, RecordFile, RecordedState, Restored};

use crate::documents::RunState;
use crate::error::{Error, chain};
use crate::run::{Content, DiskEntry, Journal, RunFolder};
use crate::site::Site;
use crate::store::OpenFile;

/// The record of a run.
const RECORD: &str = "sectors.bin";
/// The record of what is changed to take a run back value by value.
const UNDO_RECORD: &str = "undo-sectors.bin";

/// A file of a run's folder as a record.
struct AsRecord(Box<dyn OpenFile>);

impl RecordFile for AsRecord {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> std::io::Result<()> {
        self.0.read_exact_at(buf, offset)
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> std::io::Result<()> {
        self.0.write_all_at(data, offset)
    }

    fn set_len(&mut self, len: u64) -> std::io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.0.sync()
    }
}

impl Site {
    /// Records what is changed from here on; what the journal has to say of it.
    pub(crate) fn begin_record(&self, run: &RunFolder) -> Result<Option<DiskEntry>, Error> {
        self.record_in(run, RECORD)?;
        Ok(self.partition.map(|partition| DiskEntry {
            partition,
            record: RECORD.to_owned(),
            content: None,
        }))
    }

    fn record_in(&self, run: &RunFolder, name: &str) -> Result<(), Error> {
        let Some(disk) = &self.disk else {
            return Ok(());
        };
        let file = run.create_anew(name)?;
        let begun = disk.recorded().begin(Box::new(AsRecord(file)));
        begun.map_err(Error::io(name, "write the undo data"))?;
        run.sync()
    }

    /// Goes on with the record of a run that was killed; `false` where the disk holds a part of
    /// what was written last, so that the run can only be taken back.
    pub(crate) fn resume_record(&self, run: &RunFolder, journal: &Journal) -> Result<bool, Error> {
        let (Some(disk), Some(entry)) = (&self.disk, &journal.disk) else {
            return Ok(true);
        };
        let file = run.open(&entry.record, Access::ReadWrite)?;
        let resumed = disk.recorded().resume(Box::new(AsRecord(file)));
        let state = resumed.map_err(|error| run.damaged(&entry.record, &chain(&error)))?;
        Ok(state == RecordedState::AsRecorded)
    }

    /// Makes everything durable and stops recording; notes what the record is then.
    pub(crate) fn end_record(&self, run: &RunFolder, journal: &mut Journal) -> Result<(), Error> {
        let (Some(disk), Some(entry)) = (&self.disk, &mut journal.disk) else {
            return Ok(());
        };
        let ended = disk.recorded().end();
        ended.map_err(Error::io(&self.display, "write the disk"))?;
        let file = run.open(&entry.record, Access::Read)?;
        let content = Content::of_file(file.as_ref());
        entry.content = Some(content.map_err(Error::io(&entry.record, "read the undo data back"))?);
        Ok(())
    }

    /// Stops recording, and forgets what was not written yet.
    pub(crate) fn abandon_record(&self) {
        if let Some(disk) = &self.disk {
            disk.recorded().abandon();
        }
    }

    /// Does what changes the disk outside of a run's own work, in a record of its own.
    pub(crate) fn recording<T>(
        &self,
        run: &RunFolder,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.record_in(run, UNDO_RECORD)?;
        let done = work();
        let ended = match &self.disk {
            Some(disk) => disk.recorded().end(),
            None => Ok(()),
        };
        let done = done?;
        ended.map_err(Error::io(&self.display, "write the disk"))?;
        Ok(done)
    }

    /// Whether giving back all sectors of a run destroys nothing that came later. `None` where the
    /// run has no record, or this is no disk that is not mounted.
    pub(crate) fn disk_is_as_recorded(
        &self,
        run: &RunFolder,
        journal: &Journal,
    ) -> Result<Option<bool>, Error> {
        let (Some(disk), Some(entry)) = (&self.disk, &journal.disk) else {
            return Ok(None);
        };
        let progress = match journal.state {
            RunState::Done => Progress::Ended,
            _ => Progress::Killed,
        };
        let file = self.record(run, entry)?;
        let state = disk.recorded().state(&file, progress);
        let damaged = |error| run.damaged(&entry.record, &chain(&error));
        if state.map_err(damaged)? != RecordedState::AsRecorded {
            return Ok(Some(false));
        }
        if journal.descriptors.is_none() {
            return Ok(Some(true));
        }
        let taken = disk.recorded().takes_descriptors(&file, entry.partition);
        Ok(Some(!taken.map_err(damaged)?))
    }

    /// Gives back all sectors of a run. `None` where it has no record, or this is no disk that is
    /// not mounted.
    pub(crate) fn restore_disk(
        &self,
        run: &RunFolder,
        journal: &Journal,
    ) -> Result<Option<Restored>, Error> {
        let (Some(disk), Some(entry)) = (&self.disk, &journal.disk) else {
            return Ok(None);
        };
        // A run that is given up has its record open, which on Windows nobody else can open then.
        self.abandon_record();
        let file = self.record(run, entry)?;
        let restored = disk.recorded().restore(&file);
        restored
            .map(Some)
            .map_err(|error| run.damaged(&entry.record, &chain(&error)))
    }

    fn record(&self, run: &RunFolder, entry: &DiskEntry) -> Result<AsRecord, Error> {
        let file = run.open(&entry.record, Access::Read)?;
        if let Some(expected) = entry.content {
            let found = Content::of_file(file.as_ref());
            let found = found.map_err(Error::io(&entry.record, "read the undo data"))?;
            if found != expected {
                return Err(run.damaged(&entry.record, "not what the journal says"));
            }
        }
        Ok(AsRecord(file))
    }
}
