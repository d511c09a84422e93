//! Security descriptors of files: comparing them with recipes, changing them in one run with the
//! hives, and undoing that. [`Descriptors`](diskmend_disk::Descriptors) gives access to them.
//!
//! For a folder with a hundred thousand files, only counts, examples and the judgement of each
//! distinct descriptor are kept in memory. The changes go to a scratch file, and from there to the
//! run's folder before the first is made.

mod apply;
mod change;
mod forms;
mod gathering;
mod notes;
mod outcome;
mod planned;
mod report_files;
mod scope;
mod undo;
mod words;

pub(crate) use apply::{apply, settle_applied};
pub(crate) use gathering::{Common, FolderFindings, Gathering, Group};
pub use notes::{ObjectNote, ObjectNotes};
pub use outcome::{AppliedDescriptors, UndoneDescriptors};
pub(crate) use planned::DescriptorsChange;
pub(crate) use report_files::before;
pub(crate) use scope::check as check_scope;
pub(crate) use undo::{of_run, of_site, settle, to_undo, undo};
pub use words::DescriptorWords;
