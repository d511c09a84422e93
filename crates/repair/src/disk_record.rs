//! Recording what a run changes of a disk that is not mounted, and giving it back as a whole: after
//! that the disk is the same to the last byte.
//!
//! On a mounted target nothing here does anything.

use diskmend_disk::{
    Access, File, OpenError, Progress, RecordError, RecordFile, RecordedState, Restored,
};

use crate::documents::{Difference, RunState};
use crate::error::{Error, chain};
use crate::run::{Content, DiskEntry, Journal, RunFolder};
use crate::site::Site;

/// The record of a run.
pub(crate) const RECORD: &str = "sectors.bin";
/// The record of what an attempt changes that does not take a run back by its own record; there
/// only until the attempt has come to its end.
const UNDO_RECORD: &str = "undo-sectors.bin";

/// Room for what a record holds of the structures of a volume, in bytes.
const RECORD_ROOM: u64 = 64 << 10;
/// Bytes that it takes for the descriptor of one object, with room to spare.
const OBJECT_ROOM: u64 = 64;

/// A file of a run's folder as a record. Its frames are sealed unless a person vouches for the run.
fn as_record(run: &RunFolder, name: &str, file: Box<dyn File>) -> RecordFile {
    RecordFile::new(file, run.record_key(name))
}

impl Site {
    /// About how many bytes the record takes of a run that changes so many bytes of files, and the
    /// descriptors of so many objects.
    pub(crate) fn record_room(&self, changed: u64, objects: u64) -> u64 {
        if self.disk.is_none() {
            return 0;
        }
        // Old and new bytes.
        RECORD_ROOM
            .saturating_add(changed.saturating_mul(2))
            .saturating_add(objects.saturating_mul(OBJECT_ROOM))
    }

    /// Records what is changed from here on; what the journal has to say of it.
    pub(crate) fn begin_record(&self, run: &RunFolder) -> Result<Option<DiskEntry>, Error> {
        self.record_in(run, RECORD)?;
        Ok(self.partition.map(|partition| DiskEntry {
            partition,
            record: RECORD.to_owned(),
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

    /// Goes on with the record of a run that was killed; `false` where the disk holds a part of
    /// what was written last, so that the run can only be taken back.
    pub(crate) fn resume_record(&self, run: &RunFolder, journal: &Journal) -> Result<bool, Error> {
        let (Some(disk), Some(entry)) = (&self.disk, &journal.disk) else {
            return Ok(true);
        };
        let file = run.open(&entry.record, Access::ReadWrite)?;
        let resumed = disk.recorded().resume(as_record(run, &entry.record, file));
        let state = resumed.map_err(self.unusable(run, &entry.record, "go on with its record"))?;
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
        entry.mac = run.mac_of(&entry.record, file.as_ref())?;
        Ok(())
    }

    /// Stops recording, and forgets what was not written yet.
    pub(crate) fn abandon_record(&self) {
        if let Some(disk) = &self.disk {
            disk.recorded().abandon();
        }
    }

    /// Does what takes a run back otherwise than by its record, in a record of its own. Where that
    /// fails the record stays, for [`end_attempt`](Self::end_attempt).
    pub(crate) fn recording<T>(
        &self,
        run: &RunFolder,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(disk) = &self.disk else {
            return work();
        };
        self.record_in(run, UNDO_RECORD)?;
        run.sync()?;
        let done = work().inspect_err(|_| disk.recorded().abandon())?;
        let ended = disk.recorded().end();
        ended.map_err(Error::io(&self.display, "write the disk"))?;
        run.remove(UNDO_RECORD)?;
        Ok(done)
    }

    /// Gives the disk back what an attempt to take the run back found, where that was killed or has
    /// failed: a structure of the volume may be half written.
    pub(crate) fn end_attempt(&mut self, run: &RunFolder) -> Result<(), Error> {
        let (Some(disk), Some(partition)) = (&self.disk, self.partition) else {
            return Ok(());
        };
        let Some(file) = run.open_existing(UNDO_RECORD)? else {
            return Ok(());
        };
        let record = as_record(run, UNDO_RECORD, file);
        if !record.is_sealed() {
            let what = "nobody speaks for what an attempt to undo the run has left: look at this \
                        file, and move it away";
            return Err(run.damaged(UNDO_RECORD, what));
        }
        let unusable = self.unusable(run, UNDO_RECORD, "give back what it held");
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
            // Nothing is written before a record has its head.
            Err(error @ RecordError::Damaged { offset: 0, .. }) => {
                tracing::warn!("{}", chain(&unusable(error)));
            }
            Err(error) => return Err(unusable(error)),
        }
        drop(record);
        run.remove(UNDO_RECORD)
    }

    /// Removes what an attempt has recorded of itself, without a look at it.
    pub(crate) fn forget_attempt(&self, run: &RunFolder) -> Result<(), Error> {
        match run.open_existing(UNDO_RECORD)? {
            Some(_) => run.remove(UNDO_RECORD),
            None => Ok(()),
        }
    }

    /// What holds the places now that a run has changed on the disk, where that is neither what the
    /// run found nor what it left.
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
        let file = self.record(run, entry)?;
        let unusable = |error| self.unusable(run, &entry.record, "compare it")(error);
        let is = |progress| {
            let state = disk.recorded().state(&file, progress).map_err(unusable)?;
            Ok::<_, Error>(state == RecordedState::AsRecorded)
        };
        // Of a run that is done the record must be whole. The disk may all the same hold what the
        // run found: where a rollback could not be noted in the journal.
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

    /// Shows what giving back all sectors of a run would change: the offset on the disk, what lies
    /// there, and what would. Gives the length of the file now and then, if it would get shorter.
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
            .map_err(self.unusable(run, &entry.record, "give back what it held"))
    }

    /// Why a record does not help: it is damaged, or it or the disk can't be read or written.
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
