//! `repair`: carrying a plan out.

use crate::changes::descriptors::{self, AppliedDescriptors, FolderFindings};
use crate::changes::{Change, Ready};
use crate::documents::{self, Notice, Outcome, RepairReport, RunKind, SCHEMA, SkippedHive};
use crate::error::Error;
use crate::place::Place;
use crate::plan::{Plan, Planned, plan_site};
use crate::progress::Watch;
use crate::recipe::Recipe;
use crate::session::{NewRun, commit};
use crate::site::{Options, Site, guards};

impl Plan<'_> {
    /// Carries the plan out: every hive that it changes is verified in memory and backed up before
    /// the first byte is written. If there is nothing to do, nothing is written.
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
    let (plan, completed) = match descriptors::resume(site, &plan.names(), watch)? {
        None => (plan, None),
        Some(completed) => {
            // What was planned before has been done in part.
            let recipes: Vec<&Recipe> = plan.recipes.iter().collect();
            let plan = plan_site(site, &recipes, plan.goal, options, watch)?;
            (plan, Some(completed))
        }
    };
    site.no_unfinished_run(None)?;
    let recipes = plan.names();
    let mut refused = plan.refused;
    let mut ready = Ready::default();
    let mut changes = Vec::new();
    let places: Vec<Place> = plan.changes.iter().map(Change::place).collect();
    for change in plan.changes {
        let (place, shown) = (change.place(), documents::Change::of(&change));
        match ready.add(change, site, options, watch) {
            Ok(()) => changes.extend(shown),
            Err(error @ Error::Interrupted(_)) => return Err(error),
            Err(error) => refused.push((place, error)),
        }
    }
    let is_refused = |place: &Place| refused.iter().any(|(refused, _)| refused == place);
    if ready.is_nothing() && places.iter().all(is_refused) && !refused.is_empty() {
        return Err(refused.swap_remove(0).1);
    }

    let mut report = RepairReport {
        schema: SCHEMA,
        target: site.display.clone(),
        outcome: if refused.is_empty() {
            Outcome::NothingToDo
        } else {
            Outcome::PartlyDone
        },
        run: None,
        recipes: recipes.clone(),
        hives: Vec::new(),
        changes: Vec::new(),
        descriptors: None,
        skipped: refused.iter().map(SkippedHive::from).collect(),
        notices: notices(plan.notices, &plan.folders, !refused.is_empty()),
    };
    if ready.leaves_failures() {
        report.outcome = Outcome::PartlyDone;
    }
    report.descriptors = ready.take_unneeded();
    if let Some((run, applied)) = completed {
        tell_completed(&mut report, run, applied);
    }
    if ready.is_nothing() {
        return Ok(report);
    }
    report.changes = changes;
    let run = NewRun {
        kind: RunKind::Repair,
        recipes,
        reverses: None,
    };
    let committed = commit(site, run, ready.hives, ready.descriptors, watch)?;
    if committed.descriptors.is_some() {
        report.descriptors = committed.descriptors;
    }
    let failed = |applied: &AppliedDescriptors| applied.failed.count > 0;
    report.outcome = if refused.is_empty() && !report.descriptors.as_ref().is_some_and(failed) {
        Outcome::Done
    } else {
        Outcome::PartlyDone
    };
    report.run = committed.run.or(report.run);
    report.hives = committed.hives;
    Ok(report)
}

/// A run that had been killed was completed: that is what was done, unless there was more to do.
fn tell_completed(report: &mut RepairReport, run: String, applied: AppliedDescriptors) {
    report.notices.push(Notice {
        kind: "completed",
        text: format!("run {run}, which had been killed, was completed"),
    });
    if report.outcome == Outcome::NothingToDo {
        report.outcome = match applied.failed.count {
            0 => Outcome::Done,
            _ => Outcome::PartlyDone,
        };
    }
    report.run = Some(run);
    let known = report.descriptors.take().unwrap_or_default();
    let mut applied = applied;
    applied.failed.append(known.failed);
    applied.left_alone = known.left_alone;
    report.descriptors = Some(applied);
}

fn notices(known: Vec<Notice>, folders: &[FolderFindings], partly: bool) -> Vec<Notice> {
    let mut notices = known;
    for group in folders.iter().flat_map(|folder| &folder.groups) {
        if let (Some(recipe), Some(first)) = (&group.repaired_by, group.examples.first()) {
            notices.push(Notice {
                kind: "other-recipe",
                text: format!(
                    "{first}{}: {}: this is what {recipe} repairs",
                    match group.objects {
                        1 => String::new(),
                        more => format!(" and {} more", more - 1),
                    },
                    group.reasons.join("; "),
                ),
            });
        }
    }
    if partly {
        notices.push(Notice {
            kind: "partly-done",
            text: "not all of it could be done".to_owned(),
        });
    }
    notices
}
