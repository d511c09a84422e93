//! All rules that a diagnosis goes by.

use super::{Rule, RuleError, builtin, rule_file};
use crate::recipe::{Catalogue, Origin};

/// The greatest number of rules.
const MAX_RULES: usize = 500;

/// All rules that a diagnosis goes by.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
}

impl Rules {
    /// The rules that come with the program.
    ///
    /// # Errors
    /// If one of them is wrong; a test makes sure that none is.
    pub fn built_in() -> Result<Self, RuleError> {
        let mut rules = Self { rules: Vec::new() };
        for (file, text) in builtin::FILES {
            rules.add_all(rule_file::parse(file, text, &Origin::BuiltIn)?)?;
        }
        Ok(rules)
    }

    /// Adds the rules in a file of the user's. `file` is its name in messages.
    ///
    /// # Errors
    /// What is wrong in the file, with line and column, or a name that is taken.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), RuleError> {
        self.add_all(rule_file::parse(
            file,
            text,
            &Origin::File(file.to_owned()),
        )?)
    }

    fn add_all(&mut self, rules: Vec<Rule>) -> Result<(), RuleError> {
        for rule in rules {
            if self.get(&rule.name).is_some() {
                return Err(RuleError::Duplicate { name: rule.name });
            }
            if self.rules.len() == MAX_RULES {
                return Err(RuleError::TooMany { limit: MAX_RULES });
            }
            self.rules.push(rule);
        }
        Ok(())
    }

    /// Checks that every recipe that a rule names exists.
    ///
    /// # Errors
    /// [`RuleError::UnknownRecipe`].
    pub fn check_recipes(&self, recipes: &Catalogue) -> Result<(), RuleError> {
        for rule in &self.rules {
            for recipe in rule.recipes.iter().map(String::as_str).chain(rule.asks()) {
                if recipes.get(recipe).is_none() {
                    return Err(RuleError::UnknownRecipe {
                        rule: rule.name.clone(),
                        recipe: recipe.to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    /// The rule with this name; case is ignored.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Rule> {
        self.iter()
            .find(|rule| rule.name.eq_ignore_ascii_case(name))
    }

    /// All rules, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// The rules whose cause this recipe repairs.
    pub fn repaired_by<'a>(&'a self, recipe: &'a str) -> impl Iterator<Item = &'a Rule> {
        let names = move |rule: &&Rule| rule.recipes.iter().any(|name| name == recipe);
        self.iter().filter(names)
    }
}

impl Rule {
    /// The recipes whose faults are evidence of the cause.
    pub(super) fn asks(&self) -> impl Iterator<Item = &str> {
        let all = self.supporting.iter().chain(&self.opposing);
        all.filter_map(|weighed| weighed.evidence.recipe())
    }
}
