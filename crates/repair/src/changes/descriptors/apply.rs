//! Making a run's changes, and completing those of a killed run.

use std::convert::identity;

use diskmend_disk::{Changed, Descriptors, TargetLock};

use super::AppliedDescriptors;
use super::change::Recorded;
use super::report_files::AfterFiles;
use crate::error::{Error, chain};
use crate::progress::{Phase, Watch};
use crate::run::{Journal, RunFolder};
use crate::run_state::RunState;
use crate::site::Site;

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

/// A run that was killed while it changed security descriptors, if repairing the same again would
/// complete it. Its hives are done.
fn killed_run(site: &Site, recipes: &[String]) -> Result<Option<(RunFolder, Journal)>, Error> {
    for run in site.state.runs()? {
        let run = run?;
        let read = match run.read(&site.judge) {
            // No known key has sealed it.
            Err(Error::DamagedRun { .. }) => continue,
            read => read?,
        };
        // A run that no known key has sealed is never completed.
        if let Some(read) = read
            && read.trust.is_given()
            && read.journal.can_be_completed(recipes)
            && site.is_target_of(&read.journal)
        {
            return run.admit(read, &site.judge).map(Some);
        }
    }
    Ok(None)
}

/// Completes the run that was killed while it changed security descriptors, if there is one and the
/// recipes are the same or more. Returns its name and what was done. A run that can only be undone
/// isn't touched.
///
/// # Errors
/// [`Error::NotCompleted`] after something may have been changed; any other error before that.
pub(crate) fn resume(
    site: &Site,
    recipes: &[String],
    watch: &mut Watch<'_>,
) -> Result<Option<(String, AppliedDescriptors)>, Error> {
    let Some((run, mut journal)) = killed_run(site, recipes)? else {
        return Ok(None);
    };
    run.require_private()?;
    let Some(state) = site.state.open()? else {
        return Ok(None);
    };
    let _lock = TargetLock::acquire(state.as_ref())?;
    // This is checked before anything is changed: records that reach too far must not be completed.
    super::check_scope(&run, &journal)?;
    let secured = super::of_site(site)?;
    if !site.resume_record(&run, &journal)? {
        return Ok(None);
    }
    match complete(site, secured.as_ref(), &run, &mut journal, watch) {
        Ok(applied) => Ok(Some((journal.run, applied))),
        Err(error) => {
            site.abandon_record();
            Err(Error::NotCompleted {
                run: journal.run,
                source: Box::new(error),
            })
        }
    }
}

fn complete(
    site: &Site,
    secured: &dyn Descriptors,
    run: &RunFolder,
    journal: &mut Journal,
    watch: &mut Watch<'_>,
) -> Result<AppliedDescriptors, Error> {
    let applied = apply(secured, run, journal, watch)?;
    site.end_record(run, journal)?;
    settle_applied(journal, &applied);
    journal.set_state(RunState::Done);
    run.write_journal(journal)?;
    Ok(applied)
}
