//! Giving every object its former security descriptor back.

use std::io;

use diskmend_disk::{Change, Changed, Descriptors, ObjectError};

use super::UndoneDescriptors;
use super::change::Recorded;
use crate::error::{Error, chain};
use crate::progress::{Phase, Watch};
use crate::run::{Journal, RunFolder};

/// Restores the descriptors of a run. What somebody else has changed since is left alone; what
/// fails does not keep the others from being restored.
///
/// # Errors
/// Where the records can't be read, or the changes are not durable.
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

/// Counts whose descriptors come back when the sectors of a disk do, and changes nothing. An object
/// that can't be read is one that was half written.
///
/// # Errors
/// Where the records can't be read.
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

/// Whether what the run has changed is not there any more, or is something else.
fn is_other_now(error: &ObjectError) -> bool {
    match error {
        ObjectError::ChangedMeanwhile | ObjectError::Other { .. } => true,
        ObjectError::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
        other => other.is_by_nature(),
    }
}
