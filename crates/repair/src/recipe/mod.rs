//! Recipes: repairs as data, each a TOML file (docs/recipes.md describes the format).

mod builtin;
mod catalogue;
mod error;
mod file;
mod serial_port;

pub use catalogue::Catalogue;
pub use error::RecipeError;
pub use file::MAX_LEN;

use crate::finding::Finding;
pub use crate::place::HiveName;
use crate::rows::{About, Row};

/// The version of the format that [`Recipe::parse`] reads.
pub const SCHEMA: i64 = 1;

/// A named repair.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// What it is called on the command line.
    pub name: String,
    /// One line for a person.
    pub title: String,
    /// What it does and when it is needed.
    pub summary: String,
    /// Where its values are documented.
    pub sources: Vec<String>,
    /// Names of the recipes that belong to it.
    pub includes: Vec<String>,
    /// What should be, and when it is a fault: kind by kind, and of each kind in the order of the file.
    pub rows: Vec<Row>,
    /// Whether it is only done when named: `inspect` and `--auto` pass it over otherwise.
    pub on_request: bool,
    /// Where it comes from.
    pub origin: Origin,
}

impl Recipe {
    /// Whether it has settings of its own, not only those of the recipes that it includes.
    #[must_use]
    pub fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }
}

/// A row that is asked, with what it is asked by.
pub(crate) struct Asked<'r, J> {
    pub(crate) recipe: &'r str,
    pub(crate) why: &'r str,
    pub(crate) judge: J,
}

impl<J> Asked<'_, J> {
    /// What the row says.
    pub(crate) fn finding<T>(&self, judged: T) -> Finding<T> {
        Finding {
            recipe: self.recipe.to_owned(),
            why: self.why.to_owned(),
            judged,
        }
    }
}

/// The rows of recipes that `pick` takes by what they are about, in their order.
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

/// Where a recipe comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The program itself.
    BuiltIn,
    /// A file of the user's, as named by the user.
    File(String),
}
