//! Evidence of the kind `service_restart`: a service that crashes, and that restarts Windows then.

use std::collections::BTreeSet;

use diskmend_hive::{Corruption, ValueType};
use serde::Deserialize;
use toml::Spanned;

use super::registry::starting_sets;
use super::{EvidenceKind, Looked, Sighting};
use crate::error::{Error, chain};
use crate::facts::{Facts, Failure};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::progress::Interrupted;
use crate::reading;
use crate::written::{Wrong, wrong};

/// The greatest number of services that are left out.
const MAX_NAMES: usize = 100;
/// The greatest number of services that are looked at, and the greatest length of their settings.
const MOST_SERVICES: usize = 100;
const MOST_BYTES: usize = 4096;
/// Events of Service Control Manager about a service that crashed.
const MANAGER: &str = "Service Control Manager";
const CRASHED: [u32; 2] = [7031, 7034];
/// `FailureActions` as `SERVICE_FAILURE_ACTIONS` is kept in the registry, in units of 4 bytes: the
/// number of actions is at 3, and from 5 on each action has its type and its delay.
const COUNT_AT: usize = 3;
const ACTIONS_AT: usize = 5;
/// `SC_ACTION_REBOOT`.
const RESTART_WINDOWS: u32 = 2;

/// A service has crashed since somebody last logged on, and its `FailureActions` restart Windows.
#[derive(Clone, Debug)]
pub(crate) struct ServiceRestartEvidence {
    except: Vec<String>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceRestartFile {
    /// Services that restart Windows by default.
    except: Spanned<Vec<String>>,
}

impl EvidenceKind for ServiceRestartEvidence {
    type Written = ServiceRestartFile;

    fn read(written: ServiceRestartFile) -> Result<Self, Wrong> {
        if written.except.get_ref().len() > MAX_NAMES {
            let message = format!("name at most {MAX_NAMES} services");
            return Err(wrong(&written.except)(message));
        }
        Ok(Self {
            except: written.except.into_inner(),
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let events = facts.events()?;
        if let Some(problem) = &events.problem {
            return Ok(Looked::Unknown(format!("event logs: {problem}")));
        }
        let crashes = events
            .relevant_since_any_logon()
            .filter(|event| event.is_of(MANAGER) && CRASHED.contains(&event.id));
        let named = crashes.filter_map(|event| event.service.as_deref());
        let crashed: BTreeSet<String> = named
            .filter(|name| !self.except.iter().any(|one| one.eq_ignore_ascii_case(name)))
            .map(str::to_ascii_lowercase)
            .take(MOST_SERVICES)
            .collect();
        if crashed.is_empty() {
            return Ok(Looked::NotSeen);
        }
        let hive = match facts.hive(HiveName::System) {
            Ok(hive) => hive,
            Err(failure) => return Ok(Looked::Unknown(Failure::reason(failure))),
        };
        Ok(match restarting(facts, hive, &crashed) {
            Ok(sightings) => Looked::of(sightings),
            Err(source) => Looked::Unknown(chain(&Error::corrupt(hive.path())(source))),
        })
    }

    fn shown(&self) -> String {
        let except = match self.except.as_slice() {
            [] => String::new(),
            names => format!(" other than {}", names.join(" or ")),
        };
        format!("a service{except} that has crashed restarts Windows (FailureActions)")
    }
}

fn restarting(
    facts: &Facts<'_>,
    hive: &HiveOnDisk,
    crashed: &BTreeSet<String>,
) -> Result<Vec<Sighting>, Corruption> {
    let mut sightings = Vec::new();
    for set in starting_sets(facts, hive)? {
        for name in crashed {
            let key = format!(r"{set}\Services\{name}");
            let data = reading::short_value(&hive.hive, &key, "FailureActions", MOST_BYTES)?;
            let data = data.filter(|data| data.value_type == ValueType::BINARY);
            if data.is_some_and(|data| restarts_windows(&data.bytes)) {
                let found = "FailureActions restarts Windows when the service crashes";
                sightings.push(Sighting::new(format!(r"SYSTEM\{key}"), found));
            }
        }
    }
    Ok(sightings)
}

/// True if one of the actions restarts Windows.
fn restarts_windows(bytes: &[u8]) -> bool {
    let numbers = bytes.as_chunks::<4>().0.iter();
    let numbers: Vec<u32> = numbers.map(|bytes| u32::from_le_bytes(*bytes)).collect();
    let count = numbers
        .get(COUNT_AT)
        .and_then(|count| usize::try_from(*count).ok());
    let actions = numbers.get(ACTIONS_AT..).unwrap_or(&[]).as_chunks::<2>().0;
    let mut actions = actions.iter().take(count.unwrap_or(0));
    actions.any(|[kind, _]| *kind == RESTART_WINDOWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(numbers: &[u32]) -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect()
    }

    #[test]
    fn only_an_action_within_the_list_counts() {
        let restart = [86400, 0, 0, 2, 0x14, 1, 60_000, 2, 60_000];
        assert!(restarts_windows(&actions(&restart)));
        // The list says that it has one action.
        let one = [86400, 0, 0, 1, 0x14, 1, 60_000, 2, 60_000];
        assert!(!restarts_windows(&actions(&one)));
        // It says that it has more than there are.
        let many = [0, 0, 0, u32::MAX, 0x14, 1, 0, 2];
        assert!(!restarts_windows(&actions(&many)));
        assert!(!restarts_windows(&actions(&[0, 0, 0])));
        assert!(!restarts_windows(b"abc"));
    }
}
