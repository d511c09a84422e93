//! How a caller follows and stops what the engine does.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// A step of the engine's work on one hive, or on the target as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Asking the guards whether the target may be touched.
    Guards,
    /// Reading a hive and its logs, and replaying these in memory where the hive is dirty.
    Opening,
    /// Checking the structure of a hive.
    Checking,
    /// Comparing values with what they should be.
    Comparing,
    /// Changing the hive in memory.
    Editing,
    /// Checking the edited hive and reading it with the second reader.
    Verifying,
    /// Writing the undo data and the journal.
    BackingUp,
    /// Writing the change to the disk; from here on an interrupt waits for the end.
    Committing,
    /// Reading the change back from the disk.
    ReadingBack,
    /// Taking a change back that failed half way.
    RollingBack,
    /// Restoring the bytes of before a run.
    Restoring,
    /// Setting the security descriptors of files.
    SettingDescriptors,
    /// Giving files their former security descriptors back.
    RestoringDescriptors,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Guards => "asking the guards",
            Self::Opening => "opening",
            Self::Checking => "checking",
            Self::Comparing => "comparing",
            Self::Editing => "editing",
            Self::Verifying => "verifying",
            Self::BackingUp => "backing up",
            Self::Committing => "committing",
            Self::ReadingBack => "reading back",
            Self::RollingBack => "rolling back",
            Self::Restoring => "restoring",
            Self::SettingDescriptors => "setting permissions on",
            Self::RestoringDescriptors => "restoring permissions on",
        })
    }
}

/// Gets told what the engine is at.
pub trait Progress {
    /// A phase begins; `subject` is the file or target that it is about.
    fn phase(&mut self, phase: Phase, subject: &str);

    /// Of the phase's files, so many are done.
    fn count(&mut self, _done: u64) {}
}

/// Takes no notice.
impl Progress for () {
    fn phase(&mut self, _phase: Phase, _subject: &str) {}
}

/// The caller's end of a running operation.
pub struct Watch<'a> {
    progress: &'a mut dyn Progress,
    cancel: &'a AtomicBool,
}

/// The caller asked to stop; nothing has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted before anything was written")]
pub struct Interrupted;

impl<'a> Watch<'a> {
    /// Reports to `progress` and stops, as long as nothing is written, once `cancel` is true.
    pub fn new(progress: &'a mut dyn Progress, cancel: &'a AtomicBool) -> Self {
        Self { progress, cancel }
    }

    /// The same caller's end, for a part of the operation.
    pub(crate) fn lend(&mut self) -> Watch<'_> {
        Watch {
            progress: &mut *self.progress,
            cancel: self.cancel,
        }
    }

    /// Whether the caller wants to go on.
    pub(crate) fn go_on(&self) -> Result<(), Interrupted> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(Interrupted);
        }
        Ok(())
    }

    /// Begins a phase that may be given up.
    pub(crate) fn phase(&mut self, phase: Phase, subject: &str) -> Result<(), Interrupted> {
        self.go_on()?;
        self.committed(phase, subject);
        Ok(())
    }

    /// So many files are done of a phase that may be given up.
    pub(crate) fn count(&mut self, done: u64) -> Result<(), Interrupted> {
        self.go_on()?;
        self.committed_count(done);
        Ok(())
    }

    /// So many files are done of a phase that runs to its end whatever the caller wants.
    pub(crate) fn committed_count(&mut self, done: u64) {
        self.progress.count(done);
    }

    /// Begins a phase that runs to its end whatever the caller wants.
    pub(crate) fn committed(&mut self, phase: Phase, subject: &str) {
        tracing::debug!(%phase, subject);
        self.progress.phase(phase, subject);
    }
}
