//! Giving every object its former security descriptor back.

use std::io;

use diskmend_disk::{Change, Changed, Descriptors, ObjectError};

use super::UndoneDescriptors;
use super::change::Recorded;
use crate::error::{Error, chain};
use crate::progress::{Phase, Watch};
use crate::run::{Journal, RunFolder};

/// Restores the descriptors of a run. An object that somebody else has changed since isn't touched.
/// If one fails, the others are restored nevertheless.
///
/// # Errors
/// If the records can't be read, or if the changes aren't durable.
pub(crate) fn undo(
    secured: &dyn Descriptors,
    run: &RunFolder,
    journal: &Journal,
    watch: &mut Watch<'_>,
) -> Result<UndoneDescriptors, Error> {
    let mut undone = UndoneDescriptors::default();
    let Some(entry) = &journal.descriptors else {
        return Ok(undone);
    };
    let recorded = Recorded {
        secured,
        run,
        entry,
        journal,
    };
    recorded.make(
        Phase::RestoringDescriptors,
        reversed,
        watch,
        |change, result| match result {
            Ok(Changed::Set) => undone.restored += 1,
            Ok(Changed::AlreadyThere) => undone.already += 1,
            Err(error) if is_other_now(&error) => {
                undone.changed_since.add(&change.path, chain(&error));
            }
            Err(error) => undone.failed.add(&change.path, chain(&error)),
        },
    )?;
    Ok(undone)
}

/// Counts the objects that get their descriptors back when the sectors of a disk are restored. It
/// changes nothing. An object that can't be read was half written.
///
/// # Errors
/// If the records can't be read.
pub(crate) fn to_undo(
    secured: &dyn Descriptors,
    run: &RunFolder,
    journal: &Journal,
) -> Result<UndoneDescriptors, Error> {
    let mut undone = UndoneDescriptors::default();
    let Some(entry) = &journal.descriptors else {
        return Ok(undone);
    };
    run.for_each_frame(&entry.records, |frame| {
        for change in frame {
            match secured.object(&change.path).descriptor {
                Ok(found) if found == change.before => undone.already += 1,
                Err(error) if is_other_now(&error) => {
                    undone.changed_since.add(&change.path, chain(&error));
                }
                Ok(_) | Err(_) => undone.restored += 1,
            }
        }
    })?;
    Ok(undone)
}

fn reversed(change: Change) -> Change {
    Change {
        before: change.after,
        after: change.before,
        ..change
    }
}

/// True if the object that the run has changed no longer exists or is another one.
fn is_other_now(error: &ObjectError) -> bool {
    match error {
        ObjectError::ChangedMeanwhile | ObjectError::Other { .. } => true,
        ObjectError::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
        other => other.is_by_nature(),
    }
}
