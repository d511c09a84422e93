//! The folder of a run: its journal and its undo data (docs/undo.md).

mod folder;
mod id;
mod journal;
pub(crate) mod restore;
pub(crate) mod undo_data;

pub(crate) use folder::{RunFolder, StateFolder};
pub(crate) use id::RunId;
pub(crate) use journal::{
    Content, DescriptorsEntry, FileEntry, HiveEntry, Journal, JournalChange, Step, on_volume,
};

/// Name of the folder for undo data at the root of a target.
pub const STATE_FOLDER: &str = "diskmend";
