//! Recipes and their content.

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
    /// The file from which it was read; absent for a recipe of the program itself.
    file: Option<&'a str>,
    /// What a person must know before agreeing to its changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    caution: Option<&'a str>,
    /// True if it is only used if it is named.
    on_request: bool,
    #[serde(flatten)]
    rows: Tables<'a>,
}

/// The rows of each kind, by the names of their tables; an empty list for a kind without rows.
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
            caution: recipe.caution.as_deref(),
            on_request: recipe.on_request,
            rows: Tables(&recipe.rows),
        }
    }
}
