//! Evidence of the kind `firewall`: Remote Desktop is switched on, but Windows Firewall lets nobody
//! in to its port.

use serde::Deserialize;

use super::words::{self, Words};
use super::{EvidenceKind, Looked, Sighting};
use crate::facts::{ClosedBy, Facts};
use crate::progress::Interrupted;
use crate::written::Wrong;

const WORDS: [(&str, ClosedBy); 5] = [
    ("block-all", ClosedBy::BlockAll),
    ("block-rule", ClosedBy::BlockRule),
    ("local-rules-ignored", ClosedBy::LocalRulesIgnored),
    ("other-port", ClosedBy::OtherPort),
    ("no-rule", ClosedBy::NoRule),
];

/// One of these keeps everybody from the port.
#[derive(Clone, Debug)]
pub(crate) struct FirewallEvidence {
    closed_by: Vec<ClosedBy>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirewallFile {
    closed_by: Words,
}

impl EvidenceKind for FirewallEvidence {
    type Written = FirewallFile;

    fn read(written: FirewallFile) -> Result<Self, Wrong> {
        Ok(Self {
            closed_by: words::read(&written.closed_by, &WORDS)?,
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        Ok(match facts.closed_port() {
            Ok(Some(closed)) if self.closed_by.contains(&closed.by) => {
                let seen = closed.seen.iter();
                let seen = seen.map(|(place, found)| Sighting::new(place, found));
                Looked::of(seen.collect())
            }
            Ok(_) => Looked::NotSeen,
            Err(reason) => Looked::Unknown(reason),
        })
    }

    fn shown(&self) -> String {
        let words = words::shown(&self.closed_by, &WORDS);
        format!("the firewall closes the port of Remote Desktop: {words}")
    }
}
