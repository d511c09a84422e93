//! Reading everything that recipes are about, for inspect and plan. Nothing is written.

mod descriptors;
mod elements;
mod files;
mod new_store;
mod terms;
mod values;

use diskmend_disk::Disk;

use crate::changes::descriptors::{DescriptorsChange, FolderFindings};
use crate::changes::files::FilesChange;
use crate::changes::hive::HiveFile;
use crate::changes::{Change, Findings};
use crate::error::{Error, chain};
use crate::examined::Examined;
use crate::facts::{Facts, StoreStatus, VolumeCondition};
use crate::finding::{Finding, Goal, JudgedFile, Notice};
use crate::hive_on_disk::Fingerprint;
use crate::place::Place;
use crate::recipe::{Asking, Recipe};
use crate::run::Draft;
use crate::site::Site;

/// The result of reading a disk.
pub(crate) struct Survey {
    /// Every hive that was read. The boot store that starts this Windows is last.
    pub(crate) hives: Vec<SurveyedHive>,
    /// The boot stores that were found.
    pub(crate) stores: Vec<StoreStatus>,
    /// The folders with security descriptors that a recipe is about.
    pub(crate) folders: Vec<FolderFindings>,
    /// The files that a recipe wants to be gone.
    pub(crate) files: Vec<Finding<JudgedFile>>,
    /// What couldn't be read, and why.
    pub(crate) skipped: Vec<(Place, Error)>,
    pub(crate) notices: Vec<Notice>,
    /// What a person should know about the target's volume before it is changed.
    pub(crate) conditions: Vec<VolumeCondition>,
    /// The changes of security descriptors, if they were requested. There may be more than memory
    /// can hold.
    draft: Option<Draft>,
}

/// One hive.
pub(crate) struct SurveyedHive {
    pub(crate) examined: Examined,
    pub(crate) findings: Findings,
    /// The content of the hive and its logs when they were read.
    pub(crate) fingerprints: Vec<Fingerprint>,
}

/// Reads everything that the recipes name. Changes of security descriptors are drafted if `draft`
/// is given.
///
/// # Errors
/// If the caller interrupts, or if nothing could be read.
pub(crate) fn survey(
    facts: &Facts<'_>,
    recipes: &[&Recipe],
    goal: Goal,
    draft: Option<Draft>,
) -> Result<Survey, Error> {
    let mut survey = Survey {
        hives: Vec::new(),
        stores: Vec::new(),
        folders: Vec::new(),
        files: Vec::new(),
        skipped: Vec::new(),
        notices: disk_notices(facts.site),
        conditions: facts.volume().conditions.clone(),
        draft,
    };
    let asking = &Asking::new(facts);
    values::survey(&mut survey, facts, asking, recipes, goal)?;
    if !new_store::survey(&mut survey, facts, asking, recipes, goal)? {
        elements::survey(&mut survey, facts, asking, recipes, goal)?;
    }
    files::survey(&mut survey, facts, asking, recipes)?;
    descriptors::survey(&mut survey, facts, asking, recipes, goal)?;
    terms::tell(&mut survey, facts, asking, recipes, goal);
    let nothing = survey.hives.is_empty() && survey.files.is_empty() && survey.folders.is_empty();
    if nothing && !survey.skipped.is_empty() {
        return Err(survey.skipped.swap_remove(0).1);
    }
    Ok(survey)
}

impl Survey {
    /// The changes that make the hives as wanted. A hive that may not be edited is left out.
    pub(crate) fn changes(&mut self, goal: Goal) -> Vec<Change> {
        let mut changes = Vec::new();
        for hive in &self.hives {
            let file = HiveFile::of(&hive.examined, hive.fingerprints.clone());
            match hive.examined.refusal() {
                Some(refusal) => {
                    let place = Place::Hive(file.hive);
                    self.skipped.push((place, refusal.into()));
                }
                None => changes.push(Change::of(&hive.findings, file, goal)),
            }
        }
        changes
    }

    /// The moves of files that recipes want to be gone; `None` if there are none to move.
    pub(crate) fn moved_files(&mut self, goal: Goal) -> Option<Change> {
        let (change, refused) = FilesChange::plan(&self.files, goal);
        self.skipped.extend(refused);
        change.map(Change::Files)
    }

    /// The changes that make security descriptors as wanted; `None` if none was read.
    pub(crate) fn drafted(&mut self) -> Option<Change> {
        let change = DescriptorsChange::plan(self.draft.take()?, &self.folders);
        change.map(|change| Change::Descriptors(Box::new(change)))
    }

    /// True if only changes of hives are possible.
    pub(crate) fn is_of_hives(&self) -> bool {
        self.folders.is_empty() && self.files.is_empty()
    }

    /// Faults that another recipe repairs.
    pub(crate) fn for_other_recipes(&self) -> Vec<Notice> {
        let groups = self.folders.iter().flat_map(|folder| &folder.groups);
        let notices = groups.filter_map(|group| {
            let (recipe, first) = (group.repaired_by.as_ref()?, group.examples.first()?);
            Some(Notice {
                kind: "other-recipe",
                text: format!(
                    "{first}{}: {}: this is what {recipe} repairs",
                    match group.objects {
                        1 => String::new(),
                        more => format!(" and {} more", more - 1),
                    },
                    group.reasons.join("; "),
                ),
            })
        });
        notices.collect()
    }
}

/// Notices about how a disk that isn't mounted is stored.
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
