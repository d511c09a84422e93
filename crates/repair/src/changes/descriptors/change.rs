//! Making the changes in a run's folder, forwards or backwards.

use diskmend_disk::{Change, Changed, Descriptors, ObjectError};

use super::scope::check;
use crate::error::Error;
use crate::progress::{Phase, Watch};
use crate::run::{DescriptorsEntry, Journal, RunFolder};

/// Recorded changes, and the volume to make them on.
pub(super) struct Recorded<'a> {
    secured: &'a dyn Descriptors,
    run: &'a RunFolder,
    pub(super) entry: &'a DescriptorsEntry,
    journal: &'a Journal,
}

impl<'a> Recorded<'a> {
    /// The changes that a run has recorded, if it has recorded any.
    pub(super) fn of(
        secured: &'a dyn Descriptors,
        run: &'a RunFolder,
        journal: &'a Journal,
    ) -> Option<Self> {
        journal.descriptors.as_ref().map(|entry| Self {
            secured,
            run,
            entry,
            journal,
        })
    }

    /// Makes each change in the given direction, and returns when all are durable. If one fails,
    /// the others are made nevertheless.
    ///
    /// # Errors
    /// If the records can't be read, or if the changes aren't durable.
    pub(super) fn make(
        &self,
        phase: Phase,
        direction: fn(Change) -> Change,
        watch: &mut Watch<'_>,
        mut made: impl FnMut(&Change, Result<Changed, ObjectError>),
    ) -> Result<(), Error> {
        let target = &self.journal.target;
        check(self.run, self.journal)?;
        watch.committed(phase, target);
        let mut done = 0u64;
        self.run.for_each_frame(&self.entry.records, |frame| {
            let changes: Vec<Change> = frame.into_iter().map(direction).collect();
            for (change, result) in changes.iter().zip(self.secured.change(&changes)) {
                made(change, result);
            }
            done = done.saturating_add(changes.len() as u64);
            watch.committed_count(done);
        })?;
        self.secured
            .flush()
            .map_err(Error::io(target, "flush the volume of"))
    }
}
