//! `repair`: making the changes of a plan.

use crate::changes::{self, Change, NewRun, Ready};
use crate::documents::{self, RepairReport};
use crate::error::Error;
use crate::guards::guards;
use crate::place::Place;
use crate::plan::{Plan, plan_site};
use crate::planned::Planned;
use crate::progress::Watch;
use crate::recipe::Recipe;
use crate::run_state::RunKind;
use crate::site::{Options, Site};
use crate::whole;

impl Plan<'_> {
    /// Makes the plan's changes. Before the first byte is written, every hive to change is verified
    /// in memory and backed up. If there is nothing to do, nothing is written.
    ///
    /// # Errors
    /// See [`Error`] and its [`class`](Error::class).
    pub fn apply(self, watch: &mut Watch<'_>) -> Result<RepairReport, Error> {
        let Self {
            engine, planned, ..
        } = self;
        engine.guard(|target| guards(target, true), watch)?;
        repair_site(&engine.site, planned, &engine.options, watch)
    }
}

pub(crate) fn repair_site(
    site: &Site,
    plan: Planned,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<RepairReport, Error> {
    // A killed run is completed with a new plan, which nobody has reviewed.
    let resumed = if plan.exact {
        None
    } else {
        changes::resume(site, &plan.names(), watch)?
    };
    let (plan, completed) = match resumed {
        None => (plan, None),
        Some(completed) => {
            // The completed run has already made a part of the planned changes.
            let recipes: Vec<&Recipe> = plan.recipes.iter().collect();
            let plan = plan_site(site, &recipes, plan.goal, options, watch)?;
            (plan, Some(completed))
        }
    };
    site.no_unfinished_run(None)?;
    let recipes = plan.names();
    let mut refused = plan.refused;
    let mut ready = Ready::default();
    let (mut changes, mut files) = (Vec::new(), Vec::new());
    let places: Vec<Place> = plan.changes.iter().map(Change::place).collect();
    for change in plan.changes {
        let (place, shown) = (change.place(), documents::Change::of(&change));
        let moved = documents::FileChange::of(&change);
        match ready.add(change, site, options, watch) {
            Ok(()) => {
                changes.extend(shown);
                files.extend(moved);
            }
            Err(error @ Error::Interrupted(_)) => return Err(error),
            // Nothing has been written yet.
            Err(error) if plan.exact => return Err(error),
            Err(error) => refused.push((place, error)),
        }
    }
    whole::check(&plan.recipes.iter().collect::<Vec<_>>(), &mut refused)?;
    let is_refused = |place: &Place| refused.iter().any(|(refused, _)| refused == place);
    if ready.is_nothing() && places.iter().all(is_refused) && !refused.is_empty() {
        return Err(refused.swap_remove(0).1);
    }

    let mut notices = plan.survey.notices.clone();
    notices.extend(plan.survey.for_other_recipes());
    let mut report = RepairReport::of(&site.display, &recipes, &refused, notices);
    if !refused.is_empty() {
        report.conditions.clone_from(&plan.survey.conditions);
    }
    report.tell_unneeded(&mut ready);
    if let Some(completed) = completed {
        report.tell_completed(completed);
    }
    if ready.is_nothing() {
        return Ok(report);
    }
    report.changes = changes;
    report.files = files;
    let run = NewRun {
        kind: RunKind::Repair,
        recipes,
        reverses: None,
        windows: plan.windows,
    };
    let committed = ready.commit(site, run, watch)?;
    report.tell_committed(committed, refused.is_empty());
    Ok(report)
}
