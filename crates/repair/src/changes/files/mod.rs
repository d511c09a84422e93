//! Files that are moved out of Windows's way, and back.
//!
//! A file is never copied and deleted, but moved: a file that is removed goes into the run's own
//! folder, which is on the same volume; a file that is renamed stays in its folder. So it keeps its
//! security descriptor, attributes, times and streams, and each move is from one known state to
//! another, in one step.
//!
//! The file that takes the place of another one is made in the run's own folder, before the journal
//! names it, and is moved to its place after the old one has left it.

mod apply;
mod folder;
mod look;
mod may_move;
mod on_image;
mod outcome;
mod planned;
mod scope;
mod staged;
mod undo;

pub(crate) use apply::{apply, record};
pub(crate) use folder::{Listing, may_rename};
pub(crate) use look::{Standing, look_at_all};
pub(crate) use may_move::{may_create, may_move};
pub(crate) use on_image::can_change;
pub use outcome::UndoneFiles;
pub(crate) use planned::FilesChange;
pub(crate) use scope::check as check_scope;
pub(crate) use undo::{all_back, settle, to_undo, undo};

/// The greatest number of files that a run moves.
pub(crate) const MAX_FILES: usize = 256;
/// The greatest number of bytes in these files. All of them are read, to know them again.
pub(crate) const MAX_BYTES: u64 = 256 << 20;
/// The greatest number of bytes in files that are replaced and in those that replace them. A hive
/// alone may have more than all other files.
pub(crate) const MAX_COPIED: u64 = 1 << 30;
