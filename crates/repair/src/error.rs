//! Why an operation was refused or failed, and the class of outcome that each reason is.

use std::io;

use diskmend_disk::{GuardError, LookupError};
use diskmend_hive::{Corruption, EditError};

use crate::documents::{CheckSummary, RunState, StoreStatus};
use crate::progress::Interrupted;

/// The classes of unhappy ends, for exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Something failed before anything was written.
    Failed,
    /// A guard refused; nothing was written.
    Refused,
    /// It failed half way; the old bytes are back.
    RolledBack,
    /// It failed half way, and the old bytes are not restored.
    Broken,
    /// The caller asked to stop; nothing was written.
    Interrupted,
}

/// A guard's reason to leave a target alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The volume itself may not be touched.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// A run was killed half way and must be settled first.
    #[error("run {run} of this target did not end (it is {state:?}): undo it first")]
    Unfinished {
        /// The run.
        run: String,
        /// How far it got.
        state: RunState,
        /// The partition that it was about, on a disk that is not mounted.
        partition: Option<u32>,
    },
    /// The run was about another partition of the target's disk.
    #[error("run {run} was a repair of partition {partition}, which is not the target")]
    OtherPartition {
        /// The run.
        run: String,
        /// The number of its partition.
        partition: u32,
    },
    /// The hive has structural errors.
    #[error("{path}: the hive has {} structural errors and is not edited", check.errors)]
    HiveErrors {
        /// The hive's path.
        path: String,
        /// What the check found.
        check: Box<CheckSummary>,
    },
    /// The hive is dirty and its logs do not bring it to a sound state.
    #[error("{path}: the hive was not closed cleanly and cannot be recovered")]
    Unrecoverable {
        /// The hive's path.
        path: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The hive or one of its logs is not what it was when the plan was made.
    #[error("{path}: changed since the plan was made")]
    Changed {
        /// The file's path.
        path: String,
    },
    /// The plan was made for another target.
    #[error("the plan was made for {planned}")]
    OtherTarget {
        /// The target that it was made for.
        planned: String,
    },
    /// Another program holds the hive's lock.
    #[error("{path}: another diskmend is at work on this hive")]
    HiveBusy {
        /// The hive's path.
        path: String,
    },
    /// The boot store of a run lies on another volume, which is not there as it was.
    #[error("{path}: the boot store of this run was on that volume: {reason}")]
    BootVolume {
        /// Where the volume was.
        path: String,
        /// What is found there.
        reason: String,
    },
    /// The target is a disk that is not mounted, and a boot volume elsewhere was named.
    #[error("{path}: the boot store of a disk that is not mounted must be on that disk")]
    BootVolumeOffDisk {
        /// The boot volume or store that was named.
        path: String,
    },
    /// The target is mounted, and the boot volume that was named is not.
    #[error("{path}: this is no mounted volume, as the target is")]
    BootVolumeNotMounted {
        /// The boot volume that was named.
        path: String,
    },
    /// There is no boot store.
    #[error("no boot store: neither {} exists {}", PLACES, searched(.volume.as_deref(), .beside))]
    NoStore {
        /// The volume where it was looked for, where that is not the target.
        volume: Option<String>,
        /// The other volumes of the target's disk, where it was looked for as well.
        beside: Vec<String>,
    },
    /// The disk of the target holds another Windows, whose the only boot store may be.
    #[error("{path}: it may be the boot store of another Windows, on {volume}")]
    AnotherWindows {
        /// The store's path.
        path: String,
        /// The volume that holds a Windows, or may hold one since it is locked.
        volume: String,
    },
    /// It is not plain which boot store starts this Windows.
    #[error("it is not plain which boot store starts this Windows: {}", listed(.stores))]
    StoreUnclear {
        /// All that were found.
        stores: Vec<StoreStatus>,
    },
    /// It is not plain which loader of the boot store starts this Windows.
    #[error("{path}: it is not plain which loader starts this Windows")]
    LoaderUnclear {
        /// The store's path.
        path: String,
        /// Why, with all loaders of the store.
        source: diskmend_bcd::loader::LoaderError,
    },
    /// Loaders of the boot store start a `\Windows` each on a partition of its own.
    #[error("{path}: the boot store has loaders for a \\Windows on several partitions: {loaders}")]
    SeveralWindows {
        /// The store's path.
        path: String,
        /// The loaders with their partitions, for a person.
        loaders: String,
    },
    /// The loader that was named is none of the store, or starts another Windows.
    #[error("{path}: loader {loader}: {reason}")]
    WrongLoader {
        /// The store's path.
        path: String,
        /// The loader's GUID.
        loader: diskmend_bcd::Guid,
        /// What is wrong with it.
        reason: String,
    },
    /// The store lacks an object that a recipe is about.
    #[error("{path}: the boot store has no object {object}")]
    NoObject {
        /// The store's path.
        path: String,
        /// The object, as the recipe names it.
        object: String,
    },
    /// The change would leave errors in the store.
    #[error("{path}: the boot store would not be sound: {problem}")]
    StoreUnsound {
        /// The store's path.
        path: String,
        /// The first of the new errors.
        problem: String,
    },
    /// A block device has no folder beside it for undo data.
    #[error("a block device has no place for undo data: they need a folder elsewhere")]
    StateFolderNeeded,
    /// The folder for undo data is a link or no folder.
    #[error("the folder for undo data, {name:?}, is a link or no folder")]
    StateFolder {
        /// Its name.
        name: String,
    },
    /// The volume's file system, or its driver, shows no security descriptors.
    #[error("this is no NTFS volume, or its driver does not show Windows's permissions")]
    NoDescriptors,
    /// Something else stands in the place of a folder.
    #[error("{path}: {reason}")]
    NotTheFolder {
        /// The path below the target's root.
        path: String,
        /// What stands there.
        reason: String,
    },
    /// This process may not read and set permissions that do not admit it.
    #[error("permissions can only be read and set by an administrator")]
    NotElevated,
    /// A file can't take what would be written to it.
    #[error("{path}: the file can't be changed as is needed, and nothing was")]
    NoRoom {
        /// The file's path.
        path: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The logs of the hive cannot be used for a commit.
    #[error("{path}: no transaction log to commit with")]
    NoLog {
        /// The hive's path.
        path: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Why an operation did not come to a good end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A guard refused; nothing was written.
    #[error(transparent)]
    Refused(#[from] Refusal),
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
    /// The build of the target's Windows is not known.
    #[error(
        "the build of this Windows is not known ({reason}): permissions that depend on it are left \
         as they are"
    )]
    BuildUnknown {
        /// Why.
        reason: String,
    },
    /// The changes of security descriptors can't be noted down; nothing was written to the target.
    #[error("cannot note the planned changes down in this machine's folder for temporary files")]
    Draft {
        /// What the system reported.
        source: io::Error,
    },
    /// The file is no hive.
    #[error("{path}: not a registry hive")]
    NotAHive {
        /// The hive's path.
        path: String,
        /// Why.
        source: diskmend_hive::OpenError,
    },
    /// The hive is corrupt where it had to be read.
    #[error("{path}: corrupt")]
    Corrupt {
        /// The hive's path.
        path: String,
        /// Where and how.
        source: Corruption,
    },
    /// The hive is no boot store, or cannot be read as one.
    #[error("{path}: not readable as a boot store")]
    Store {
        /// The hive's path.
        path: String,
        /// Why.
        source: diskmend_bcd::StoreError,
    },
    /// The boot store cannot be changed as wanted.
    #[error("{path}: the boot store cannot be changed as wanted")]
    StoreChange {
        /// The hive's path.
        path: String,
        /// Why.
        source: diskmend_bcd::ChangeError,
    },
    /// An edit was refused.
    #[error("{path}: cannot be edited as wanted")]
    Edit {
        /// The hive's path.
        path: String,
        /// Why.
        source: EditError,
    },
    /// The hive was sound before the edit and is not after it; nothing was written.
    #[error(
        "{path}: the edit would have damaged the hive ({} structural errors); nothing was written",
        check.errors
    )]
    Unsound {
        /// The hive's path.
        path: String,
        /// What the check of the edited hive found.
        check: Box<CheckSummary>,
    },
    /// The second reader finds something else in the edited hive; nothing was written.
    #[error("{path}: a second reader does not find the edit: {found}")]
    SecondReader {
        /// The hive's path.
        path: String,
        /// What it finds.
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
        /// What was tried.
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
    #[error("there is no run {run:?}")]
    NoRun {
        /// The name.
        run: String,
    },
    /// The target has no run that could be undone.
    #[error("there is no run to undo")]
    NothingToUndo,
    /// The run has nothing to undo.
    #[error("run {run} is {state:?}: there is nothing to undo")]
    NotUndoable {
        /// The run.
        run: String,
        /// How far it got.
        state: RunState,
    },
    /// Something else has changed the hive since, and the run was too large to note every change.
    #[error(
        "run {run}: {path} has been changed since, and the run notes too little to reverse it \
         value by value"
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
        /// What is wrong.
        what: String,
    },
    /// Writing failed half way, and the old bytes are back.
    #[error("run {run} failed and was rolled back")]
    RolledBack {
        /// The run.
        run: String,
        /// What failed.
        source: Box<Error>,
    },
    /// Writing failed half way, and so did restoring the old bytes.
    #[error("run {run} failed ({source}) and could not be rolled back: {rollback}")]
    Broken {
        /// The run.
        run: String,
        /// What failed first.
        source: Box<Error>,
        /// Why the old bytes could not be restored.
        rollback: Box<Error>,
    },
    /// Taking a run back failed half way.
    #[error("run {run} is taken back in part only")]
    NotUndone {
        /// The run.
        run: String,
        /// What failed.
        source: Box<Error>,
    },
    /// Completing a run that had been killed failed, and what it has changed is still there.
    #[error("run {run}, which had been killed, could not be completed and is not taken back")]
    NotCompleted {
        /// The run.
        run: String,
        /// What failed.
        source: Box<Error>,
    },
    /// Security descriptors could not be restored.
    #[error("the permissions of {objects} objects could not be restored, first {path}: {reason}")]
    NotRestored {
        /// How many.
        objects: u64,
        /// The first of them.
        path: String,
        /// Why.
        reason: String,
    },
    /// Writing the hive failed.
    #[error("{path}: cannot be written")]
    Commit {
        /// The hive's path.
        path: String,
        /// What failed.
        source: diskmend_hive::commit::CommitError,
    },
    /// What was read back from the disk is not what was written.
    #[error("{path}: reading back found {found}")]
    ReadBack {
        /// The hive's path.
        path: String,
        /// What was found.
        found: String,
    },
}

impl Error {
    /// The class of outcome.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            // A link that would lead out of the target is as good a reason as any guard's.
            Self::Refused(_) | Self::Lookup(LookupError::Link { .. }) => Class::Refused,
            Self::Interrupted(_) => Class::Interrupted,
            Self::RolledBack { .. } => Class::RolledBack,
            Self::Broken { .. } | Self::NotCompleted { .. } | Self::NotUndone { .. } => {
                Class::Broken
            }
            _ => Class::Failed,
        }
    }

    pub(crate) fn io(path: &str, action: &'static str) -> impl FnOnce(io::Error) -> Self {
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

/// Where boot stores lie.
const PLACES: &str = "Boot/BCD nor EFI/Microsoft/Boot/BCD";

/// Where a store was looked for.
fn searched(volume: Option<&str>, beside: &[String]) -> String {
    match (volume, beside) {
        (Some(volume), _) => format!("on {volume}"),
        (None, []) => "on this volume".to_owned(),
        (None, beside) => format!(
            "on this volume or the others of its disk: {}",
            beside.join(", ")
        ),
    }
}

/// Stores with what is known of each, for a message.
fn listed(stores: &[StoreStatus]) -> String {
    let one = |store: &StoreStatus| match &store.problem {
        Some(problem) => format!("{}: {problem}", store.shown_path()),
        None => format!("{}: it fits", store.shown_path()),
    };
    stores.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
