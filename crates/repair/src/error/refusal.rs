//! The reasons why a target is refused.

use diskmend_disk::GuardError;

use super::{Error, chain};
use crate::check_summary::CheckSummary;
use crate::run_state::RunState;
use crate::store_status::StoreStatus;
use crate::trust::KeyError;
use crate::trust::Trust;

/// The reason of a guard for refusing a target.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The volume itself must not be changed.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// Only bytes of hives may be changed on the volume, in place.
    #[error("on such a volume, diskmend changes only the bytes of hives, in place")]
    OnlyInPlace {
        /// The condition of the volume.
        source: GuardError,
    },
    /// A hive can't be changed in place, and nothing else is possible on its volume.
    #[error("{}", chain(reason))]
    NotInPlace {
        /// Why it can't be changed in place.
        reason: Box<Error>,
        /// The condition of the volume.
        condition: GuardError,
    },
    /// A run was killed half way, and must be completed or undone first.
    #[error("run {run} of this target did not end (it is {state}): undo it first")]
    Unfinished {
        /// The run.
        run: String,
        /// The state of the run.
        state: RunState,
        /// The partition of the run, on an unmounted disk.
        partition: Option<u32>,
    },
    /// The run has no valid seal.
    #[error("run {run} of this target (it is {state}) is not trusted: {trust}")]
    Untrusted {
        /// The run.
        run: String,
        /// The state that the run claims.
        state: RunState,
        /// The reason why it is not trusted.
        trust: Trust,
        /// The partition that the run claims, on an unmounted disk.
        partition: Option<u32>,
    },
    /// The run can't be read, so it is unknown whether it ended.
    #[error("it is unknown whether run {run} of this target ended, and it is not trusted: {what}")]
    UnreadableRun {
        /// The run.
        run: String,
        /// The problem.
        what: String,
    },
    /// This machine has no key with which to seal runs.
    #[error("this machine's key can't be used: {0}")]
    NoKey(KeyError),
    /// The run belongs to another partition of the target's disk.
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
        /// The result of the check.
        check: Box<CheckSummary>,
    },
    /// The hive is dirty, and its logs can't recover it.
    #[error("{path}: the hive was not closed cleanly and cannot be recovered")]
    Unrecoverable {
        /// The hive's path.
        path: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A log of the hive can't be read, or is longer than the hive could have made it.
    #[error("{path}: the logs of the hive can't be read")]
    Log {
        /// The hive's path.
        path: String,
        /// Why.
        source: diskmend_hive::ReadLogError,
    },
    /// The hive or one of its logs has changed since the plan was made.
    #[error("{path}: changed since the plan was made")]
    Changed {
        /// The file's path.
        path: String,
    },
    /// The saved plan was made for another target.
    #[error("the plan was made for another target: {what}")]
    OtherTarget {
        /// What differs.
        what: String,
    },
    /// Something that the saved plan was made from, or that it says, is no longer so.
    #[error("the plan is stale: {}", what.join("; "))]
    StalePlan {
        /// What has changed.
        what: Vec<String>,
        /// True if nothing is left to change on the target.
        nothing_left: bool,
    },
    /// Another program holds the hive's lock.
    #[error("{path}: another diskmend is working on this hive")]
    HiveBusy {
        /// The hive's path.
        path: String,
    },
    /// The boot store of a run is on another volume, and that volume is not at its old place.
    #[error("{path}: the boot store of this run was on that volume: {reason}")]
    BootVolume {
        /// The former path of the volume.
        path: String,
        /// What is there now.
        reason: String,
    },
    /// The file of an unmounted disk is a part of NTFS, or not every system takes its path as plain
    /// names.
    #[error("{path}: diskmend does not edit a file with such a path on an unmounted disk")]
    NoHivePath {
        /// The path below the root of the volume.
        path: String,
    },
    /// The target is an unmounted disk, and a boot volume elsewhere was named.
    #[error("{path}: the boot store of an unmounted disk must be on that disk")]
    BootVolumeOffDisk {
        /// The boot volume or store that was named.
        path: String,
    },
    /// The target is mounted, but the named boot volume is not.
    #[error("{path}: this is not a mounted volume, but the target is")]
    BootVolumeNotMounted {
        /// The named boot volume.
        path: String,
    },
    /// There is no boot store.
    #[error(
        "no boot store: neither {} exists {}{}",
        PLACES, searched(.volume.as_deref(), .beside), passed_over(.unread)
    )]
    NoStore {
        /// The volume that was searched, if it is not the target.
        volume: Option<String>,
        /// The other volumes of the target's disk, if they were searched too.
        beside: Vec<String>,
        /// The volumes of that disk with content that diskmend can't read, and their content.
        unread: Vec<String>,
    },
    /// The boot store's volume must not be changed.
    #[error("{path}")]
    BootVolumeGuard {
        /// The volume.
        path: String,
        /// Why.
        source: GuardError,
    },
    /// The disk of the target contains another Windows, and the only boot store may belong to it.
    #[error("{path}: it may be the boot store of another Windows, on {volume}")]
    AnotherWindows {
        /// The store's path.
        path: String,
        /// The volume that contains a Windows, or may contain one because it is locked.
        volume: String,
    },
    /// Several boot stores could start this Windows, or one that might can't be read.
    #[error("diskmend can't tell which boot store starts this Windows: {}", listed(.stores))]
    StoreUnclear {
        /// All stores that were found.
        stores: Vec<StoreStatus>,
    },
    /// Several loaders of the boot store could start this Windows, or none does.
    #[error("{path}: diskmend can't tell which loader starts this Windows")]
    LoaderUnclear {
        /// The store's path.
        path: String,
        /// The reason, with all loaders of the store.
        source: diskmend_bcd::loader::LoaderError,
    },
    /// The boot store has loaders for a `\Windows` on several partitions.
    #[error("{path}: the boot store has loaders for a \\Windows on several partitions: {loaders}")]
    SeveralWindows {
        /// The store's path.
        path: String,
        /// The loaders with their partitions, for display.
        loaders: String,
    },
    /// The named loader is not in the store, or starts another Windows.
    #[error("{path}: loader {loader}: {reason}")]
    WrongLoader {
        /// The store's path.
        path: String,
        /// The loader's GUID.
        loader: diskmend_bcd::Guid,
        /// The problem.
        reason: String,
    },
    /// The store lacks an object that a recipe changes.
    #[error("{path}: the boot store has no object {object}")]
    NoObject {
        /// The store's path.
        path: String,
        /// The object, as the recipe names it.
        object: String,
    },
    /// A boot store is missing or can't be read, and it isn't known enough to build it anew.
    #[error("{place}: no boot store is built: {reason}")]
    NoNewStore {
        /// The store, or where it should be.
        place: String,
        /// The reason, for a person.
        reason: String,
    },
    /// It isn't known what an element of the boot store should be.
    #[error("{path}: {element}: {reason}")]
    ElementUndetermined {
        /// The store's path.
        path: String,
        /// `bcdedit`'s name for the element.
        element: String,
        /// The reason, for a person.
        reason: String,
    },
    /// The change would leave errors in the store.
    #[error("{path}: the change would damage the store: {problem}")]
    StoreUnsound {
        /// The store's path.
        path: String,
        /// The first of the new errors.
        problem: String,
    },
    /// A block device has no folder next to it for undo data.
    #[error("undo data can't be stored next to a block device: they need a folder elsewhere")]
    StateFolderNeeded,
    /// The folder for undo data is a link or not a folder.
    #[error("the folder for undo data, \"{name}\", is a link or not a folder")]
    StateFolder {
        /// Its name.
        name: String,
    },
    /// There are two folders for undo data, and a run that did not end could be in either.
    #[error("undo data may be in two folders: {} and {}", names[0], names[1])]
    TwoStateFolders {
        /// Their names.
        names: [&'static str; 2],
    },
    /// Somebody else may have written to the folder for undo data, or to a folder in it.
    #[error("the folder for undo data is not safe to use: {name}: {reason}")]
    StateFolderOpen {
        /// The folder.
        name: String,
        /// Who may write to it.
        reason: String,
    },
    /// The volume's file system, or its driver, shows no security descriptors.
    #[error("this is not an NTFS volume, or its driver does not show Windows's permissions")]
    NoDescriptors,
    /// Something other than a folder is at this path.
    #[error("{path}: {reason}")]
    NotTheFolder {
        /// The path below the target's root.
        path: String,
        /// What is there.
        reason: String,
    },
    /// This process may not read and set permissions that do not give it access.
    #[error("only an administrator can read and set permissions")]
    NotElevated,
    /// A file can't store what would be written to it.
    #[error("{path}: the file can't be changed as needed; nothing was written")]
    NoRoom {
        /// The file's path.
        path: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Keys to delete have so much in them that the run could not bring it back.
    #[error(
        "{path}: the keys that would be deleted or copied have more in them than a run records (20,000 keys and \
         values, or 4 MiB)"
    )]
    TooMuchInKeys {
        /// The hive's path.
        path: String,
    },
    /// A file of the hive has other names, which may belong to another important file.
    #[error(
        "{path}: the file has {names} names (hard links): writing to it would also change it under \
         the other names"
    )]
    Linked {
        /// The file's path.
        path: String,
        /// The number of its names.
        names: u64,
    },
    /// Two files of the hive are the same file.
    #[error("{path}: this is the same file as {other}")]
    SameFile {
        /// The path of a log.
        path: String,
        /// The path of the hive, or of another log.
        other: String,
    },
    /// The file can't be moved.
    #[error("{path}: it is not moved: {reason}")]
    FileStays {
        /// The file's path.
        path: String,
        /// Why.
        reason: String,
    },
    /// A part of a recipe that is used as a whole can't be changed.
    #[error("{place}: {recipe} is all or nothing, and this part of it can't be changed")]
    NotWhole {
        /// The recipe.
        recipe: String,
        /// The hive, the file, or what else it is.
        place: String,
        /// Why it can't be changed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file whose content was to take the place of a damaged one isn't fit for it.
    #[error(
        "{path}: it is damaged and can't be replaced: {from}: expected {expected}, found {found}"
    )]
    Replacement {
        /// The path of the damaged file.
        path: String,
        /// The path of the other one.
        from: String,
        /// What that file should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The rows are about more files than a run moves.
    #[error("{folder}: more than {limit} files, which is the most that one run moves")]
    TooManyFiles {
        /// The folder's path.
        folder: String,
        /// The greatest number.
        limit: usize,
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

/// The places of boot stores.
const PLACES: &str = "Boot/BCD nor EFI/Microsoft/Boot/BCD";

/// The places that were searched for a store.
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
        unread => format!("; not searched: {}", unread.join(", ")),
    }
}

/// Stores with what is known about each, for a message.
fn listed(stores: &[StoreStatus]) -> String {
    let one = |store: &StoreStatus| match &store.problem {
        Some(problem) => format!("{}: {problem}", store.shown_path()),
        None => format!("{}: it fits", store.shown_path()),
    };
    stores.iter().map(one).collect::<Vec<_>>().join("; ")
}
