//! How a caller follows and stops the engine's work.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// A step of the engine's work on one hive, or on the target as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Running the guards on the target.
    Guards,
    /// Reading a hive and its logs, and replaying the logs in memory if the hive is dirty.
    Opening,
    /// Checking the structure of a hive.
    Checking,
    /// Comparing values with the desired values.
    Comparing,
    /// Changing the hive in memory.
    Editing,
    /// Checking the edited hive and reading it with the second reader.
    Verifying,
    /// Writing the undo data and the journal.
    BackingUp,
    /// Writing the change to the disk; from here on an interrupt takes effect only at the end.
    Committing,
    /// Reading the change back from the disk.
    ReadingBack,
    /// Rolling back a change that failed half way.
    RollingBack,
    /// Restoring the bytes from before a run.
    Restoring,
    /// Setting the security descriptors of files.
    SettingDescriptors,
    /// Restoring the former security descriptors of files.
    RestoringDescriptors,
    /// Files are moved.
    MovingFiles,
    /// Files are moved back.
    MovingFilesBack,
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
            Self::MovingFiles => "moving files on",
            Self::MovingFilesBack => "moving files back on",
            Self::RestoringDescriptors => "restoring permissions on",
        })
    }
}

/// Receives the engine's progress.
pub trait Progress {
    /// A phase begins; `subject` is its file or target.
    fn phase(&mut self, phase: Phase, subject: &str);

    /// The number of finished files of the phase.
    fn count(&mut self, _done: u64) {}
}

/// Ignores progress.
impl Progress for () {
    fn phase(&mut self, _phase: Phase, _subject: &str) {}
}

/// The caller's view of a running operation.
pub struct Watch<'a> {
    progress: &'a mut dyn Progress,
    cancel: &'a AtomicBool,
}

/// The caller asked to stop; nothing has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted before anything was written")]
pub struct Interrupted;

impl<'a> Watch<'a> {
    /// Reports to `progress`, and stops when `cancel` is true, as long as nothing is written.
    pub fn new(progress: &'a mut dyn Progress, cancel: &'a AtomicBool) -> Self {
        Self { progress, cancel }
    }

    /// The caller's view, for a part of the operation.
    pub(crate) fn lend(&mut self) -> Watch<'_> {
        Watch {
            progress: &mut *self.progress,
            cancel: self.cancel,
        }
    }

    /// Fails if the caller wants to stop.
    pub(crate) fn go_on(&self) -> Result<(), Interrupted> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(Interrupted);
        }
        Ok(())
    }

    /// Begins a phase that can be interrupted.
    pub(crate) fn phase(&mut self, phase: Phase, subject: &str) -> Result<(), Interrupted> {
        self.go_on()?;
        self.committed(phase, subject);
        Ok(())
    }

    /// Reports the number of finished files of a phase that can be interrupted.
    pub(crate) fn count(&mut self, done: u64) -> Result<(), Interrupted> {
        self.go_on()?;
        self.committed_count(done);
        Ok(())
    }

    /// Reports the number of finished files of a phase that can't be interrupted.
    pub(crate) fn committed_count(&mut self, done: u64) {
        self.progress.count(done);
    }

    /// Begins a phase that can't be interrupted.
    pub(crate) fn committed(&mut self, phase: Phase, subject: &str) {
        tracing::debug!(%phase, subject);
        self.progress.phase(phase, subject);
    }
}
