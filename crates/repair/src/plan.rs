//! `plan`: the changes that a repair would make, bound to the very files that they were worked
//! out from. Nothing is written.

use diskmend_disk::Target;

use crate::documents::{Change, PlanReport, SCHEMA};
use crate::error::Error;
use crate::hive_on_disk::Fingerprint;
use crate::progress::{Phase, Watch};
use crate::recipe::{HiveName, Recipe};
use crate::rows;
use crate::site::{Options, Site, reading_guards};
use crate::survey::{self, Survey, skipped};

/// What a repair goes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Every value as the recipes want it.
    Desired,
    /// Only what is evidence of a fault (`--auto`).
    Faults,
}

/// A plan: what would change, and on what it depends. It cannot be applied to another target, nor
/// after the hives have changed.
pub struct Plan {
    pub(crate) report: PlanReport,
    pub(crate) hives: Vec<PlannedHive>,
    pub(crate) refused: Vec<(HiveName, Error)>,
}

/// What would change in one hive.
pub(crate) struct PlannedHive {
    pub(crate) name: HiveName,
    pub(crate) changes: Vec<Change>,
    pub(crate) dirty: bool,
    /// What the hive and its logs were.
    pub(crate) fingerprints: Vec<Fingerprint>,
}

impl Plan {
    /// The plan as a document.
    #[must_use]
    pub fn report(&self) -> &PlanReport {
        &self.report
    }
}

/// Works out what a repair would change. Nothing is written.
///
/// # Errors
/// Where the target is no Windows volume, or none of the hives can be read; see [`Error`].
pub fn plan(
    target: &Target,
    recipes: &[&Recipe],
    goal: Goal,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<Plan, Error> {
    let site = Site::of(target, options)?;
    watch.phase(Phase::Guards, &site.display)?;
    reading_guards(target)?;
    plan_site(&site, recipes, goal, options, watch)
}

pub(crate) fn plan_site(
    site: &Site,
    recipes: &[&Recipe],
    goal: Goal,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<Plan, Error> {
    let (unfinished, damaged) = survey::unfinished(site)?;
    let Survey {
        hives,
        skipped: left_out,
        mut notices,
    } = survey::survey(site, recipes, options, watch)?;
    notices.extend(damaged);
    let auto = goal == Goal::Faults;
    let mut planned = Vec::new();
    let mut refused = left_out;
    let mut statuses = Vec::new();
    for hive in hives {
        match hive.refusal() {
            Some(refusal) => refused.push((hive.name, refusal.into())),
            None => planned.push(PlannedHive {
                name: hive.name,
                changes: rows::changes(&hive.rows, auto),
                dirty: hive.status.dirty.is_some(),
                fingerprints: hive.fingerprints,
            }),
        }
        statuses.push(hive.status);
    }
    let report = PlanReport {
        schema: SCHEMA,
        target: site.display.clone(),
        recipes: recipes.iter().map(|recipe| recipe.name.clone()).collect(),
        auto,
        hives: statuses,
        skipped: refused
            .iter()
            .map(|(name, error)| skipped(name.file_name(), error))
            .collect(),
        changes: planned
            .iter()
            .flat_map(|hive| hive.changes.iter().cloned())
            .collect(),
        unfinished,
        notices,
    };
    Ok(Plan {
        report,
        hives: planned,
        refused,
    })
}
