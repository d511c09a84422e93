//! The disk as evidence looks at it.

use std::cell::OnceCell;

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
    /// The recipes that rules ask for.
    asked: Vec<String>,
    surveyed: OnceCell<Result<Survey, String>>,
}

impl<'a, 'f> Disk<'a, 'f> {
    pub(crate) fn new(facts: &'a Facts<'f>, recipes: &'a Catalogue, asked: Vec<String>) -> Self {
        Self {
            facts,
            recipes,
            asked,
            surveyed: OnceCell::new(),
        }
    }

    /// What the recipes that rules ask for find, or the reason why that is unknown, for display.
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

    fn survey(&self) -> Result<Survey, Error> {
        let known = |name: &String| self.recipes.get(name);
        let recipes: Vec<&Recipe> = self.asked.iter().filter_map(known).collect();
        survey::survey(self.facts, &recipes, Goal::Faults, None)
    }
}
