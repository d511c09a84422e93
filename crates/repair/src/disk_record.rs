//! Recording the changes of a run on a disk that isn't mounted, and restoring the whole disk, which
//! then is as before to the last byte.
//!
//! On a mounted target nothing here does anything.

use diskmend_disk::{
    Access, File, OpenError, Progress, RecordError, RecordFile, RecordedState, Restored,
};

use crate::differences::Difference;
use crate::error::{Error, chain};
use crate::run::file_names::{SECTORS, UNDO_SECTORS};
use crate::run::{Content, DiskEntry, Journal, RunFolder};
use crate::run_state::RunState;
use crate::site::Site;

/// The space that a record needs for structures of a volume, in bytes.
const RECORD_ROOM: u64 = 64 << 10;
/// The space that it needs for the descriptor of one object, in bytes, with a reserve.
const OBJECT_ROOM: u64 = 64;

/// A file of a run's folder as a record. A key seals its frames, unless a person vouches for the
/// run.
fn as_record(run: &RunFolder, name: &str, file: Box<dyn File>) -> RecordFile {
    RecordFile::new(file, run.record_key(name))
}

impl Site {
    /// The approximate length of the record of a run that changes this number of bytes in files and
    /// the descriptors of this number of objects.
    pub(crate) fn record_room(&self, changed: u64, objects: u64) -> u64 {
        if self.disk.is_none() {
            return 0;
        }
        // The record holds the old and the new bytes.
        RECORD_ROOM
            .saturating_add(changed.saturating_mul(2))
            .saturating_add(objects.saturating_mul(OBJECT_ROOM))
    }

    /// Starts to record changes. Returns the journal's entry about the record.
    pub(crate) fn begin_record(&self, run: &RunFolder) -> Result<Option<DiskEntry>, Error> {
        self.record_in(run, SECTORS)?;
        Ok(self.partition.map(|partition| DiskEntry {
            partition,
            record: SECTORS.to_owned(),
            content: None,
            mac: None,
        }))
    }

    fn record_in(&self, run: &RunFolder, name: &str) -> Result<(), Error> {
        let Some(disk) = &self.disk else {
            return Ok(());
        };
        let file = run.create_anew(name, "write the undo data")?;
        let begun = disk.recorded().begin(as_record(run, name, file));
        begun.map_err(Error::io(name, "write the undo data"))
    }

    /// Continues the record of a killed run. Returns `false` if the disk holds a part of the last
    /// write, so the run can only be undone.
    pub(crate) fn resume_record(&self, run: &RunFolder, journal: &Journal) -> Result<bool, Error> {
        let (Some(disk), Some(entry)) = (&self.disk, &journal.disk) else {
            return Ok(true);
        };
        let file = run.open(&entry.record, Access::ReadWrite)?;
        let resumed = disk.recorded().resume(as_record(run, &entry.record, file));
        let state = resumed.map_err(self.unusable(run, &entry.record, "go on with its record"))?;
        Ok(state == RecordedState::AsRecorded)
    }

    /// Makes everything durable, ends the recording, and notes the record's final content.
    pub(crate) fn end_record(&self, run: &RunFolder, journal: &mut Journal) -> Result<(), Error> {
        let (Some(disk), Some(entry)) = (&self.disk, &mut journal.disk) else {
            return Ok(());
        };
        let ended = disk.recorded().end();
        ended.map_err(Error::io(&self.display, "write the disk"))?;
        let file = run.open(&entry.record, Access::Read)?;
        let content = Content::of_file(file.as_ref());
        entry.content = Some(content.map_err(Error::io(&entry.record, "read the undo data back"))?);
        entry.mac = run.mac_of(&entry.record, file.as_ref())?;
        Ok(())
    }

    /// Ends the recording and drops what wasn't written yet.
    pub(crate) fn abandon_record(&self) {
        if let Some(disk) = &self.disk {
            disk.recorded().abandon();
        }
    }

    /// Does an undo that doesn't restore sectors, and records its changes in a record of their own.
    /// If it fails the record stays, for [`end_attempt`](Self::end_attempt).
    pub(crate) fn recording<T>(
        &self,
        run: &RunFolder,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(disk) = &self.disk else {
            return work();
        };
        self.record_in(run, UNDO_SECTORS)?;
        run.sync()?;
        let done = work().inspect_err(|_| disk.recorded().abandon())?;
        let ended = disk.recorded().end();
        ended.map_err(Error::io(&self.display, "write the disk"))?;
        run.remove(UNDO_SECTORS)?;
        Ok(done)
    }

    /// Restores what the disk held before an attempt to undo the run that was killed or failed,
    /// because a structure of the volume may be half written.
    pub(crate) fn end_attempt(&mut self, run: &RunFolder) -> Result<(), Error> {
        let (Some(disk), Some(partition)) = (&self.disk, self.partition) else {
            return Ok(());
        };
        let Some(file) = run.open_existing(UNDO_SECTORS)? else {
            return Ok(());
        };
        let record = as_record(run, UNDO_SECTORS, file);
        if !record.is_sealed() {
            let what = "no known key has sealed what an attempt to undo the run left: look at this \
                        file and move it away";
            return Err(run.damaged(UNDO_SECTORS, what));
        }
        let unusable = self.unusable(run, UNDO_SECTORS, "give back what it held");
        match disk.recorded().state(&record, Progress::Killed) {
            Ok(RecordedState::AsRecorded) => {
                disk.recorded().restore(&record).map_err(unusable)?;
                let root = disk.root(partition).map_err(|source| Error::Target {
                    path: self.display.clone(),
                    source: OpenError::Disk {
                        path: disk.path().to_path_buf(),
                        source: Box::new(source),
                    },
                })?;
                self.root = root;
            }
            Ok(state) => tracing::debug!(?state, "the record of an attempt"),
            // Nothing is written to the disk before a record has its header.
            Err(error @ RecordError::Damaged { offset: 0, .. }) => {
                tracing::warn!("{}", chain(&unusable(error)));
            }
            Err(error) => return Err(unusable(error)),
        }
        drop(record);
        run.remove(UNDO_SECTORS)
    }

    /// Removes an attempt's record without reading it.
    pub(crate) fn forget_attempt(&self, run: &RunFolder) -> Result<(), Error> {
        match run.open_existing(UNDO_SECTORS)? {
            Some(_) => run.remove(UNDO_SECTORS),
            None => Ok(()),
        }
    }

    /// The changed places of the disk that now hold neither what the run found nor what it left.
    pub(crate) fn changed_since(
        &self,
        run: &RunFolder,
        journal: &Journal,
    ) -> Result<Difference, Error> {
        let mut difference = Difference::of(self.display.clone(), true);
        let (Some(disk), Some(entry)) = (&self.disk, &journal.disk) else {
            return Ok(difference);
        };
        let file = self.record(run, entry)?;
        let found = disk.recorded().changed_since(&file);
        let found = found.map_err(self.unusable(run, &entry.record, "compare it"))?;
        difference.other_length = found.other_len;
        for range in &found.ranges {
            difference.add(range);
        }
        Ok(difference)
    }

    /// Says if restoring all sectors of a run destroys nothing newer. `None` if the run has no
    /// record, or if the target is mounted.
    pub(crate) fn disk_is_as_recorded(
        &self,
        run: &RunFolder,
        journal: &Journal,
    ) -> Result<Option<bool>, Error> {
        let (Some(disk), Some(entry)) = (&self.disk, &journal.disk) else {
            return Ok(None);
        };
        let file = self.record(run, entry)?;
        let unusable = |error| self.unusable(run, &entry.record, "compare it")(error);
        let is = |progress| {
            let state = disk.recorded().state(&file, progress).map_err(unusable)?;
            Ok::<_, Error>(state == RecordedState::AsRecorded)
        };
        // The record of a done run must be complete. Even so, the disk may hold what the run found,
        // if a rollback couldn't be noted in the journal.
        let is_done = journal.state == RunState::Done;
        let as_recorded = (is_done && is(Progress::Ended)?) || is(Progress::Killed)?;
        if !as_recorded {
            return Ok(Some(false));
        }
        if journal.descriptors.is_none() {
            return Ok(Some(true));
        }
        let taken = disk.recorded().takes_descriptors(&file, entry.partition);
        Ok(Some(!taken.map_err(unusable)?))
    }

    /// Shows what restoring all sectors of a run would change: the offset on the disk, its bytes
    /// now, and its bytes afterwards. Returns the file's length now and afterwards, if it would get
    /// shorter.
    pub(crate) fn preview_disk(
        &self,
        run: &RunFolder,
        journal: &Journal,
        show: impl FnMut(u64, &[u8], &[u8]),
    ) -> Result<Option<(u64, u64)>, Error> {
        let (Some(disk), Some(entry)) = (&self.disk, &journal.disk) else {
            return Ok(None);
        };
        let file = self.record(run, entry)?;
        let unusable = |error| self.unusable(run, &entry.record, "compare it")(error);
        let recorded = disk.recorded();
        recorded.differences(&file, show).map_err(unusable)?;
        recorded.shortened(&file).map_err(unusable)
    }

    /// Restores all sectors of a run. `None` if it has no record, or if this isn't a disk that
    /// isn't mounted.
    pub(crate) fn restore_disk(
        &self,
        run: &RunFolder,
        journal: &Journal,
    ) -> Result<Option<Restored>, Error> {
        let (Some(disk), Some(entry)) = (&self.disk, &journal.disk) else {
            return Ok(None);
        };
        // A run that is given up still has its record open, and on Windows nobody else can then
        // open it.
        self.abandon_record();
        let file = self.record(run, entry)?;
        let restored = disk.recorded().restore(&file);
        restored
            .map(Some)
            .map_err(self.unusable(run, &entry.record, "give back what it held"))
    }

    /// The error of a record that can't be used: it is damaged, or it or the disk can't be read or
    /// written.
    fn unusable(
        &self,
        run: &RunFolder,
        record: &str,
        action: &'static str,
    ) -> impl FnOnce(RecordError) -> Error {
        move |error| match error {
            RecordError::Io(source) => Error::io(&self.display, action)(source),
            error => run.damaged(record, &chain(&error)),
        }
    }

    fn record(&self, run: &RunFolder, entry: &DiskEntry) -> Result<RecordFile, Error> {
        let file = run.open(&entry.record, Access::Read)?;
        if let Some(expected) = entry.content {
            let same = expected.is_of(file.as_ref());
            if !same.map_err(Error::io(&entry.record, "read the undo data"))? {
                return Err(run.damaged(&entry.record, "not what the journal says"));
            }
            run.check_mac(&entry.record, file.as_ref(), entry.mac)?;
        }
        let record = as_record(run, &entry.record, file);
        if let (false, Some(disk)) = (record.is_sealed(), &self.disk) {
            let keeps = disk.recorded().keeps_len(&record);
            if !keeps.map_err(self.unusable(run, &entry.record, "compare it"))? {
                return Err(run.damaged(&entry.record, "it would give the disk another length"));
            }
        }
        Ok(record)
    }
}
