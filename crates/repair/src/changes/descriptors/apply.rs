//! Making the changes of a run, and completing those of a run that was killed.

use std::convert::identity;

use diskmend_disk::{Changed, Descriptors, TargetLock};

use super::change::Recorded;
use super::report_files::AfterFiles;
use super::{AppliedDescriptors, Draft, ObjectNotes};
use crate::documents::RunState;
use crate::error::{Error, chain};
use crate::progress::{Phase, Watch};
use crate::run::{Journal, RunFolder};
use crate::site::Site;

/// The changes of security descriptors that a run is about to make.
pub(crate) struct Applying {
    pub(crate) draft: Draft,
    /// What can't be changed, as is known already.
    pub(crate) failed: ObjectNotes,
    /// What is left alone.
    pub(crate) left_alone: ObjectNotes,
}

impl Applying {
    /// What there is to say where nothing has to be changed.
    pub(crate) fn nothing_done(self) -> AppliedDescriptors {
        AppliedDescriptors {
            failed: self.failed,
            left_alone: self.left_alone,
            ..AppliedDescriptors::default()
        }
    }
}

/// Makes the changes that the run's folder holds. One that fails does not keep the others from
/// being made.
///
/// # Errors
/// Where the records can't be read, or the changes are not durable.
pub(crate) fn apply(
    secured: &dyn Descriptors,
    run: &RunFolder,
    journal: &Journal,
    watch: &mut Watch<'_>,
) -> Result<AppliedDescriptors, Error> {
    let mut applied = AppliedDescriptors::default();
    let Some(entry) = &journal.descriptors else {
        return Ok(applied);
    };
    let mut reports = AfterFiles::create(run, &journal.run);
    let recorded = Recorded {
        secured,
        run,
        entry,
        journal,
    };
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
    applied.reports = entry.reports.clone();
    applied.reports.extend(reports.finish());
    Ok(applied)
}

/// A run that was killed while it changed security descriptors, and that repairing the same again
/// would complete. Its hives are done.
fn killed_run(site: &Site, recipes: &[String]) -> Result<Option<(RunFolder, Journal)>, Error> {
    for run in site.state.runs()? {
        let run = run?;
        let read = match run.read(&site.judge) {
            // Nobody speaks for it.
            Err(Error::DamagedRun { .. }) => continue,
            read => read?,
        };
        // One that nobody speaks for is never completed.
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

/// Completes the run that was killed while it changed security descriptors, where there is one and
/// the recipes are the same or more; gives its name and what was done. One that can only be taken
/// back is left as it is.
///
/// # Errors
/// [`Error::NotCompleted`] once something may have been changed; anything else before.
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
    // Before anything is changed: records that reach too far are none to be completed.
    super::check_scope(&run, &journal)?;
    let secured = site.secured()?;
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
    journal.settle_descriptors(&applied);
    journal.set_state(RunState::Done);
    run.write_journal(journal)?;
    Ok(applied)
}
