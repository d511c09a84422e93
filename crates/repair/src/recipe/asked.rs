//! Asking rows: which of them count on a disk, and what their findings are once the conditions of
//! their recipe were looked at.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Recipe;
use super::condition::Holds;
use crate::facts::Facts;
use crate::finding::{Finding, MayBeFault};
use crate::progress::Interrupted;
use crate::rows::{About, Standing, Terms, UnknownWindows};

/// A row that is being judged, and the recipe it is from.
pub(crate) struct Asked<'r, J> {
    pub(crate) recipe: &'r Recipe,
    pub(crate) why: &'r str,
    pub(crate) judge: J,
    /// Whether the row changes anything. It never is `DoesNot`.
    pub(crate) standing: Standing,
    terms: &'r Terms,
}

/// The rows that are asked about a disk.
pub(crate) struct Asking<'a, 'f> {
    facts: &'a Facts<'f>,
    /// The conditions that were looked at, by the names of the recipe and of the condition.
    looked: RefCell<BTreeMap<(String, String), Holds>>,
    /// What isn't known about the Windows although rows depend on it.
    unknown: RefCell<Vec<UnknownWindows>>,
}

/// A condition that couldn't be looked at.
pub(crate) struct UnknownCondition {
    pub(crate) recipe: String,
    pub(crate) condition: String,
    pub(crate) reason: String,
}

impl<'a, 'f> Asking<'a, 'f> {
    pub(crate) fn new(facts: &'a Facts<'f>) -> Self {
        Self {
            facts,
            looked: RefCell::default(),
            unknown: RefCell::default(),
        }
    }

    /// The rows of recipes that `pick` accepts and that count on the disk, in their order. A row of
    /// which that isn't known only looks.
    pub(crate) fn rows<'r, J>(
        &self,
        recipes: &[&'r Recipe],
        pick: impl Fn(About<'r>) -> Option<J>,
    ) -> Vec<Asked<'r, J>> {
        let mut asked = Vec::new();
        for recipe in recipes {
            for (row, terms) in recipe.rows_with_terms() {
                let Some(judge) = pick(row.about()) else {
                    continue;
                };
                let standing = terms.standing(self.facts).unwrap_or_else(|unknown| {
                    let mut all = self.unknown.borrow_mut();
                    if !all.contains(&unknown) {
                        all.push(unknown);
                    }
                    Standing::OnlyLooks
                });
                if standing != Standing::DoesNot {
                    asked.push(Asked {
                        recipe,
                        why: row.why(),
                        judge,
                        standing,
                        terms,
                    });
                }
            }
        }
        asked
    }

    /// The row's finding. A fault is none if a condition that it depends on doesn't hold, or if it
    /// isn't known whether that holds.
    ///
    /// # Errors
    /// If the caller interrupts.
    pub(crate) fn finding<J, T: MayBeFault>(
        &self,
        row: &Asked<'_, J>,
        mut judged: T,
    ) -> Result<Finding<T>, Interrupted> {
        if judged.is_fault() && !self.fault_counts(row)? {
            judged.is_no_fault();
        }
        Ok(Finding {
            recipe: row.recipe.name.clone(),
            why: row.why.to_owned(),
            only_looks: row.standing == Standing::OnlyLooks,
            note: self.note(row)?,
            judged,
        })
    }

    /// True if the conditions hold on which a fault of the row depends.
    ///
    /// # Errors
    /// If the caller interrupts.
    pub(crate) fn fault_counts<J>(&self, row: &Asked<'_, J>) -> Result<bool, Interrupted> {
        for condition in &row.terms.and {
            if !self.holds(row.recipe, condition)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The notes of a row, as far as the condition holds on which one of them depends.
    ///
    /// # Errors
    /// If the caller interrupts.
    pub(crate) fn note<J>(&self, row: &Asked<'_, J>) -> Result<Option<String>, Interrupted> {
        let always = row.terms.note.as_deref();
        let note = row.terms.note_if.as_ref().or(row.recipe.note_if.as_ref());
        let under_condition = match note {
            Some(note) if self.holds(row.recipe, &note.condition)? => Some(note.text.as_str()),
            _ => None,
        };
        let notes: Vec<&str> = always.into_iter().chain(under_condition).collect();
        Ok((!notes.is_empty()).then(|| notes.join("; ")))
    }

    /// True if a condition of a recipe holds. It is looked at once.
    fn holds(&self, recipe: &Recipe, name: &str) -> Result<bool, Interrupted> {
        let key = (recipe.name.clone(), name.to_owned());
        if let Some(known) = self.looked.borrow().get(&key) {
            return Ok(*known == Holds::Yes);
        }
        let mut conditions = recipe.conditions.iter();
        let holds = match conditions.find(|condition| condition.name == name) {
            Some(condition) => condition.look(self.facts)?,
            // Reading the recipe refused such a name.
            None => Holds::Unknown("there is no such condition".to_owned()),
        };
        let yes = holds == Holds::Yes;
        self.looked.borrow_mut().insert(key, holds);
        Ok(yes)
    }

    /// What isn't known about the Windows although rows depend on it.
    pub(crate) fn unknown_windows(&self) -> Vec<UnknownWindows> {
        self.unknown.borrow().clone()
    }

    /// The conditions that couldn't be looked at.
    pub(crate) fn unknown_conditions(&self) -> Vec<UnknownCondition> {
        let looked = self.looked.borrow();
        let unknown = looked.iter().filter_map(|((recipe, condition), holds)| {
            let Holds::Unknown(reason) = holds else {
                return None;
            };
            Some(UnknownCondition {
                recipe: recipe.clone(),
                condition: condition.clone(),
                reason: reason.clone(),
            })
        });
        unknown.collect()
    }
}
