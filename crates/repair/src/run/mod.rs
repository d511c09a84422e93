//! The stored runs: journal and undo data (docs/undo.md).

mod bounded;
pub(crate) mod changes_file;
mod draft;
pub(crate) mod file_names;
mod folder;
mod found;
pub(crate) mod journal;
mod keepers;
mod log;
mod records;
mod removal;
pub(crate) mod restore;
pub(crate) mod run_file;
mod state_folder;
pub(crate) mod undo_data;

pub(crate) use draft::Draft;
pub(crate) use folder::RunFolder;
pub(crate) use found::FoundRun;
pub(crate) use journal::{
    ChangedDescriptor, Content, DescriptorsEntry, DiskEntry, FileEntry, FileMove, FilesEntry,
    HiveEntry, Journal, JournalChange, MovedTo, NewFile, Step, Way, on_volume,
};
pub(crate) use records::RecordsEntry;
pub(crate) use removal::Tally;
pub(crate) use state_folder::StateFolder;

pub(crate) use crate::run_id::RunId;
pub(crate) use crate::trust;

/// The maximum number of names that are read from a folder in the folder for undo data.
const MOST_NAMES: usize = 1 << 16;
/// Name of the folder for undo data at the root of a target.
pub const STATE_FOLDER: &str = "diskmend";
/// Name of that folder if the target is no Windows volume and a file, such as the program, has the
/// usual name.
pub(crate) const STATE_FOLDER_BESIDE_PROGRAM: &str = "diskmend.undo";
/// The suffix of the folder for undo data beside an image file, after the name of the file.
pub const STATE_SUFFIX: &str = ".diskmend";
