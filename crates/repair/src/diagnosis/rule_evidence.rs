//! The evidence of a rule: evidence on the disk, or what a recipe finds.

use serde::Deserialize;
use toml::Spanned;

use super::disk::Disk;
use crate::changes::Findings;
use crate::changes::descriptors::FolderFindings;
use crate::evidence::{Evidence, Looked, Sighting};
use crate::facts::ControlSet;
use crate::finding::{ElementWords, Finding, Goal, JudgedFile, JudgedValue, RowState, Wanted};
use crate::place::HiveId;
use crate::progress::Interrupted;
use crate::recipe::recipe_name;
use crate::survey::Survey;
use crate::written::{Wrong, wrong};

/// The evidence of a rule.
#[derive(Clone, Debug)]
#[expect(private_interfaces, reason = "a rule shows its evidence as text")]
pub enum RuleEvidence {
    /// What a recipe finds.
    Recipe(RecipeEvidence),
    /// Evidence on the disk.
    OnDisk(Evidence),
}

impl RuleEvidence {
    /// The name of its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Recipe(_) => RECIPE,
            Self::OnDisk(evidence) => evidence.kind(),
        }
    }

    /// What it looks for, in a few words.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Recipe(recipe) => recipe.shown(),
            Self::OnDisk(evidence) => evidence.shown(),
        }
    }

    /// The recipe whose faults it is about, if it is about one.
    pub(super) fn recipe(&self) -> Option<&str> {
        match self {
            Self::Recipe(recipe) => Some(&recipe.name),
            Self::OnDisk(_) => None,
        }
    }

    /// Looks for it on a disk.
    ///
    /// # Errors
    /// If the caller interrupts.
    pub(super) fn look(&self, disk: &Disk<'_, '_>) -> Result<Looked, Interrupted> {
        match self {
            Self::Recipe(recipe) => recipe.look(disk),
            Self::OnDisk(evidence) => evidence.look(disk.facts),
        }
    }
}

/// The field of evidence of this kind.
pub(super) const RECIPE: &str = "recipe";

/// What a recipe finds.
#[derive(Clone, Debug)]
pub(crate) struct RecipeEvidence {
    name: String,
    finds: Finds,
}

/// Which findings of a recipe are evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Finds {
    /// What the recipe knows to be a fault.
    #[default]
    Fault,
    /// Whatever a repair with the recipe would change, if the recipe must be named because it can't
    /// tell a fault from a choice.
    Change,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecipeFile {
    name: Spanned<String>,
    #[serde(default)]
    finds: Finds,
}

impl RecipeEvidence {
    pub(super) fn read(written: RecipeFile) -> Result<Self, Wrong> {
        recipe_name(written.name.get_ref()).map_err(wrong(&written.name))?;
        Ok(Self {
            name: written.name.into_inner(),
            finds: written.finds,
        })
    }

    fn shown(&self) -> String {
        match self.finds {
            Finds::Fault => format!("a fault that the recipe {} finds", self.name),
            Finds::Change => format!("something that the recipe {} would change", self.name),
        }
    }

    fn look(&self, disk: &Disk<'_, '_>) -> Result<Looked, Interrupted> {
        Ok(match disk.surveyed()? {
            Ok(survey) => {
                let sets = disk.facts.control_sets();
                let starting = sets.as_ref().ok().and_then(|sets| sets.next());
                Looked::of(self.sightings(survey, starting))
            }
            Err(reason) => Looked::Unknown(reason.to_owned()),
        })
    }

    fn sightings(&self, survey: &Survey, starting: Option<&ControlSet>) -> Vec<Sighting> {
        let mut sightings = Vec::new();
        for hive in &survey.hives {
            match &hive.findings {
                Findings::Values(found) => {
                    let name = &hive.examined.hive;
                    let found = found
                        .iter()
                        .filter(|one| self.is_evidence(one, one.judged.state));
                    // The recipe doesn't repair what it only reports.
                    let found = found.filter(|one| one.judged.desired != Wanted::Anything);
                    let found = found.filter(|one| is_read(&one.judged, starting));
                    sightings.extend(found.map(|one| of_value(name, &one.judged)));
                }
                Findings::Elements(found) => {
                    let found = found
                        .iter()
                        .filter(|one| self.is_evidence(one, one.judged.state));
                    sightings.extend(found.map(|one| of_element(&one.judged.element)));
                }
            }
        }
        let files = survey.files.iter();
        let files = files.filter(|one| !one.only_looks && self.is_evidence(one, one.judged.state));
        sightings.extend(files.map(|one| of_file(&one.judged)));
        sightings.extend(
            survey
                .folders
                .iter()
                .flat_map(|folder| self.of_folder(folder)),
        );
        sightings
    }

    fn is_evidence<T>(&self, finding: &Finding<T>, state: RowState) -> bool {
        finding.recipe == self.name && self.counts(state)
    }

    fn counts(&self, state: RowState) -> bool {
        match self.finds {
            Finds::Fault => state == RowState::Fault,
            Finds::Change => state.is_changed_for(Goal::Desired),
        }
    }

    /// What is found of permissions. The recipe that judges them may leave the repair to another one.
    fn of_folder(&self, folder: &FolderFindings) -> Vec<Sighting> {
        let groups = folder.groups.iter().filter(|group| {
            let repaired_by = group.repaired_by.as_ref().unwrap_or(&group.recipe);
            self.counts(group.state) && *repaired_by == self.name
        });
        let sightings = groups.map(|group| {
            let place = group.examples.first().unwrap_or(&folder.path);
            let more = match group.objects {
                0 | 1 => String::new(),
                objects => format!(" (and {} more)", objects - 1),
            };
            Sighting::new(format!("{place}{more}"), group.reasons.join("; "))
        });
        sightings.collect()
    }
}

/// True if Windows reads the value when it starts: it is in no control set, or in the one from which
/// Windows starts, if that is known.
fn is_read(judged: &JudgedValue, starting: Option<&ControlSet>) -> bool {
    match (judged.in_current_set, starting) {
        (Some(_), Some(set)) => judged
            .key
            .split('\\')
            .next()
            .is_some_and(|first| first.eq_ignore_ascii_case(&set.name)),
        _ => true,
    }
}

fn of_value(hive: &HiveId, judged: &JudgedValue) -> Sighting {
    if let Some(permissions) = judged.desired.permissions() {
        let place = format!(r"{hive}\{}", judged.key);
        return Sighting::new(place, permissions.reasons.join("; "));
    }
    if judged.subtree.is_some() {
        return Sighting::new(
            format!(r"{hive}\{}", judged.key),
            "the key exists".to_owned(),
        );
    }
    if let Some(copy) = judged.desired.copy() {
        return Sighting::new(
            format!(r"{hive}\{}", judged.key),
            format!("the key does not exist, but {} does", copy.from),
        );
    }
    let name = match judged.value.as_str() {
        "" => "(Default)",
        name => name,
    };
    let found = match &judged.current {
        Some(data) => format!("{name} is {data}"),
        None => format!("{name} is missing"),
    };
    Sighting::new(format!(r"{hive}\{}", judged.key), found)
}

fn of_file(judged: &JudgedFile) -> Sighting {
    let found = match &judged.seen {
        Some(_) => "the file is there",
        None => "there is no such file",
    };
    Sighting::new(&judged.path, found)
}

fn of_element(element: &ElementWords) -> Sighting {
    let found = element.old.as_deref().unwrap_or("missing");
    Sighting::new(
        format!("{} {}", element.store, element.object_name),
        format!("{} is {found}", element.name),
    )
}
