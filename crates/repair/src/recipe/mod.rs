//! Recipes: repairs as data, each a TOML file (docs/recipes.md describes the format).

mod asked;
mod builtin;
mod catalogue;
mod condition;
mod error;
mod file;
mod name;
mod parameter;
mod schema;
mod serial_port;
#[cfg(test)]
pub(crate) mod test_support;

pub(crate) use asked::{Asked, Asking};
pub use catalogue::Catalogue;
#[cfg(test)]
pub(crate) use condition::Holds;
pub use condition::{Condition, Quantity};
pub use error::RecipeError;
pub use file::MAX_LEN;
pub(crate) use name::recipe_name;
pub use parameter::{Parameter, ParameterKind};
pub use schema::schema;

pub use crate::place::HiveName;
use parameter::Given;

use crate::rows::{NoteIf, Row, Shown, Terms};

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
    /// The terms of each row, in the order of the rows.
    pub terms: Vec<Terms>,
    /// The values that the user may choose.
    pub parameters: Vec<Parameter>,
    /// The conditions on which its rows may depend.
    pub conditions: Vec<Condition>,
    /// A note about each of its findings, if a condition holds.
    pub note_if: Option<NoteIf>,
    /// The recipes that undo its effect. They aren't used together with it.
    pub conflicts: Vec<String>,
    /// What a person must know before agreeing to its changes, if anything.
    pub caution: Option<String>,
    /// True if it is only used if it is named: `inspect` and `--auto` ignore it otherwise.
    pub on_request: bool,
    /// True if nothing is changed if a part of it can't be.
    pub all_or_nothing: bool,
    /// The origin.
    pub origin: Origin,
    /// The text of its file.
    pub(crate) text: String,
    /// The values that the user has chosen.
    pub(crate) given: Given,
}

impl Recipe {
    /// True if it has settings of its own, not only those of the recipes that it includes.
    #[must_use]
    pub fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }

    /// Its name, and the values of its parameters.
    #[must_use]
    pub fn label(&self) -> String {
        let parameters = self.parameters.iter();
        let values = parameters.map(|parameter| format!(" {}={}", parameter.name, parameter.value));
        std::iter::once(self.name.clone()).chain(values).collect()
    }

    /// Its rows, each with its terms.
    pub fn rows_with_terms(&self) -> impl Iterator<Item = (&Row, &Terms)> {
        self.rows.iter().zip(&self.terms)
    }

    /// Its rows for display.
    #[must_use]
    pub fn shown_rows(&self) -> Vec<Shown> {
        let shown = self.rows_with_terms().map(|(row, terms)| {
            let mut shown = row.shown();
            shown.lines.extend(terms.shown());
            shown
        });
        shown.collect()
    }
}

/// The origin of a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The program itself.
    BuiltIn,
    /// A file of the user, by the name that the user gave.
    File(String),
}
