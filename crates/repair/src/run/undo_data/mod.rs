//! The undo data of a run: for each file that the run writes, the bytes of before and of after
//! (docs/undo-format.md describes the format). They are a part of the run file; runs of earlier versions
//! have a file for each.
//!
//! The old bytes are in the order of the run's writes, and each record holds what was there before
//! that very write. Restored from the last to the first they take the file through the same states
//! that the run took it through, backwards. The new bytes tell afterwards, whatever the state of the
//! run, whether somebody else has written to the file since.

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
