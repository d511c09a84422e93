//! `repair`: carrying a plan out.

use diskmend_disk::Access;
use diskmend_hive::{EditError, Editor};

use crate::boot_store;
use crate::descriptors::{self, Applying};
use crate::documents::{
    AppliedDescriptors, Notice, ObjectNotes, Outcome, PlanReport, RepairReport, RunKind, SCHEMA,
    SkippedHive,
};
use crate::error::{Error, Refusal};
use crate::hive_on_disk::{self, HivePlace};
use crate::plan::{HiveSource, Plan, Planned, PlannedHive, plan_site};
use crate::progress::{Phase, Watch};
use crate::recipe::Recipe;
use crate::session::{NewRun, Prepared, check_writable, commit, prepare};
use crate::site::{Options, Site, guards};
use crate::survey::skipped;

impl Plan<'_> {
    /// Carries the plan out: every hive that it changes is verified in memory and backed up before
    /// the first byte is written. If there is nothing to do, nothing is written.
    ///
    /// # Errors
    /// See [`Error`] and its [`class`](Error::class).
    pub fn apply(self, watch: &mut Watch<'_>) -> Result<RepairReport, Error> {
        let Self { engine, planned } = self;
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
    let (plan, completed) = match descriptors::resume(site, &plan.report.recipes, watch)? {
        None => (plan, None),
        Some(completed) => {
            // What was planned before has been done in part.
            let recipes: Vec<&Recipe> = plan.recipes.iter().collect();
            let plan = plan_site(site, &recipes, plan.goal, options, watch)?;
            (plan, Some(completed))
        }
    };
    site.no_unfinished_run(None)?;
    let mut refused = plan.refused;
    let mut prepared = Vec::new();
    for hive in &plan.hives {
        if hive.changes.is_empty() && !hive.dirty {
            continue;
        }
        match prepare_hive(site, hive, options, watch) {
            Ok(change) => prepared.extend(change),
            Err(error @ Error::Interrupted(_)) => return Err(error),
            Err(error) => refused.push((hive.source.name().to_owned(), error)),
        }
    }
    let all_refused = prepared.is_empty()
        && plan.report.acls.is_empty()
        && plan
            .hives
            .iter()
            .all(|hive| refused.iter().any(|(name, _)| *name == hive.source.name()));
    if all_refused && !refused.is_empty() {
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
        recipes: plan.report.recipes.clone(),
        hives: Vec::new(),
        changes: Vec::new(),
        descriptors: None,
        skipped: skipped_hives(&refused),
        notices: notices(&plan.report, &refused),
    };
    let (mut failed, mut left_alone) = (ObjectNotes::default(), ObjectNotes::default());
    for acl in &plan.report.acls {
        failed.append(acl.failed.clone());
        left_alone.append(acl.left_alone.clone());
    }
    if failed.count > 0 {
        report.outcome = Outcome::PartlyDone;
    }
    let applying = Applying {
        draft: plan.draft,
        failed,
        left_alone,
    };
    let applying = match applying.draft.objects() {
        0 => {
            let looked = !plan.report.acls.is_empty();
            report.descriptors = looked.then(|| applying.nothing_done());
            None
        }
        _ => Some(applying),
    };
    if let Some((run, applied)) = completed {
        tell_completed(&mut report, run, applied);
    }
    if prepared.is_empty() && applying.is_none() {
        return Ok(report);
    }
    let done = |name: &str| refused.iter().all(|(refused, _)| refused != name);
    report.changes = plan
        .report
        .changes
        .into_iter()
        .filter(|change| done(&change.hive))
        .collect();
    let run = NewRun {
        kind: RunKind::Repair,
        recipes: plan.report.recipes,
        reverses: None,
    };
    let committed = commit(site, run, prepared, applying, watch)?;
    if committed.descriptors.is_some() {
        report.descriptors = committed.descriptors;
    }
    let failed = |applied: &AppliedDescriptors| applied.failed.count > 0;
    report.outcome = match refused.is_empty() && !report.descriptors.as_ref().is_some_and(failed) {
        true => Outcome::Done,
        false => Outcome::PartlyDone,
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

fn skipped_hives(refused: &[(String, Error)]) -> Vec<SkippedHive> {
    refused
        .iter()
        .map(|(name, error)| skipped(name, error))
        .collect()
}

fn notices(plan: &PlanReport, refused: &[(String, Error)]) -> Vec<Notice> {
    let mut notices = plan.notices.clone();
    for group in plan.acls.iter().flat_map(|acl| &acl.groups) {
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
    if !refused.is_empty() {
        notices.push(Notice {
            kind: "partly-done",
            text: "not all of it could be done".to_owned(),
        });
    }
    notices
}

/// Makes a planned change in memory, and makes sure that it can be written.
pub(crate) fn prepare_hive(
    site: &Site,
    planned: &PlannedHive,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<Option<Prepared>, Error> {
    let place = find(site, &planned.source)?;
    watch.phase(Phase::Opening, &place.place.path)?;
    let opened = hive_on_disk::open(place, Access::ReadWrite)?;
    let now = opened.fingerprints();
    if let Some(changed) = now
        .iter()
        .chain(&planned.fingerprints)
        .find(|file| !(now.contains(file) && planned.fingerprints.contains(file)))
    {
        return Err(Refusal::Changed {
            path: changed.path.clone(),
        }
        .into());
    }
    let path = opened.path().to_owned();
    let prepared = prepare(opened, options, watch, |editor| match &planned.source {
        HiveSource::Windows(_) => Ok(make(editor, planned)?),
        HiveSource::BootStore { changes, .. } => boot_store::make(editor, &path, changes),
    });
    let (mut prepared, ()) = prepared?;
    if let Some(prepared) = &mut prepared {
        check_writable(site, prepared)?;
    }
    Ok(prepared)
}

fn find(site: &Site, source: &HiveSource) -> Result<HivePlace, Error> {
    match source {
        HiveSource::Windows(name) => hive_on_disk::find(site.root.as_ref(), *name),
        HiveSource::BootStore { volume, path, .. } => {
            let components: Vec<&str> = path.split('/').collect();
            let found = boot_store::place(site, volume.as_deref(), &components)?;
            found.ok_or_else(|| Error::NoHive { path: path.clone() })
        }
    }
}

fn make(editor: &mut Editor, planned: &PlannedHive) -> Result<(), EditError> {
    for change in &planned.changes {
        let value = &change.value;
        match &value.new {
            Some(new) => {
                editor.create_key(&value.key)?;
                editor.set_value(&value.key, &value.value, new.value_type, &new.bytes)?;
            }
            None => {
                editor.delete_value(&value.key, &value.value)?;
            }
        }
    }
    Ok(())
}
