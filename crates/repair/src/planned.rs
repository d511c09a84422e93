//! A plan: what was found, and the changes to make.

use crate::changes::Change;
use crate::error::Error;
use crate::finding::Goal;
use crate::hive_on_disk::FileRead;
use crate::identity::WindowsNames;
use crate::place::Place;
use crate::recipe::Recipe;
use crate::run_summary::RunSummary;
use crate::survey::Survey;

/// The changes, and the files that they depend on.
pub(crate) struct Planned {
    /// The target as named by the user.
    pub(crate) target: String,
    /// The Windows on it, as far as it was read.
    pub(crate) windows: WindowsNames,
    /// The recipes that it was made from.
    pub(crate) recipes: Vec<Recipe>,
    pub(crate) goal: Goal,
    /// What was found.
    pub(crate) survey: Survey,
    /// The changes, in the order in which they are made.
    pub(crate) changes: Vec<Change>,
    /// Places that aren't changed, and why.
    pub(crate) refused: Vec<(Place, Error)>,
    /// Killed runs that must be settled first.
    pub(crate) unfinished: Vec<RunSummary>,
    /// The files that were read, and their content then.
    pub(crate) files_read: Vec<FileRead>,
    /// True if exactly this plan must be carried out, and no part of it or another plan.
    pub(crate) exact: bool,
}

impl Planned {
    /// The names of its recipes, with the values of their parameters.
    pub(crate) fn names(&self) -> Vec<String> {
        self.recipes.iter().map(Recipe::label).collect()
    }
}
