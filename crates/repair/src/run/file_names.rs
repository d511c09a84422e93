//! The names of the files and folders that belong to a run.

use super::RunId;

/// The folder of all runs, in the folder for undo data.
pub(super) const RUNS: &str = "runs";

/// The end of the name of the folder for those files of a run that aren't in its run file.
const FILES: &str = ".files";
/// The end of a mark's name. The mark says that a journal of that run couldn't be made durable.
const UNFLUSHED: &str = ".unflushed";
/// The end of the name of a run that is being removed. No run has such a name.
const REMOVED: &str = ".removed";

/// The file with the old and new security descriptors, in a run's own folder.
pub(crate) const RECORDS: &str = "descriptors.bin";
/// The record of the changed sectors of a disk that isn't mounted.
pub(crate) const SECTORS: &str = "sectors.bin";
/// The record of an undo that restores files or values instead of sectors. It exists only until the
/// undo has ended.
pub(crate) const UNDO_SECTORS: &str = "undo-sectors.bin";

/// The reports about permissions.
pub(crate) const BEFORE_TEXT: &str = "permissions-before.txt";
pub(crate) const AFTER_TEXT: &str = "permissions-after.txt";
pub(crate) const BEFORE_SAVED: &str = "permissions-before.icacls";
pub(crate) const BEFORE_OWNERS: &str = "owners-before.icacls";
pub(crate) const REPORT_JSON: &str = "permissions.json";
/// All of them.
pub(super) const REPORTS: [&str; 5] = [
    BEFORE_TEXT,
    AFTER_TEXT,
    BEFORE_SAVED,
    BEFORE_OWNERS,
    REPORT_JSON,
];

/// The name of a run's own folder.
pub(super) fn files_of(id: &RunId) -> String {
    format!("{id}{FILES}")
}

/// The run that has a folder with this name.
pub(super) fn run_of_files(name: &str) -> Option<RunId> {
    name.strip_suffix(FILES).and_then(RunId::parse)
}

/// The name of the mark that says that a journal of a run couldn't be made durable.
pub(super) fn unflushed_of(id: &RunId) -> String {
    format!("{id}{UNFLUSHED}")
}

/// The name of a run while it is being removed.
pub(super) fn half_removed_name(run: &str) -> String {
    format!("{run}{REMOVED}")
}

/// The run that is being removed under this name.
pub(super) fn half_removed_run(name: &str) -> Option<RunId> {
    name.strip_suffix(REMOVED).and_then(RunId::parse)
}
