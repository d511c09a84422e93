//! A file of rules.

use serde::Deserialize;
use toml::Spanned;
use toml::de::DeTable;

use super::rule_evidence::{RECIPE, RecipeEvidence, RuleEvidence};
use super::{Rule, RuleError, Weighed};
use crate::evidence;
use crate::recipe::{Origin, SCHEMA, recipe_name};
use crate::written::{Wrong, document, sentence, wrong, wrong_at};

/// The greatest length of a file of rules in bytes.
const MAX_LEN: u64 = 256 * 1024;
/// The greatest number of pieces of evidence in a rule.
const MAX_EVIDENCE: usize = 50;
/// The greatest weight of a piece of evidence.
const MAX_WEIGHT: u32 = 100;

/// A file of rules, as written, without the rules.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    schema: Spanned<i64>,
}

/// A rule, as written, without its evidence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    name: Spanned<String>,
    title: Spanned<String>,
    #[serde(default)]
    recipes: Vec<Spanned<String>>,
    check: Spanned<String>,
    sources: Spanned<Vec<String>>,
}

/// What is written about a piece of evidence, besides the table that is named after its kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WeightFile {
    weight: Spanned<u32>,
    #[serde(default)]
    needed: bool,
    alike: Option<String>,
    says: Spanned<String>,
}

/// Reads a file of rules. `file` is its name in messages.
///
/// # Errors
/// What is wrong, with line and column.
pub(super) fn parse(file: &str, text: &str, origin: &Origin) -> Result<Vec<Rule>, RuleError> {
    let len = text.len() as u64;
    if len > MAX_LEN {
        return Err(RuleError::TooLong {
            file: file.to_owned(),
            len,
            limit: MAX_LEN,
        });
    }
    read(text, origin).map_err(|wrong| {
        let (line, column) = document::line_and_column(text, wrong.span.start);
        RuleError::Syntax {
            file: file.to_owned(),
            line,
            column,
            message: wrong.message,
        }
    })
}

fn read(text: &str, origin: &Origin) -> Result<Vec<Rule>, Wrong> {
    let mut written = document::parse(text)?;
    let at = document::place(written.get_ref(), "rule").unwrap_or(0..0);
    let rules = document::take_tables(written.get_mut(), "rule")?;
    let file: RulesFile = document::read_all(written)?;
    let schema = *file.schema.get_ref();
    if schema != SCHEMA {
        let message = format!("schema is {schema}, this program reads {SCHEMA}");
        return Err(wrong(&file.schema)(message));
    }
    if rules.is_empty() {
        return Err(wrong_at(at)("the file has no [[rule]]"));
    }
    rules
        .into_iter()
        .map(|rule| rule_of(rule, origin))
        .collect()
}

fn rule_of(mut written: Spanned<DeTable<'_>>, origin: &Origin) -> Result<Rule, Wrong> {
    let span = written.span();
    let at = document::place(written.get_ref(), "for").unwrap_or(span);
    let supporting = document::take_tables(written.get_mut(), "for")?;
    let opposing = document::take_tables(written.get_mut(), "against")?;
    let file: RuleFile = document::read(document::rest(written))?;
    recipe_name(file.name.get_ref()).map_err(wrong(&file.name))?;
    for text in [&file.title, &file.check] {
        sentence(text.get_ref()).map_err(wrong(text))?;
    }
    let sources = file.sources.get_ref();
    if sources.iter().all(|source| source.trim().is_empty()) {
        let message = "say where the cause is documented".to_owned();
        return Err(wrong(&file.sources)(message));
    }
    for name in &file.recipes {
        recipe_name(name.get_ref()).map_err(wrong(name))?;
    }
    if supporting.is_empty() || supporting.len() + opposing.len() > MAX_EVIDENCE {
        return Err(wrong_at(at)(&format!(
            "a rule has 1 to {MAX_EVIDENCE} pieces of evidence"
        )));
    }
    let weighed = |list: Vec<_>, supports| -> Result<Vec<Weighed>, Wrong> {
        list.into_iter().map(|one| weigh(one, supports)).collect()
    };
    Ok(Rule {
        name: file.name.into_inner(),
        title: file.title.into_inner().trim().to_owned(),
        supporting: weighed(supporting, true)?,
        opposing: weighed(opposing, false)?,
        recipes: file.recipes.into_iter().map(Spanned::into_inner).collect(),
        check: file.check.into_inner().trim().to_owned(),
        sources: file.sources.into_inner(),
        origin: origin.clone(),
    })
}

fn weigh(mut written: Spanned<DeTable<'_>>, supports: bool) -> Result<Weighed, Wrong> {
    let span = written.span();
    let table = written.get_mut();
    let recipe = table.remove(RECIPE);
    let kinds = evidence::KINDS.iter();
    let on_disk = kinds.filter(|kind| table.contains_key(**kind)).count();
    let evidence = match recipe {
        Some(recipe) if on_disk == 0 => {
            RecipeEvidence::read(document::read(recipe)?).map(RuleEvidence::Recipe)
        }
        None if on_disk == 1 => evidence::take(table, &span).map(RuleEvidence::OnDisk),
        _ => {
            // What is left is checked first, and no kind is an unknown field.
            for kind in evidence::KINDS {
                table.remove(*kind);
            }
            Err(wrong_at(span.clone())(&format!(
                "exactly one of these is needed: {RECIPE}, {}",
                evidence::KINDS.join(", ")
            )))
        }
    };
    let file: WeightFile = document::read(document::rest(written))?;
    let weight = *file.weight.get_ref();
    if !(1..=MAX_WEIGHT).contains(&weight) {
        let message = format!("{weight} is not a weight: it is within 1 to {MAX_WEIGHT}");
        return Err(wrong(&file.weight)(message));
    }
    sentence(file.says.get_ref()).map_err(wrong(&file.says))?;
    if file.needed && !supports {
        return Err(wrong_at(span)("only evidence for a cause can be needed"));
    }
    Ok(Weighed {
        evidence: evidence?,
        weight,
        needed: file.needed,
        alike: file.alike,
        says: file.says.into_inner().trim().to_owned(),
    })
}
