//! The errors of the engine's operations, and the class of outcome for each.

mod plan_file;
mod refusal;

use std::io;

pub(crate) use diskmend_base::chain;
use diskmend_disk::{GuardError, LookupError};
use diskmend_hive::{Corruption, EditError};

use crate::check_summary::CheckSummary;
use crate::progress::Interrupted;
use crate::run_names::RunNames;
use crate::run_state::RunState;

pub use self::plan_file::PlanFileError;
pub use self::refusal::Refusal;

/// The classes of failure, for exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Something failed before anything was written.
    Failed,
    /// A guard refused; nothing was written.
    Refused,
    /// It failed half way; the old bytes were restored.
    RolledBack,
    /// It failed half way, and the old bytes could not be restored.
    Broken,
    /// The caller asked to stop; nothing was written.
    Interrupted,
}

/// The error of an operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A guard refused; nothing was written.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A saved plan can't be used; nothing was written.
    #[error(transparent)]
    PlanFile(#[from] PlanFileError),
    /// The caller asked to stop; nothing was written.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The hive file does not exist.
    #[error("{path}: not found")]
    NoHive {
        /// The path below the target's root.
        path: String,
    },
    /// The folder does not exist.
    #[error("{path}: no such folder")]
    NoFolder {
        /// The path below the target's root.
        path: String,
    },
    /// The build of the target's Windows is unknown.
    #[error("the build of this Windows is not known ({reason}): what depends on it is not changed")]
    BuildUnknown {
        /// Why.
        reason: String,
    },
    /// Whether the Windows is a server isn't known, so it isn't known which rows of a recipe count.
    #[error(
        "whether this Windows is a server is not known ({reason}): what depends on it is not \
         changed"
    )]
    ProductUnknown {
        /// Why.
        reason: String,
    },
    /// The changes of security descriptors could not be stored; nothing was written to the target.
    #[error("cannot store the planned changes in this machine's folder for temporary files")]
    Draft {
        /// What the system reported.
        source: io::Error,
    },
    /// The file is not a hive.
    #[error("{path}: not a registry hive")]
    NotAHive {
        /// The hive's path.
        path: String,
        /// Why.
        source: diskmend_hive::OpenError,
    },
    /// The hive is corrupt in a part that had to be read.
    #[error("{path}: corrupt")]
    Corrupt {
        /// The hive's path.
        path: String,
        /// The place and the cause.
        source: Corruption,
    },
    /// The hive is not a boot store, or can't be read as one.
    #[error("{path}: not readable as a boot store")]
    Store {
        /// The hive's path.
        path: String,
        /// Why.
        source: diskmend_bcd::StoreError,
    },
    /// A new boot store could not be made in memory.
    #[error("{path}: no new boot store could be made")]
    NewStore {
        /// The path of the store.
        path: String,
        /// Why.
        source: diskmend_bcd::new_store::NewStoreError,
    },
    /// The boot store can't be changed in this way.
    #[error("{path}: this change to the boot store is not possible")]
    StoreChange {
        /// The hive's path.
        path: String,
        /// Why.
        source: diskmend_bcd::ChangeError,
    },
    /// An edit was refused.
    #[error("{path}: this edit is not possible")]
    Edit {
        /// The hive's path.
        path: String,
        /// Why.
        source: EditError,
    },
    /// The hive was sound before the edit but would not be after it; nothing was written.
    #[error(
        "{path}: the edit would have damaged the hive ({} structural errors); nothing was written",
        check.errors
    )]
    Unsound {
        /// The hive's path.
        path: String,
        /// The result of the check of the edited hive.
        check: Box<CheckSummary>,
    },
    /// The second reader does not find the edit in the edited hive; nothing was written.
    #[error("{path}: a second reader does not find the edit: {found}")]
    SecondReader {
        /// The hive's path.
        path: String,
        /// What it finds instead.
        found: String,
    },
    /// A path on the target could not be looked up.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// A file or folder could not be read or written.
    #[error("{path}: cannot {action}")]
    Io {
        /// The file or folder.
        path: String,
        /// The action that failed.
        action: &'static str,
        /// What the system reported.
        source: io::Error,
    },
    /// A folder could not be opened.
    #[error("{path}: cannot be opened as a folder")]
    Target {
        /// Its path.
        path: String,
        /// Why.
        source: diskmend_disk::OpenError,
    },
    /// The target has no run of this name.
    #[error("there is no run \"{run}\"")]
    NoRun {
        /// The name.
        run: String,
        /// The runs that there are.
        known: RunNames,
    },
    /// Several runs have names that begin like this.
    #[error("\"{run}\" is the beginning of the names of several runs: {candidates}")]
    SeveralRuns {
        /// The beginning of a name.
        run: String,
        /// These runs, whoever has written them.
        candidates: RunNames,
    },
    /// The target has no run that could be undone.
    #[error("there is no run to undo")]
    NothingToUndo,
    /// The run has nothing to undo.
    #[error("run {run} is {state}: there is nothing to undo")]
    NotUndoable {
        /// The run.
        run: String,
        /// The state of the run.
        state: RunState,
    },
    /// Something else has changed the hive since, and the run was too large to record every change.
    #[error(
        "run {run}: {path} has been changed since, and the run has not recorded enough to reverse \
         it value by value"
    )]
    NotReversible {
        /// The run.
        run: String,
        /// The hive's path.
        path: String,
    },
    /// The journal or the undo data of a run are damaged.
    #[error("run {run}: {file} is damaged: {what}")]
    DamagedRun {
        /// The run.
        run: String,
        /// The file in its folder.
        file: String,
        /// The problem.
        what: String,
    },
    /// Writing failed half way, and the old bytes were restored.
    #[error("run {run} failed and was rolled back")]
    RolledBack {
        /// The run.
        run: String,
        /// The cause.
        source: Box<Error>,
    },
    /// Writing failed half way, and restoring the old bytes failed too.
    #[error("run {run} failed ({source}) and could not be rolled back: {rollback}")]
    Broken {
        /// The run.
        run: String,
        /// The first cause.
        source: Box<Error>,
        /// Why the old bytes could not be restored.
        rollback: Box<Error>,
    },
    /// Undoing a run failed half way.
    #[error("run {run} is only partly undone")]
    NotUndone {
        /// The run.
        run: String,
        /// The cause.
        source: Box<Error>,
    },
    /// Completing a run that had been killed failed, and its changes are still there.
    #[error("run {run}, which had been killed, could not be completed and is not undone")]
    NotCompleted {
        /// The run.
        run: String,
        /// The cause.
        source: Box<Error>,
    },
    /// Security descriptors could not be restored.
    #[error("the permissions of {objects} objects could not be restored, first {path}: {reason}")]
    NotRestored {
        /// The number of objects.
        objects: u64,
        /// The first object.
        path: String,
        /// Why.
        reason: String,
    },
    /// Writing the hive failed.
    #[error("{path}: cannot be written")]
    Commit {
        /// The hive's path.
        path: String,
        /// The cause.
        source: diskmend_hive::commit::CommitError,
    },
    /// The bytes on the disk are not those that were written.
    #[error("{path}: reading back found {found}")]
    ReadBack {
        /// The hive's path.
        path: String,
        /// What was found.
        found: String,
    },
    /// A file that was moved could not be moved back.
    #[error("{path}: the file could not be moved back: {reason}")]
    NotMovedBack {
        /// Its old path.
        path: String,
        /// Why.
        reason: String,
    },
}

impl Error {
    /// The class of outcome.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            // A link that would lead out of the target is a refusal, like those of the guards.
            Self::Refused(_) | Self::PlanFile(_) | Self::Lookup(LookupError::Link { .. }) => {
                Class::Refused
            }
            Self::Interrupted(_) => Class::Interrupted,
            Self::RolledBack { .. } => Class::RolledBack,
            Self::Broken { .. } | Self::NotCompleted { .. } | Self::NotUndone { .. } => {
                Class::Broken
            }
            _ => Class::Failed,
        }
    }

    pub(crate) fn io(path: &str, action: &'static str) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io {
            path,
            action,
            source,
        }
    }

    pub(crate) fn draft(source: io::Error) -> Self {
        Self::Draft { source }
    }

    pub(crate) fn corrupt(path: &str) -> impl FnOnce(Corruption) -> Self {
        let path = path.to_owned();
        move |source| Self::Corrupt { path, source }
    }
}

impl From<GuardError> for Error {
    fn from(error: GuardError) -> Self {
        Self::Refused(error.into())
    }
}
