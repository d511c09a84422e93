//! Completing a run that was killed.

use diskmend_disk::{TargetLock, Writes};

use super::commit::{move_files, set_descriptors};
use super::descriptors::{self, AppliedDescriptors};
use crate::error::Error;
use crate::progress::Watch;
use crate::run::{Journal, RunFolder};
use crate::run_state::RunState;
use crate::site::Site;

/// A run that was killed and is complete now.
pub(crate) struct Completed {
    /// Its name.
    pub(crate) run: String,
    /// The result for the security descriptors, if it sets any.
    pub(crate) descriptors: Option<AppliedDescriptors>,
}

/// A run that was killed while it moved files or set security descriptors, if repairing the same again would
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

/// Completes the run that was killed while it moved files or set security descriptors, if there is
/// one and the recipes are the same or more. A run that can only be undone isn't touched.
///
/// # Errors
/// [`Error::NotCompleted`] after something may have been changed; any other error before that.
pub(crate) fn resume(
    site: &Site,
    recipes: &[String],
    watch: &mut Watch<'_>,
) -> Result<Option<Completed>, Error> {
    let Some((run, mut journal)) = killed_run(site, recipes)? else {
        return Ok(None);
    };
    run.require_private()?;
    // Files and descriptors can't be changed there now.
    if site.writes(None)? == Writes::InPlace {
        return Ok(None);
    }
    let Some(state) = site.state.open()? else {
        return Ok(None);
    };
    let _lock = TargetLock::acquire(state.as_ref())?;
    // This is checked before anything is changed: records that reach too far must not be completed.
    super::check_scope(&run, &journal)?;
    descriptors::of_run(site, &run, &journal)?;
    if !site.resume_record(&run, &journal)? {
        return Ok(None);
    }
    match complete(site, &run, &mut journal, watch) {
        Ok(applied) => Ok(Some(Completed {
            descriptors: journal.descriptors.is_some().then_some(applied),
            run: journal.run,
        })),
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
    run: &RunFolder,
    journal: &mut Journal,
    watch: &mut Watch<'_>,
) -> Result<AppliedDescriptors, Error> {
    move_files(site, run, journal, watch)?;
    let applied = set_descriptors(site, run, journal, watch)?;
    site.end_record(run, journal)?;
    journal.set_state(RunState::Done);
    run.write_journal(journal)?;
    Ok(applied)
}
