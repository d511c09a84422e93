//! The result of a diagnosis, and the rules that it goes by.

use serde::Serialize;

use crate::diagnosis::{
    Cause, Certainty, Diagnosis, Found, RecentChanges, Rule, Sighting, Source, Weighed,
};
use crate::documents::{RunSummary, SCHEMA};
use crate::facts::WindowsIdentity;
use crate::finding::Notice;
use crate::recipe::Origin;

/// The result of `diagnose`.
#[derive(Clone, Debug, Serialize)]
pub struct DiagnoseReport {
    /// Version of this document.
    pub schema: u32,
    /// The target as named by the user.
    pub target: String,
    /// What the Windows is, as far as it is known.
    pub identity: WindowsIdentity,
    /// The answer in short.
    pub verdict: Verdict,
    /// The causes that the evidence speaks for. The most likely one is first.
    pub causes: Vec<CauseReport>,
    /// What evidence there is on the disk at all.
    pub sources: Vec<Source>,
    /// What was installed or changed since somebody last logged on over the network, as the event logs
    /// tell; the newest is first.
    pub recent_changes: Vec<Sighting>,
    /// The number of older changes, which are not in the list.
    pub more_changes: usize,
    /// What couldn't be read, and so says nothing.
    pub unread: Vec<String>,
    /// Killed runs that must be settled first.
    pub unfinished: Vec<RunSummary>,
    /// Other things that the user should know.
    pub notices: Vec<Notice>,
}

/// The answer in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// True if something on the disk is a fault.
    pub fault: bool,
    /// The most likely cause; absent if nothing on the disk explains the trouble.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// How sure that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certainty: Option<Certainty>,
    /// The recipes that repair the most likely cause; empty if none does.
    pub repair: Vec<String>,
}

/// A cause that the evidence speaks for.
#[derive(Clone, Debug, Serialize)]
pub struct CauseReport {
    /// The name of the rule.
    pub name: String,
    /// The cause, in one sentence.
    pub title: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// The weights of the evidence for it, less those of the evidence against it.
    pub score: i64,
    /// The evidence for it that was seen.
    pub evidence: Vec<EvidenceReport>,
    /// The evidence against it that was seen.
    pub against: Vec<EvidenceReport>,
    /// The recipes that repair it, as far as they would change something on this disk; empty if none
    /// does.
    pub repair: Vec<String>,
    /// What to check or do by hand.
    pub check: String,
    /// The documentation of the cause.
    pub sources: Vec<String>,
}

/// Evidence that was seen.
#[derive(Clone, Debug, Serialize)]
pub struct EvidenceReport {
    /// The kind of evidence.
    pub kind: &'static str,
    /// How much it counts.
    pub weight: u32,
    /// What it means, in one sentence.
    pub says: String,
    /// Where it was seen.
    pub seen: Vec<Sighting>,
    /// The number of further places.
    pub more: usize,
}

/// A rule.
#[derive(Clone, Debug, Serialize)]
pub struct RuleEntry<'a> {
    name: &'a str,
    title: &'a str,
    #[serde(rename = "for")]
    supporting: Vec<WeighedEntry<'a>>,
    against: Vec<WeighedEntry<'a>>,
    recipes: &'a [String],
    check: &'a str,
    sources: &'a [String],
    /// The file from which it was read; absent for a rule of the program itself.
    file: Option<&'a str>,
}

/// A piece of evidence in a rule.
#[derive(Clone, Debug, Serialize)]
struct WeighedEntry<'a> {
    kind: &'static str,
    /// What is looked for.
    evidence: String,
    weight: u32,
    needed: bool,
    says: &'a str,
}

impl DiagnoseReport {
    pub(crate) fn of(
        target: &str,
        identity: WindowsIdentity,
        diagnosis: &Diagnosis<'_>,
        (sources, changes): (Vec<Source>, RecentChanges),
        unfinished: Vec<RunSummary>,
        notices: Vec<Notice>,
    ) -> Self {
        let causes: Vec<_> = diagnosis.causes.iter().map(CauseReport::from).collect();
        let first = causes.first();
        Self {
            schema: SCHEMA,
            target: target.to_owned(),
            identity,
            verdict: Verdict {
                fault: first.is_some(),
                cause: first.map(|cause| cause.title.clone()),
                certainty: first.map(|cause| cause.certainty),
                repair: first.map_or_else(Vec::new, |cause| cause.repair.clone()),
            },
            causes,
            sources,
            recent_changes: changes.newest,
            more_changes: changes.more,
            unread: diagnosis.unread.clone(),
            unfinished,
            notices,
        }
    }

    /// True if something on the disk is a fault, or a killed run must be settled.
    #[must_use]
    pub fn has_faults(&self) -> bool {
        self.verdict.fault || !self.unfinished.is_empty()
    }
}

impl From<&Cause<'_>> for CauseReport {
    fn from(cause: &Cause<'_>) -> Self {
        let rule = cause.rule;
        Self {
            name: rule.name.clone(),
            title: rule.title.clone(),
            certainty: cause.certainty,
            score: cause.score,
            evidence: cause.supporting.iter().map(EvidenceReport::from).collect(),
            against: cause.opposing.iter().map(EvidenceReport::from).collect(),
            repair: cause.repair.clone(),
            check: rule.check.clone(),
            sources: rule.sources.clone(),
        }
    }
}

impl From<&Found<'_>> for EvidenceReport {
    fn from(found: &Found<'_>) -> Self {
        let weighed = found.weighed;
        Self {
            kind: weighed.evidence.kind(),
            weight: weighed.weight,
            says: weighed.says.clone(),
            seen: found.sightings.clone(),
            more: found.more,
        }
    }
}

impl<'a> From<&'a Rule> for RuleEntry<'a> {
    fn from(rule: &'a Rule) -> Self {
        let entries = |all: &'a [Weighed]| all.iter().map(WeighedEntry::from).collect();
        Self {
            name: &rule.name,
            title: &rule.title,
            supporting: entries(&rule.supporting),
            against: entries(&rule.opposing),
            recipes: &rule.recipes,
            check: &rule.check,
            sources: &rule.sources,
            file: match &rule.origin {
                Origin::BuiltIn => None,
                Origin::File(file) => Some(file),
            },
        }
    }
}

impl<'a> From<&'a Weighed> for WeighedEntry<'a> {
    fn from(weighed: &'a Weighed) -> Self {
        Self {
            kind: weighed.evidence.kind(),
            evidence: weighed.evidence.shown(),
            weight: weighed.weight,
            needed: weighed.needed,
            says: &weighed.says,
        }
    }
}
