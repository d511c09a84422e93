//! Finding the cause: which of the known causes the evidence on a disk speaks for.
//!
//! A [`Rule`] is data, like a recipe: a cause, the evidence for and against it, and the recipes that
//! repair it. docs/diagnosis.md describes the format. Each kind of evidence is a file in
//! `evidence`. Nothing is written.

mod builtin;
mod certainty;
mod diagnose;
mod disk;
mod error;
mod evidence;
mod rule;
mod rule_file;
mod rules;

pub use certainty::Certainty;
pub use error::RuleError;
pub use evidence::{Evidence, Sighting};
pub use rule::{Rule, Weighed};
pub use rules::Rules;

pub(crate) use diagnose::{Cause, Diagnosis, Found, diagnose};
