//! Recipes: repairs as data, each a TOML file (docs/recipes.md describes the format).

mod builtin;
mod catalogue;
mod error;
mod file;
mod serial_port;
#[cfg(test)]
pub(crate) mod test_support;

pub use catalogue::Catalogue;
pub use error::RecipeError;
pub use file::MAX_LEN;
pub(crate) use file::recipe_name;

use crate::finding::Finding;
pub use crate::place::HiveName;
use crate::rows::{About, Row};

/// The version of the format that [`Recipe::parse`] reads.
pub const SCHEMA: i64 = 1;

/// A named repair.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Its name on the command line.
    pub name: String,
    /// A one-line title.
    pub title: String,
    /// What it does, and when it is needed.
    pub summary: String,
    /// The documentation of its values.
    pub sources: Vec<String>,
    /// The names of the recipes that belong to it.
    pub includes: Vec<String>,
    /// Its rows, kind by kind, and within a kind in the order of the file.
    pub rows: Vec<Row>,
    /// What a person must know before agreeing to its changes, if anything.
    pub caution: Option<String>,
    /// True if it is only used if it is named: `inspect` and `--auto` ignore it otherwise.
    pub on_request: bool,
    /// The origin.
    pub origin: Origin,
    /// The text of its file.
    pub(crate) text: String,
}

impl Recipe {
    /// True if it has settings of its own, not only those of the recipes that it includes.
    #[must_use]
    pub fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }
}

/// A row that is being judged, and the recipe it is from.
pub(crate) struct Asked<'r, J> {
    pub(crate) recipe: &'r str,
    pub(crate) why: &'r str,
    pub(crate) judge: J,
}

impl<J> Asked<'_, J> {
    /// The row's finding.
    pub(crate) fn finding<T>(&self, judged: T) -> Finding<T> {
        Finding {
            recipe: self.recipe.to_owned(),
            why: self.why.to_owned(),
            judged,
        }
    }
}

/// The rows of recipes that `pick` accepts, in their order.
pub(crate) fn asked<'r, J>(
    recipes: &[&'r Recipe],
    pick: impl Fn(About<'r>) -> Option<J>,
) -> Vec<Asked<'r, J>> {
    let mut asked = Vec::new();
    for recipe in recipes {
        for row in &recipe.rows {
            asked.extend(pick(row.about()).map(|judge| Asked {
                recipe: &recipe.name,
                why: row.why(),
                judge,
            }));
        }
    }
    asked
}

/// The origin of a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The program itself.
    BuiltIn,
    /// A file of the user, by the name that the user gave.
    File(String),
}
