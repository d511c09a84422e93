//! Restoring the old security descriptor of every object.

use std::io;

use diskmend_disk::{Change, Changed, Descriptors, ObjectError};

use super::UndoneDescriptors;
use super::change::Recorded;
use crate::changes::files::UndoneFiles;
use crate::error::{Error, Refusal, chain};
use crate::progress::{Phase, Watch};
use crate::run::{Journal, RunFolder};
use crate::run_state::RunState;
use crate::site::Site;

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
    let Some(recorded) = Recorded::of(secured, run, journal) else {
        return Ok(undone);
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

/// The security descriptors of the target.
pub(crate) fn of_site(site: &Site) -> Result<Box<dyn Descriptors>, Error> {
    let secured = site
        .root
        .descriptors()
        .map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => Refusal::NotElevated.into(),
            _ => Error::io(&site.display, "look for permissions on")(error),
        })?;
    Ok(secured.ok_or(Refusal::NoDescriptors)?)
}

/// Access to the security descriptors that a run has set, if it has set any. It is opened before
/// anything is noted, because another driver may have mounted the volume, and the records may be
/// damaged.
pub(crate) fn of_run(
    site: &Site,
    folder: &RunFolder,
    journal: &Journal,
) -> Result<Option<Box<dyn Descriptors>>, Error> {
    if journal.descriptors.is_none() {
        return Ok(None);
    }
    super::check_scope(folder, journal)?;
    of_site(site).map(Some)
}

/// Marks the run as undone, unless some permissions couldn't be restored or some files not be moved
/// back. Then it can be undone
/// again.
pub(crate) fn settle(
    journal: &mut Journal,
    descriptors: Option<&UndoneDescriptors>,
    files: Option<&UndoneFiles>,
) {
    let files = files.map_or(0, |undone| undone.failed.count);
    match descriptors.map_or(0, |undone| undone.failed.count) {
        0 if files == 0 => journal.set_state(RunState::Undone),
        0 => journal.note = Some(format!("{files} files could not be moved back")),
        failed => {
            journal.note = Some(format!(
                "the permissions of {failed} objects could not be restored"
            ));
        }
    }
}
