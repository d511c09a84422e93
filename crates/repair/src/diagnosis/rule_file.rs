//! A file of rules.

use serde::Deserialize;
use toml::Spanned;

use super::evidence::EvidenceFile;
use super::{Rule, RuleError, Weighed};
use crate::recipe::{Origin, SCHEMA, line_and_column, recipe_name};
use crate::rows::{Wrong, sentence, wrong};

/// The greatest length of a file of rules in bytes.
const MAX_LEN: u64 = 256 * 1024;
/// The greatest number of pieces of evidence in a rule.
const MAX_EVIDENCE: usize = 50;
/// The greatest weight of a piece of evidence.
const MAX_WEIGHT: u32 = 100;

/// A file of rules, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    schema: Spanned<i64>,
    rule: Spanned<Vec<RuleFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    name: Spanned<String>,
    title: Spanned<String>,
    #[serde(default)]
    recipes: Vec<Spanned<String>>,
    check: Spanned<String>,
    sources: Spanned<Vec<String>>,
    r#for: Spanned<Vec<Spanned<EvidenceFile>>>,
    #[serde(default)]
    against: Vec<Spanned<EvidenceFile>>,
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
    let located = |wrong: Wrong| {
        let (line, column) = line_and_column(text, wrong.span.start);
        RuleError::Syntax {
            file: file.to_owned(),
            line,
            column,
            message: wrong.message,
        }
    };
    let written: RulesFile = toml::from_str(text).map_err(|error| {
        located(Wrong {
            // An error without a place is about the whole file.
            span: error.span().unwrap_or(0..0),
            message: error.message().to_owned(),
        })
    })?;
    let schema = *written.schema.get_ref();
    if schema != SCHEMA {
        let message = format!("schema is {schema}, this program reads {SCHEMA}");
        return Err(located(wrong(&written.schema)(message)));
    }
    if written.rule.get_ref().is_empty() {
        let message = "the file has no [[rule]]".to_owned();
        return Err(located(wrong(&written.rule)(message)));
    }
    let rules = written.rule.into_inner().into_iter();
    let rules = rules.map(|rule| rule.read(origin).map_err(located));
    rules.collect()
}

impl RuleFile {
    fn read(self, origin: &Origin) -> Result<Rule, Wrong> {
        recipe_name(self.name.get_ref()).map_err(wrong(&self.name))?;
        for text in [&self.title, &self.check] {
            sentence(text.get_ref()).map_err(wrong(text))?;
        }
        let sources = self.sources.get_ref();
        if sources.iter().all(|source| source.trim().is_empty()) {
            let message = "say where the cause is documented".to_owned();
            return Err(wrong(&self.sources)(message));
        }
        for name in &self.recipes {
            recipe_name(name.get_ref()).map_err(wrong(name))?;
        }
        let count = self.r#for.get_ref().len() + self.against.len();
        if self.r#for.get_ref().is_empty() || count > MAX_EVIDENCE {
            let message = format!("a rule has 1 to {MAX_EVIDENCE} pieces of evidence");
            return Err(wrong(&self.r#for)(message));
        }
        Ok(Rule {
            name: self.name.into_inner(),
            title: self.title.into_inner().trim().to_owned(),
            supporting: weighed(self.r#for.into_inner(), true)?,
            opposing: weighed(self.against, false)?,
            recipes: self.recipes.into_iter().map(Spanned::into_inner).collect(),
            check: self.check.into_inner().trim().to_owned(),
            sources: self.sources.into_inner(),
            origin: origin.clone(),
        })
    }
}

fn weighed(written: Vec<Spanned<EvidenceFile>>, supports: bool) -> Result<Vec<Weighed>, Wrong> {
    let read = |written: Spanned<EvidenceFile>| {
        let span = written.span();
        let at = |message: String| Wrong {
            span: span.clone(),
            message,
        };
        let mut file = written.into_inner();
        let weight = *file.weight.get_ref();
        if !(1..=MAX_WEIGHT).contains(&weight) {
            let message = format!("{weight} is not a weight: it is within 1 to {MAX_WEIGHT}");
            return Err(wrong(&file.weight)(message));
        }
        sentence(file.says.get_ref()).map_err(wrong(&file.says))?;
        if file.needed && !supports {
            return Err(at("only evidence for a cause can be needed".to_owned()));
        }
        let evidence = file.take().map_err(at)?;
        Ok(Weighed {
            evidence: evidence?,
            weight,
            needed: file.needed,
            alike: file.alike,
            says: file.says.into_inner().trim().to_owned(),
        })
    };
    written.into_iter().map(read).collect()
}
