//! The disk as evidence looks at it.

use std::cell::OnceCell;

use crate::changes::descriptors::Group;
use crate::error::{Error, chain};
use crate::facts::Facts;
use crate::finding::Goal;
use crate::progress::Interrupted;
use crate::recipe::{Catalogue, Recipe};
use crate::survey::{self, Survey};

/// The disk as evidence looks at it: its facts, and the faults that recipes find.
///
/// A kind of evidence reads the disk through [`Facts`], so that whatever several rules ask for is
/// read once.
pub(crate) struct Disk<'a, 'f> {
    pub(crate) facts: &'a Facts<'f>,
    recipes: &'a Catalogue,
    /// The recipes that rules name, whether for their faults or for the repair.
    named: Vec<String>,
    surveyed: OnceCell<Result<Survey, String>>,
}

impl<'a, 'f> Disk<'a, 'f> {
    pub(crate) fn new(facts: &'a Facts<'f>, recipes: &'a Catalogue, named: Vec<String>) -> Self {
        Self {
            facts,
            recipes,
            named,
            surveyed: OnceCell::new(),
        }
    }

    /// What the recipes that rules name find, or the reason why that is unknown, for display.
    ///
    /// # Errors
    /// If the caller interrupts.
    pub(crate) fn surveyed(&self) -> Result<Result<&Survey, &str>, Interrupted> {
        if self.surveyed.get().is_none() {
            let surveyed = match self.survey() {
                Err(Error::Interrupted(interrupted)) => return Err(interrupted),
                surveyed => surveyed.map_err(|error| chain(&error)),
            };
            // Nobody else sets it meanwhile.
            let _ = self.surveyed.set(surveyed);
        }
        Ok(match self.surveyed.get() {
            Some(Ok(report)) => Ok(report),
            Some(Err(reason)) => Err(reason),
            None => Err("nothing was read"),
        })
    }

    /// True if a repair with a recipe would change something, or if that isn't known.
    ///
    /// # Errors
    /// If the caller interrupts.
    pub(crate) fn is_changed_by(&self, recipe: &str) -> Result<bool, Interrupted> {
        let is_bundle = self
            .recipes
            .get(recipe)
            .is_none_or(|known| !known.has_rows());
        if is_bundle {
            return Ok(true);
        }
        let Ok(survey) = self.surveyed()? else {
            return Ok(true);
        };
        let mut groups = survey.folders.iter().flat_map(|folder| &folder.groups);
        let changes_group = |group: &Group| {
            let repaired_by = group.repaired_by.as_ref().unwrap_or(&group.recipe);
            repaired_by == recipe && group.state.is_changed_for(Goal::Desired)
        };
        let mut hives = survey.hives.iter().map(|hive| &hive.findings);
        let mut files = survey.files.iter();
        Ok(!survey.skipped.is_empty()
            || hives.any(|found| found.are_changed_by(recipe, Goal::Desired))
            || files.any(|file| {
                file.recipe == recipe
                    && !file.only_looks
                    && file.judged.state.is_changed_for(Goal::Desired)
            })
            || groups.any(changes_group))
    }

    fn survey(&self) -> Result<Survey, Error> {
        let known = |name: &String| self.recipes.get(name);
        let recipes: Vec<&Recipe> = self.named.iter().filter_map(known).collect();
        survey::survey(self.facts, &recipes, Goal::Faults, None)
    }
}
