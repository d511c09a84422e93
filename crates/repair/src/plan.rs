//! `plan`: the changes that a repair would make, bound to the very files that they were worked
//! out from. Nothing is written.

use diskmend_bcd::Change as StoreChange;
use diskmend_disk::Access;

use crate::boot_store::{self, SurveyedStore};
use crate::descriptors::Draft;
use crate::documents::{Change, PlanReport, SCHEMA};
use crate::engine::Engine;
use crate::error::{Error, Refusal};
use crate::facts::Facts;
use crate::hive_on_disk::{Distinct, Fingerprint};
use crate::progress::{Phase, Watch};
use crate::recipe::{HiveName, Recipe};
use crate::repair::prepare_hive;
use crate::site::{Options, Site, reading_guards};
use crate::survey::{self, Survey, refusal, skipped};

/// What a repair goes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Every value as the recipes want it.
    Desired,
    /// Only what is evidence of a fault (`--auto`).
    Faults,
}

/// A plan for a target: what would change, and on what that depends. It can't be applied after the
/// hives have changed.
pub struct Plan<'e> {
    pub(crate) engine: &'e Engine,
    pub(crate) planned: Planned,
}

/// What would change, and on what that depends.
pub(crate) struct Planned {
    pub(crate) report: PlanReport,
    /// What it was made from.
    pub(crate) recipes: Vec<Recipe>,
    pub(crate) goal: Goal,
    pub(crate) hives: Vec<PlannedHive>,
    /// The changes of security descriptors.
    pub(crate) draft: Draft,
    /// By the names of the hives, and the paths of folders.
    pub(crate) refused: Vec<(String, Error)>,
}

/// What would change in one hive.
pub(crate) struct PlannedHive {
    pub(crate) source: HiveSource,
    pub(crate) changes: Vec<Change>,
    pub(crate) dirty: bool,
    /// What the hive and its logs were.
    pub(crate) fingerprints: Vec<Fingerprint>,
}

impl PlannedHive {
    /// Whether nothing of it would be written.
    fn is_unchanged(&self) -> bool {
        self.changes.is_empty() && !self.dirty
    }
}

/// Which hive, and what to do in it.
pub(crate) enum HiveSource {
    /// A hive of Windows, whose values change.
    Windows(HiveName),
    /// A boot store.
    BootStore {
        /// The root of its volume, where that is not the target.
        volume: Option<String>,
        /// Its path below that, with `/`.
        path: String,
        /// The changes in the store's terms.
        changes: Vec<StoreChange>,
    },
}

impl HiveSource {
    /// How the hive is called.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Windows(name) => name.file_name(),
            Self::BootStore { .. } => boot_store::NAME,
        }
    }
}

impl Plan<'_> {
    /// The plan as a document.
    #[must_use]
    pub const fn report(&self) -> &PlanReport {
        &self.planned.report
    }
}

impl Engine {
    /// Works out what a repair would change. Nothing is written.
    ///
    /// # Errors
    /// If the target is no Windows volume, or none of the hives can be read; see [`Error`].
    pub fn plan(
        &self,
        recipes: &[&Recipe],
        goal: Goal,
        watch: &mut Watch<'_>,
    ) -> Result<Plan<'_>, Error> {
        let site = &self.site;
        watch.phase(Phase::Guards, &site.display)?;
        reading_guards(&self.target)?;
        // Somebody who uses the disk will have ended by then; what is wrong with its container stays.
        if let Some(disk) = &site.disk {
            disk.fit_for_writing()?;
        }
        site.state.require_private()?;
        // A key that is not there yet is made before anything else is written.
        site.judge.check_key().map_err(Refusal::NoKey)?;
        let planned = plan_site(site, recipes, goal, &self.options, watch)?;
        Ok(Plan {
            engine: self,
            planned,
        })
    }
}

pub(crate) fn plan_site(
    site: &Site,
    recipes: &[&Recipe],
    goal: Goal,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<Planned, Error> {
    let (unfinished, damaged) = survey::unfinished(site)?;
    let mut draft = Draft::new(options.scratch.as_deref())?;
    let facts = Facts::of(site, options, watch.lend());
    let Survey {
        hives,
        stores,
        store,
        acls,
        skipped: left_out,
        mut notices,
    } = survey::survey(&facts, recipes, goal, Some(&mut draft))?;
    // What follows opens the hives for writing, which nobody else may have open then.
    drop(facts);
    notices.extend(damaged);
    let auto = goal == Goal::Faults;
    let mut planned: Vec<PlannedHive> = Vec::new();
    let mut refused = left_out;
    let mut statuses = Vec::new();
    for hive in hives {
        match refusal(&hive.status) {
            Some(refusal) => refused.push((hive.name.to_string(), refusal.into())),
            None => planned.push(PlannedHive {
                source: HiveSource::Windows(hive.name),
                changes: survey::changes(&hive.rows, auto),
                dirty: hive.status.dirty.is_some(),
                fingerprints: hive.fingerprints,
            }),
        }
        statuses.push(hive.status);
    }
    if let Some(store) = store {
        match refusal(&store.status) {
            Some(refusal) => refused.push((boot_store::NAME.to_owned(), refusal.into())),
            None => planned.push(planned_store(&store, auto)),
        }
        statuses.push(store.status);
    }
    let (planned, mut unchangeable) = changeable(site, planned, options, watch)?;
    let nothing_left = acls.is_empty() && planned.iter().all(PlannedHive::is_unchanged);
    if nothing_left && !unchangeable.is_empty() {
        return Err(unchangeable.swap_remove(0).1);
    }
    refused.extend(unchangeable);
    let report = PlanReport {
        schema: SCHEMA,
        target: site.display.clone(),
        recipes: recipes.iter().map(|recipe| recipe.name.clone()).collect(),
        auto,
        hives: statuses,
        skipped: refused
            .iter()
            .map(|(name, error)| skipped(name, error))
            .collect(),
        stores,
        acls,
        changes: planned
            .iter()
            .flat_map(|hive| hive.changes.iter().cloned())
            .collect(),
        unfinished,
        notices,
    };
    Ok(Planned {
        report,
        recipes: recipes.iter().map(|recipe| (*recipe).clone()).collect(),
        goal,
        hives: planned,
        draft,
        refused,
    })
}

/// Sorts out the hives that can't be changed, before anybody is asked, with the reasons.
#[expect(clippy::type_complexity, reason = "it says what it is")]
fn changeable(
    site: &Site,
    planned: Vec<PlannedHive>,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<(Vec<PlannedHive>, Vec<(String, Error)>), Error> {
    // A mounted volume tells only when it is written what it can't take. The repair checks in full.
    let options = site.disk.as_ref().map(|_| Options {
        check: false,
        ..options.clone()
    });
    let mut left = Vec::new();
    let mut unchangeable = Vec::new();
    // Clusters that one hive would get are kept from the others until all are tried.
    let mut tried = Vec::new();
    for hive in planned {
        let fits = in_place(site, &hive).and_then(|()| match &options {
            Some(options) if !hive.is_unchanged() => prepare_hive(site, &hive, options, watch),
            _ => Ok(None),
        });
        match fits {
            Ok(prepared) => {
                tried.extend(prepared);
                left.push(hive);
            }
            Err(error @ Error::Interrupted(_)) => return Err(error),
            Err(error) => unchangeable.push((hive.source.name().to_owned(), error)),
        }
    }
    Ok((left, unchangeable))
}

/// Refuses a hive whose files can't be changed where they lie.
fn in_place(site: &Site, hive: &PlannedHive) -> Result<(), Error> {
    if hive.is_unchanged() {
        return Ok(());
    }
    let volume = match &hive.source {
        HiveSource::Windows(_) => None,
        HiveSource::BootStore { volume, .. } => volume.as_deref(),
    };
    let root = site.root_of(volume)?;
    let mut distinct = Distinct::default();
    // The hive comes first.
    for (number, Fingerprint { path, .. }) in hive.fingerprints.iter().enumerate() {
        let components: Vec<&str> = path.split('/').collect();
        let Some(place) = root.dir().find(&components)? else {
            continue;
        };
        let no_room = |source| Refusal::NoRoom {
            path: path.clone(),
            source: Box::new(source),
        };
        let file = place.dir.open(&place.name, Access::Read);
        let file = file.map_err(no_room)?;
        file.check_in_place().map_err(no_room)?;
        match number {
            0 => distinct.add_hive(file.as_ref(), path)?,
            _ => distinct.add_log(file.as_ref(), path)?,
        }
    }
    Ok(())
}

fn planned_store(store: &SurveyedStore, auto: bool) -> PlannedHive {
    let (shown, changes) = store.changes(auto);
    PlannedHive {
        source: HiveSource::BootStore {
            volume: store.status.volume.clone(),
            path: store.status.path.clone(),
            changes,
        },
        changes: shown,
        dirty: store.status.dirty.is_some(),
        fingerprints: store.fingerprints.clone(),
    }
}
