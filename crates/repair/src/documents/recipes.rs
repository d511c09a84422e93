//! Recipes, and what they say.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::recipe::{Origin, Recipe};
use crate::rows::{Row, TABLES};

/// A recipe in full.
#[derive(Serialize)]
pub struct RecipeEntry<'a> {
    name: &'a str,
    title: &'a str,
    summary: &'a str,
    sources: &'a [String],
    includes: &'a [String],
    /// The file that it was read from; absent for one of the program's own.
    file: Option<&'a str>,
    /// Whether it is only done when named.
    on_request: bool,
    #[serde(flatten)]
    rows: Tables<'a>,
}

/// The rows of each kind, by the names of their tables; an empty list of a kind that has none.
struct Tables<'a>(&'a [Row]);

impl Serialize for Tables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tables = serializer.serialize_map(Some(TABLES.len()))?;
        for table in TABLES {
            let rows = self.0.iter().filter(|row| row.table() == *table);
            tables.serialize_entry(table, &rows.map(Row::entry).collect::<Vec<_>>())?;
        }
        tables.end()
    }
}

impl<'a> From<&'a Recipe> for RecipeEntry<'a> {
    fn from(recipe: &'a Recipe) -> Self {
        Self {
            name: &recipe.name,
            title: &recipe.title,
            summary: recipe.summary.trim(),
            sources: &recipe.sources,
            includes: &recipe.includes,
            file: match &recipe.origin {
                Origin::BuiltIn => None,
                Origin::File(file) => Some(file),
            },
            on_request: recipe.on_request,
            rows: Tables(&recipe.rows),
        }
    }
}
