//! The undo data of a run: for each file that the run writes, the bytes before and after
//! (docs/undo-format.md describes the format). They are a part of the run file; runs of earlier
//! versions have a file for each.
//!
//! The old bytes are in the order of the run's writes, and each record holds the bytes just before
//! that write. If the records are restored from the last to the first, the file goes backwards
//! through the states that the run produced. The new bytes show later, in every state of the run,
//! if somebody else has written to the file.

mod format;
mod read;
mod since;
#[cfg(test)]
mod tests;
mod write;

pub(super) use format::{MAX_LEN, number};
pub(crate) use format::{MAX_RECORD, PreImage, name};
pub(crate) use read::{UndoData, UndoDataError, check_len};
pub(crate) use write::{Images, PostImage};
