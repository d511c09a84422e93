//! Looking at all that recipes are about: what inspect and plan have in common. Nothing is written.

mod descriptors;
mod elements;
mod values;

use diskmend_disk::Disk;

use crate::changes::Findings;
use crate::changes::descriptors::{Draft, FolderFindings};
use crate::documents::RunSummary;
use crate::error::{Error, chain};
use crate::examined::Examined;
use crate::facts::{Facts, StoreStatus};
use crate::finding::{Goal, Notice};
use crate::hive_on_disk::Fingerprint;
use crate::place::{HiveId, HiveName, Place};
use crate::recipe::Recipe;
use crate::rows::About;
use crate::site::Site;

/// What looking at a disk gave.
pub(crate) struct Survey {
    /// Every hive that was read, the boot store that starts this Windows last.
    pub(crate) hives: Vec<SurveyedHive>,
    /// The boot stores that were found.
    pub(crate) stores: Vec<StoreStatus>,
    /// The folders whose security descriptors a recipe is about.
    pub(crate) folders: Vec<FolderFindings>,
    /// What could not be looked at, and why.
    pub(crate) skipped: Vec<(Place, Error)>,
    pub(crate) notices: Vec<Notice>,
}

/// One hive.
pub(crate) struct SurveyedHive {
    pub(crate) examined: Examined,
    pub(crate) findings: Findings,
    /// What the hive and its logs were.
    pub(crate) fingerprints: Vec<Fingerprint>,
}

/// Reads all that the recipes name. Changes of security descriptors go into the draft, of which
/// there may be more than fit in memory.
///
/// # Errors
/// Where the caller interrupts, or no hive at all could be read.
pub(crate) fn survey(
    facts: &Facts<'_>,
    recipes: &[&Recipe],
    goal: Goal,
    draft: Option<&mut Draft>,
) -> Result<Survey, Error> {
    let mut survey = Survey {
        hives: Vec::new(),
        stores: Vec::new(),
        folders: Vec::new(),
        skipped: Vec::new(),
        notices: disk_notices(facts.site),
    };
    for name in HiveName::ALL {
        if !any_about(
            recipes,
            |about| matches!(about, About::Values(hive, _) if *hive == name),
        ) {
            continue;
        }
        facts.go_on()?;
        let read = match facts.hive(name) {
            Ok(hive) => values::read(facts, name, hive, recipes, &mut survey.notices),
            Err(failure) => match failure.take() {
                Some(error) => Err(error),
                None => continue,
            },
        };
        match read {
            Ok(hive) => survey.hives.push(hive),
            Err(error @ Error::Interrupted(_)) => return Err(error),
            Err(error) => survey
                .skipped
                .push((Place::Hive(HiveId::Windows(name)), error)),
        }
    }
    if any_about(recipes, |about| matches!(about, About::Elements(_))) {
        elements::survey(&mut survey, facts, recipes, goal)?;
    }
    let found = descriptors::survey(facts, recipes, goal, draft)?;
    survey.folders = found.folders;
    survey.skipped.extend(found.refused);
    survey.notices.extend(found.notices);
    let nothing = survey.hives.is_empty() && survey.folders.is_empty();
    if nothing && !survey.skipped.is_empty() {
        return Err(survey.skipped.swap_remove(0).1);
    }
    Ok(survey)
}

/// Whether any row is about something.
fn any_about(recipes: &[&Recipe], is: impl Fn(&About<'_>) -> bool) -> bool {
    let mut rows = recipes.iter().flat_map(|recipe| &recipe.rows);
    rows.any(|row| is(&row.about()))
}

/// What is worth telling of how the disk is stored that is not mounted.
fn disk_notices(site: &Site) -> Vec<Notice> {
    let warnings = site.disk.iter().flat_map(Disk::warnings);
    let in_use = site.disk.iter().filter_map(|disk| {
        let asked = disk.fit_for_writing().and_then(|()| disk.not_in_use());
        let error = asked.err()?;
        Some(format!(
            "{}: it can be read, but not changed",
            chain(&error)
        ))
    });
    let notice = |text| Notice { kind: "disk", text };
    warnings.chain(in_use).map(notice).collect()
}

/// Tells of a folder for undo data that somebody else may have written.
pub(crate) fn state_folder_open(site: &Site) -> Result<Option<Notice>, Error> {
    Ok(site.state.doubt()?.map(|doubt| Notice {
        kind: "state-folder-open",
        text: format!("{}; what is in it may be forged", Error::from(doubt)),
    }))
}

/// The runs that wait to be settled. A journal that cannot be read is told as well.
pub(crate) fn unfinished(site: &Site) -> Result<(Vec<RunSummary>, Vec<Notice>), Error> {
    let mut waiting = Vec::new();
    let mut notices = Vec::new();
    notices.extend(state_folder_open(site)?);
    for run in site.state.runs()? {
        let run = run?;
        match run.read(&site.judge) {
            Ok(Some(read)) if read.journal.state.is_unfinished() => {
                waiting.push(read.journal.summary(read.trust));
            }
            Ok(_) => {}
            Err(error) => notices.push(Notice {
                kind: "damaged-run",
                text: chain(&error),
            }),
        }
    }
    Ok((waiting, notices))
}
