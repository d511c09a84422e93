//! How an edit ends without a result: by the hive, by whoever edits, or by the engine.

use diskmend_hive::{Corruption, EditError};

use crate::error::Error;
use crate::progress::Interrupted;

/// Why an edit goes no further. Nothing is written then: neither what it had changed in memory,
/// nor the recovery of a dirty hive.
#[derive(Debug)]
pub enum Stop<R> {
    /// The hive can't be edited so.
    Edit(EditError),
    /// The caller does not want the edit, for a reason of its own.
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

/// Why a hive was not edited.
#[derive(Debug)]
pub enum NotEdited<R> {
    /// The engine can't edit the hive.
    Engine(Error),
    /// The edit itself refused, for the caller's reason. Nothing was written.
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
