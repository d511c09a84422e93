//! `plan`: the changes that a repair would make. A plan is only valid for the files from which it
//! was made. Nothing is written.

use diskmend_disk::{ConditionKind, GuardError, Writes};

use crate::changes::Change;
use crate::documents::PlanReport;
use crate::engine::Engine;
use crate::error::{Error, Refusal};
use crate::facts::{Facts, of_open_hives};
pub use crate::finding::Goal;
use crate::finding::Notice;
use crate::guards::reading_guards;
use crate::place::Place;
use crate::planned::Planned;
use crate::progress::{Phase, Watch};
use crate::recipe::Recipe;
use crate::run::Draft;
use crate::site::{Options, Site};
use crate::survey::{self, Survey};
use crate::unfinished::unfinished;
use crate::whole;

/// A plan for a target: the changes, and the files that they depend on. It can't be applied after
/// the hives have changed.
pub struct Plan<'e> {
    pub(crate) engine: &'e Engine,
    pub(crate) planned: Planned,
    report: PlanReport,
}

impl Plan<'_> {
    /// The plan as a document.
    #[must_use]
    pub const fn report(&self) -> &PlanReport {
        &self.report
    }
}

impl Engine {
    /// Plans a repair. Nothing is written.
    ///
    /// # Errors
    /// If the target isn't a Windows volume, or if none of the hives can be read; see [`Error`].
    pub fn plan(
        &self,
        recipes: &[&Recipe],
        goal: Goal,
        watch: &mut Watch<'_>,
    ) -> Result<Plan<'_>, Error> {
        let site = &self.site;
        watch.phase(Phase::Guards, &site.display)?;
        reading_guards(&self.target)?;
        // Another user of the disk will have stopped by then, but damage of its container stays.
        if let Some(disk) = &site.disk {
            disk.fit_for_writing()?;
        }
        site.state.require_private()?;
        // If the key is missing, it is created before anything else is written.
        site.judge.check_key().map_err(Refusal::NoKey)?;
        let planned = plan_site(site, recipes, goal, &self.options, watch)?;
        Ok(Plan {
            engine: self,
            report: PlanReport::of(&planned),
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
    let (unfinished, damaged) = unfinished(site)?;
    let draft = Draft::new(options.scratch.as_deref())?;
    let facts = Facts::of(site, options, watch.lend());
    let mut survey = survey::survey(&facts, recipes, goal, Some(draft))?;
    let files_read = facts.files_read();
    let windows = of_open_hives(&facts);
    // The next steps open the hives for writing, so they must not be open here.
    drop(facts);
    survey.notices.extend(damaged);
    let changes = survey.changes(goal);
    let (mut changes, mut unchangeable) = changeable(site, changes, options, watch)?;
    whole::check(recipes, &mut survey.skipped)?;
    whole::check(recipes, &mut unchangeable)?;
    let mut others = Vec::new();
    let nothing_left = survey.is_of_hives() && changes.iter().all(Change::is_nothing);
    if nothing_left && !unchangeable.is_empty() {
        return Err(unchangeable.swap_remove(0).1);
    }
    for change in [survey.moved_files(goal), survey.drafted()]
        .into_iter()
        .flatten()
    {
        match check_volume(&change, site) {
            Ok(()) => others.push(change),
            Err(error) => unchangeable.push((change.place(), error)),
        }
    }
    let mut refused = std::mem::take(&mut survey.skipped);
    refused.extend(unchangeable);
    whole::check(recipes, &mut refused)?;
    changes.extend(others);
    survey
        .notices
        .extend(changed_in_place(site, &survey, &changes));
    Ok(Planned {
        target: site.display.clone(),
        windows,
        recipes: recipes.iter().map(|recipe| (*recipe).clone()).collect(),
        goal,
        survey,
        changes,
        refused,
        unfinished,
        files_read,
        exact: false,
    })
}

/// Removes what can't be changed from the plan, with the reasons, before anybody is asked.
#[expect(clippy::type_complexity, reason = "it says what it is")]
fn changeable(
    site: &Site,
    changes: Vec<Change>,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Result<(Vec<Change>, Vec<(Place, Error)>), Error> {
    // On a mounted volume, a lack of space shows only during the write. The repair itself checks
    // everything.
    let options = site.disk.as_ref().map(|_| Options {
        check: false,
        ..options.clone()
    });
    let mut left = Vec::new();
    let mut unchangeable = Vec::new();
    // The clusters that one hive needs are reserved until all hives are tried.
    let mut tried = Vec::new();
    for change in changes {
        if change.is_nothing() {
            left.push(change);
            continue;
        }
        let fits = check_volume(&change, site);
        let fits = fits
            .and_then(|()| change.check_in_place(site))
            .and_then(|()| match &options {
                Some(options) => change.try_out(site, options, watch),
                None => Ok(None),
            });
        match fits {
            Ok(prepared) => {
                tried.extend(prepared);
                left.push(change);
            }
            Err(error @ Error::Interrupted(_)) => return Err(error),
            Err(error) => {
                let error = site.explained(change.volume(), error);
                unchangeable.push((change.place(), error));
            }
        }
    }
    Ok((left, unchangeable))
}

/// Refuses a change that can't be made in the condition of its volume, and a volume on which nothing
/// can be changed. A hibernated Windows is refused only by the guards of the repair: its plan can be
/// looked at.
fn check_volume(change: &Change, site: &Site) -> Result<(), Error> {
    if change.is_nothing() {
        return Ok(());
    }
    let volume = change.volume();
    match site.writes(volume) {
        Ok(Writes::All) => Ok(()),
        Ok(Writes::InPlace) if change.is_in_place() => Ok(()),
        Ok(Writes::InPlace) => match site.writes_all(volume) {
            Err(Error::Refused(
                Refusal::Guard(source) | Refusal::BootVolumeGuard { source, .. },
            )) => Err(Refusal::OnlyInPlace { source }.into()),
            checked => checked,
        },
        Err(Error::Refused(
            Refusal::Guard(ref error)
            | Refusal::BootVolumeGuard {
                source: ref error, ..
            },
        )) if is_hibernated(error) => Ok(()),
        Err(error) => Err(error),
    }
}

fn is_hibernated(error: &GuardError) -> bool {
    match error {
        GuardError::Hibernated => true,
        GuardError::Condition(condition) => condition.kind == ConditionKind::Hibernated,
        _ => false,
    }
}

/// Says that hives are changed in place on a volume that Windows did not dismount, and why that is
/// safe.
fn changed_in_place(site: &Site, survey: &Survey, changes: &[Change]) -> Option<Notice> {
    let is_in_place = |change: &Change| {
        let in_place = matches!(site.writes(change.volume()), Ok(Writes::InPlace));
        !change.is_nothing() && in_place
    };
    if !changes.iter().any(is_in_place) {
        return None;
    }
    let has_log = survey
        .conditions
        .iter()
        .any(|one| one.kind == ConditionKind::LogPending.name());
    let why = if has_log {
        "no change in the journal is about the records or clusters of these files. Windows will make \
         the changes in the journal as if nothing had happened"
    } else {
        "no other file has their clusters. The volume stays marked as dirty"
    };
    Some(Notice {
        kind: "in-place",
        text: format!(
            "only bytes of hives and their logs are changed, where they are, and none of these files \
             grows; {why}"
        ),
    })
}
