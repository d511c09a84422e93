//! Evidence of the kind `firewall`: Remote Desktop is switched on, but Windows Firewall lets nobody
//! in to its port; or whether a rule of a group lets somebody in.

use serde::Deserialize;
use toml::Spanned;

use super::words::{self, Words};
use super::{EvidenceKind, Looked, Sighting};
use crate::facts::{ClosedBy, Facts, FirewallProfile};
use crate::progress::Interrupted;
use crate::written::{Wrong, wrong};

const WORDS: [(&str, ClosedBy); 5] = [
    ("block-all", ClosedBy::BlockAll),
    ("block-rule", ClosedBy::BlockRule),
    ("local-rules-ignored", ClosedBy::LocalRulesIgnored),
    ("other-port", ClosedBy::OtherPort),
    ("no-rule", ClosedBy::NoRule),
];
const PROFILES: [(&str, FirewallProfile); 3] = [
    ("domain", FirewallProfile::Domain),
    ("private", FirewallProfile::Private),
    ("public", FirewallProfile::Public),
];
/// The greatest length of a group's name, in bytes.
const MOST_NAME: usize = 1024;

/// The firewall is in this state.
#[derive(Clone, Debug)]
pub(crate) enum FirewallEvidence {
    /// One of these keeps everybody from the port of Remote Desktop.
    ClosedBy(Vec<ClosedBy>),
    /// A rule of a group lets somebody in, in one of these profiles; or there are rules of the
    /// group, and none does.
    Group {
        group: String,
        active: bool,
        profiles: Vec<FirewallProfile>,
    },
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirewallFile {
    closed_by: Option<Words>,
    group: Option<Spanned<String>>,
    active: Option<Spanned<bool>>,
    profiles: Option<Words>,
}

impl EvidenceKind for FirewallEvidence {
    type Written = Spanned<FirewallFile>;

    fn read(written: Spanned<FirewallFile>) -> Result<Self, Wrong> {
        let at = wrong(&written);
        let written = written.get_ref();
        match (&written.closed_by, &written.group) {
            (Some(words), None) => {
                let (active, profiles) = (&written.active, &written.profiles);
                if let Some(active) = active {
                    return Err(wrong(active)("only a group has active rules".to_owned()));
                }
                if let Some(profiles) = profiles {
                    return Err(wrong(profiles)("only a group has profiles".to_owned()));
                }
                Ok(Self::ClosedBy(words::read(words, &WORDS)?))
            }
            (None, Some(group)) => {
                let name = group.get_ref();
                if name.is_empty() || name.len() > MOST_NAME || name.contains('|') {
                    let message = format!("a group has 1 to {MOST_NAME} bytes, and no |");
                    return Err(wrong(group)(message));
                }
                let profiles = match &written.profiles {
                    None => PROFILES.map(|(_, profile)| profile).to_vec(),
                    Some(profiles) => words::read(profiles, &PROFILES)?,
                };
                Ok(Self::Group {
                    group: name.clone(),
                    active: written
                        .active
                        .as_ref()
                        .is_none_or(|active| *active.get_ref()),
                    profiles,
                })
            }
            _ => Err(at(
                "exactly one of these is needed: closed_by, group".to_owned()
            )),
        }
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        Ok(match self {
            Self::ClosedBy(wanted) => match facts.closed_port() {
                Ok(Some(closed)) if wanted.contains(&closed.by) => {
                    let seen = closed.seen.iter();
                    let seen = seen.map(|(place, found)| Sighting::new(place, found));
                    Looked::of(seen.collect())
                }
                Ok(_) => Looked::NotSeen,
                Err(reason) => Looked::Unknown(reason),
            },
            Self::Group {
                group,
                active,
                profiles,
            } => match facts.rules_of_group(group, profiles) {
                Ok(rules) => {
                    let is_one_active = rules.iter().any(|rule| rule.active);
                    let rules = rules.into_iter().filter(|rule| rule.active == *active);
                    let rules = rules.filter(|_| *active || !is_one_active);
                    let word = if *active {
                        "is active"
                    } else {
                        "is not active"
                    };
                    let seen = rules
                        .map(|rule| Sighting::new(rule.place, format!("{} {word}", rule.name)));
                    Looked::of(seen.collect())
                }
                Err(reason) => Looked::Unknown(reason),
            },
        })
    }

    fn shown(&self) -> String {
        match self {
            Self::ClosedBy(closed_by) => {
                let words = words::shown(closed_by, &WORDS);
                format!("the firewall closes the port of Remote Desktop: {words}")
            }
            Self::Group {
                group,
                active,
                profiles,
            } => {
                let word = if *active { "a rule" } else { "no rule" };
                let profiles = words::shown(profiles, &PROFILES);
                format!("{word} of the firewall's group {group} is active in {profiles}")
            }
        }
    }
}
