//! Recipes and their content.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::recipe::{Condition, Origin, Parameter, Recipe};
use crate::rows::{Entry, NoteIf, TABLES, TermsEntry};

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
    /// True if nothing is changed if a part of it can't be.
    #[serde(skip_serializing_if = "is_false")]
    all_or_nothing: bool,
    /// A note about each of its findings, if a condition holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    note_if: Option<&'a NoteIf>,
    /// The recipes that aren't used together with it.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    conflicts: &'a [String],
    /// The values that the user may choose.
    #[serde(skip_serializing_if = "<[Parameter]>::is_empty")]
    parameters: &'a [Parameter],
    /// The conditions on which its rows may depend.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<ConditionEntry<'a>>,
    #[serde(flatten)]
    rows: Tables<'a>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// A condition of a recipe.
#[derive(Serialize)]
struct ConditionEntry<'a> {
    name: &'a str,
    /// How much of the evidence must be seen: `all`, `any` or `none`.
    quantity: &'static str,
    /// The kinds of the evidence.
    kinds: Vec<&'static str>,
    /// The evidence, for display.
    evidence: String,
}

/// A row, with its terms.
#[derive(Serialize)]
struct RowEntry<'a> {
    #[serde(flatten)]
    row: Entry<'a>,
    #[serde(flatten)]
    terms: TermsEntry<'a>,
}

/// The rows of each kind, by the names of their tables; an empty list for a kind without rows.
struct Tables<'a>(&'a Recipe);

impl Serialize for Tables<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tables = serializer.serialize_map(Some(TABLES.len()))?;
        for table in TABLES {
            let rows = self.0.rows_with_terms();
            let rows = rows.filter(|(row, _)| row.table() == *table);
            let rows = rows.map(|(row, terms)| RowEntry {
                row: row.entry(),
                terms: terms.entry(),
            });
            let name = match *table {
                // The other name means the file from which the recipe was read.
                "file" => "files",
                table => table,
            };
            tables.serialize_entry(name, &rows.collect::<Vec<_>>())?;
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
            all_or_nothing: recipe.all_or_nothing,
            note_if: recipe.note_if.as_ref(),
            conflicts: &recipe.conflicts,
            parameters: &recipe.parameters,
            conditions: recipe.conditions.iter().map(ConditionEntry::from).collect(),
            rows: Tables(recipe),
        }
    }
}

impl<'a> From<&'a Condition> for ConditionEntry<'a> {
    fn from(condition: &'a Condition) -> Self {
        Self {
            name: &condition.name,
            quantity: condition.quantity.field(),
            kinds: condition.kinds(),
            evidence: condition.shown(),
        }
    }
}
