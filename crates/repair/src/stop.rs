//! The ways in which an edit ends without a result: because of the hive, the caller, or the engine.

use diskmend_hive::{Corruption, EditError};

use crate::error::Error;
use crate::progress::Interrupted;

/// The reason why an edit stops. Then nothing is written: neither the changes in memory, nor the
/// recovery of a dirty hive.
#[derive(Debug)]
pub enum Stop<R> {
    /// This edit of the hive is not possible.
    Edit(EditError),
    /// The caller refuses the edit, for a reason of its own.
    Refused(R),
}

impl<R> From<EditError> for Stop<R> {
    fn from(error: EditError) -> Self {
        Self::Edit(error)
    }
}

impl<R> From<Corruption> for Stop<R> {
    fn from(error: Corruption) -> Self {
        Self::Edit(error.into())
    }
}

/// The reason why a hive was not edited.
#[derive(Debug)]
pub enum NotEdited<R> {
    /// The engine can't edit the hive.
    Engine(Error),
    /// The caller refused the edit. Nothing was written.
    Refused(R),
}

impl<R> From<Error> for NotEdited<R> {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

impl<R> From<Interrupted> for NotEdited<R> {
    fn from(interrupted: Interrupted) -> Self {
        Self::Engine(interrupted.into())
    }
}

impl From<NotEdited<Self>> for Error {
    fn from(error: NotEdited<Self>) -> Self {
        match error {
            NotEdited::Engine(error) | NotEdited::Refused(error) => error,
        }
    }
}
