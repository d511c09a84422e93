//! Finding the cause: which of the known causes the evidence on a disk speaks for.
//!
//! A [`Rule`] is data, like a recipe: a cause, the evidence for and against it, and the recipes that
//! repair it. docs/diagnosis.md describes the format. Nothing is written.

mod builtin;
mod certainty;
mod diagnose;
mod disk;
mod error;
mod rule;
mod rule_evidence;
mod rule_file;
mod rules;
mod sources;

pub use crate::evidence::Sighting;
pub use certainty::Certainty;
pub use error::RuleError;
pub use rule::{Rule, Weighed};
pub use rule_evidence::RuleEvidence;
pub use rules::Rules;
pub use sources::{Source, SourceState};

pub(crate) use diagnose::{Cause, Diagnosis, Found, diagnose};
pub(crate) use sources::{RecentChanges, sources};
