//! A rule: a cause, and the evidence that speaks for and against it.

use super::RuleEvidence;
use crate::recipe::Origin;

/// A known cause of trouble.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, which never changes.
    pub name: String,
    /// The cause, in one sentence.
    pub title: String,
    /// The evidence that speaks for it.
    pub supporting: Vec<Weighed>,
    /// The evidence that speaks against it.
    pub opposing: Vec<Weighed>,
    /// The recipes that repair it; empty if none does.
    pub recipes: Vec<String>,
    /// What to check or do by hand.
    pub check: String,
    /// The documentation of the cause.
    pub sources: Vec<String>,
    /// The origin.
    pub origin: Origin,
}

/// A piece of evidence, and how much it counts.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// The evidence.
    pub evidence: RuleEvidence,
    /// How much it counts, from 1 to 100.
    pub weight: u32,
    /// True if the rule doesn't count without it, or without needed evidence that tells the same.
    pub needed: bool,
    /// A word that it shares with other evidence of the rule that tells the same. Of such evidence,
    /// only the greatest weight counts.
    pub alike: Option<String>,
    /// What it means, in one sentence.
    pub says: String,
}
