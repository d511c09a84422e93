//! Why a target is left alone.

use diskmend_disk::GuardError;

use crate::documents::{CheckSummary, RunState, StoreStatus, Trust};
use crate::run::trust::KeyError;

/// A guard's reason to leave a target alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The volume itself may not be touched.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// A run was killed half way and must be settled first.
    #[error("run {run} of this target did not end (it is {state}): undo it first")]
    Unfinished {
        /// The run.
        run: String,
        /// How far it got.
        state: RunState,
        /// The partition that it was about, on a disk that is not mounted.
        partition: Option<u32>,
    },
    /// Nobody speaks for the run.
    #[error("run {run} of this target (it is {state}) is not trusted: {trust}")]
    Untrusted {
        /// The run.
        run: String,
        /// How far it says that it got.
        state: RunState,
        /// Why it is not trusted.
        trust: Trust,
        /// The partition that it says it was about, on a disk that is not mounted.
        partition: Option<u32>,
    },
    /// What a run did cannot be read, and so not whether it ended.
    #[error("whether run {run} of this target ended can't be told, and it is not trusted: {what}")]
    UnreadableRun {
        /// The run.
        run: String,
        /// What is wrong.
        what: String,
    },
    /// This machine has no key to seal runs with.
    #[error("this machine's key can't be used: {0}")]
    NoKey(KeyError),
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
    /// A log of the hive can't be read, or is longer than the hive could make it.
    #[error("{path}: the logs of the hive are not read")]
    Log {
        /// The hive's path.
        path: String,
        /// Why.
        source: diskmend_hive::ReadLogError,
    },
    /// The hive or one of its logs is not what it was when the plan was made.
    #[error("{path}: changed since the plan was made")]
    Changed {
        /// The file's path.
        path: String,
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
    #[error(
        "no boot store: neither {} exists {}{}",
        PLACES, searched(.volume.as_deref(), .beside), passed_over(.unread)
    )]
    NoStore {
        /// The volume where it was looked for, where that is not the target.
        volume: Option<String>,
        /// The other volumes of the target's disk, where it was looked for as well.
        beside: Vec<String>,
        /// The volumes of that disk that hold what is not read here, and that.
        unread: Vec<String>,
    },
    /// The boot store's volume may not be touched.
    #[error("{path}")]
    BootVolumeGuard {
        /// The volume.
        path: String,
        /// Why.
        source: GuardError,
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
    #[error("{path}: the store would not be sound: {problem}")]
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
    /// Somebody else may have written the folder for undo data, or one in it.
    #[error("the folder for undo data is not used: {name}: {reason}")]
    StateFolderOpen {
        /// The folder.
        name: String,
        /// Who may write it.
        reason: String,
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
    /// A file of the hive has other names, which may be those of another file that is needed.
    #[error(
        "{path}: the file has {names} names (hard links): what is written to it changes what the \
         others name"
    )]
    Linked {
        /// The file's path.
        path: String,
        /// How many names it has.
        names: u64,
    },
    /// Two files of the hive are one.
    #[error("{path}: this is the same file as {other}")]
    SameFile {
        /// The path of a log.
        path: String,
        /// The path of the hive, or of another log.
        other: String,
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

fn passed_over(unread: &[String]) -> String {
    match unread {
        [] => String::new(),
        unread => format!("; what was not looked at: {}", unread.join(", ")),
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
