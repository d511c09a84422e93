//! Making a run's changes.

use std::convert::identity;

use diskmend_disk::{Changed, Descriptors};

use super::AppliedDescriptors;
use super::change::Recorded;
use super::report_files::AfterFiles;
use crate::error::{Error, chain};
use crate::progress::{Phase, Watch};
use crate::run::{Journal, RunFolder};

/// Makes the changes in the run's folder. If one fails, the others are made nevertheless.
///
/// # Errors
/// If the records can't be read, or if the changes aren't durable.
pub(crate) fn apply(
    secured: &dyn Descriptors,
    run: &RunFolder,
    journal: &Journal,
    watch: &mut Watch<'_>,
) -> Result<AppliedDescriptors, Error> {
    let mut applied = AppliedDescriptors::default();
    let Some(recorded) = Recorded::of(secured, run, journal) else {
        return Ok(applied);
    };
    let mut reports = AfterFiles::create(run, &journal.run);
    recorded.make(
        Phase::SettingDescriptors,
        identity,
        watch,
        |change, result| {
            match &result {
                Ok(Changed::Set) => applied.changed += 1,
                Ok(Changed::AlreadyThere) => applied.already += 1,
                Err(error) => applied.failed.add(&change.path, chain(error)),
            }
            reports.add(change, &result);
        },
    )?;
    applied.reports.clone_from(&recorded.entry.reports);
    applied.reports.extend(reports.finish());
    Ok(applied)
}

/// Notes the result in the journal.
pub(crate) fn settle_applied(journal: &mut Journal, applied: &AppliedDescriptors) {
    if let Some(entry) = &mut journal.descriptors {
        entry.failed = applied.failed.count;
        entry.reports.clone_from(&applied.reports);
    }
    if applied.failed.count > 0 {
        journal.note = Some(format!(
            "the permissions of {} objects could not be set",
            applied.failed.count
        ));
    }
}
