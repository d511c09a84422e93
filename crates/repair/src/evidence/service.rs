//! Evidence of the kind `service`: whether services or drivers exist, and when they start, in the
//! control set from which Windows would start.

use diskmend_hive::{Corruption, Hive};
use serde::Deserialize;
use toml::Spanned;

use super::registry::starting_sets;
use super::words;
use super::{EvidenceKind, Looked, Sighting};
use crate::error::{Error, chain};
use crate::facts::{Facts, Failure, of_filetime};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::progress::Interrupted;
use crate::reading;
use crate::written::{KeyPattern, Numbers, Written, Wrong, wrong};

/// The greatest number of services in one piece of evidence.
const MAX_NAMES: usize = 100;
/// What the numbers in `Start` mean.
const STARTS: [&str; 5] = ["boot", "system", "automatic", "manual", "disabled"];

/// One of these services is in this state.
#[derive(Clone, Debug)]
pub(crate) struct ServiceEvidence {
    names: Vec<String>,
    state: State,
}

/// The state of a service.
#[derive(Clone, Debug)]
enum State {
    /// `Start` is one of these numbers.
    Start(Vec<Numbers>),
    /// There is such a service.
    Present,
    /// There is no such service.
    Missing,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceFile {
    names: Spanned<Vec<Spanned<String>>>,
    start: Option<Spanned<Vec<Spanned<Written>>>>,
    is: Option<Spanned<String>>,
}

impl EvidenceKind for ServiceEvidence {
    type Written = ServiceFile;

    fn read(written: ServiceFile) -> Result<Self, Wrong> {
        let names = written.names.get_ref();
        if names.is_empty() || names.len() > MAX_NAMES {
            let message = format!("name 1 to {MAX_NAMES} services");
            return Err(wrong(&written.names)(message));
        }
        for name in names {
            let key = format!(r"ControlSet*\Services\{}", name.get_ref());
            KeyPattern::parse(HiveName::System, &key).map_err(wrong(name))?;
        }
        let state = match (&written.start, &written.is) {
            (Some(start), None) => State::Start(read_start(start)?),
            (None, Some(word)) => match word.get_ref().as_str() {
                "present" => State::Present,
                "missing" => State::Missing,
                other => {
                    return Err(wrong(word)(format!(
                        "\"{other}\" is neither \"present\" nor \"missing\""
                    )));
                }
            },
            _ => {
                let message = "exactly one of these is needed: start, is".to_owned();
                return Err(wrong(&written.names)(message));
            }
        };
        let names = written.names.into_inner().into_iter();
        Ok(Self {
            state,
            names: names.map(Spanned::into_inner).collect(),
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let hive = match facts.hive(HiveName::System) {
            Ok(hive) => hive,
            Err(failure) => return Ok(Looked::Unknown(Failure::reason(failure))),
        };
        Ok(match self.sightings(facts, hive) {
            Ok(sightings) => Looked::of(sightings),
            Err(source) => Looked::Unknown(chain(&Error::corrupt(hive.path())(source))),
        })
    }

    fn shown(&self) -> String {
        let state = match &self.state {
            State::Start(start) => {
                let start: Vec<String> =
                    start.iter().map(|numbers| shown_start(*numbers)).collect();
                format!("is {}", start.join(" or "))
            }
            State::Present => "exists".to_owned(),
            State::Missing => "does not exist".to_owned(),
        };
        format!("{} {state}", self.names.join(" or "))
    }
}

impl ServiceEvidence {
    fn sightings(&self, facts: &Facts<'_>, hive: &HiveOnDisk) -> Result<Vec<Sighting>, Corruption> {
        let mut sightings = Vec::new();
        for set in starting_sets(facts, hive)? {
            // Without services, nothing can be said about them.
            if hive.hive.key(&format!(r"{set}\Services"))?.is_none() {
                continue;
            }
            for name in &self.names {
                let key = format!(r"{set}\Services\{name}");
                let Some(found) = self.found(&hive.hive, &key)? else {
                    continue;
                };
                let node = hive.hive.key(&key)?;
                sightings.push(Sighting {
                    place: format!(r"SYSTEM\{key}"),
                    found,
                    time: node.and_then(|node| of_filetime(node.node().last_written.get())),
                });
            }
        }
        Ok(sightings)
    }

    /// What was found of a service, if it is in the state.
    fn found(&self, hive: &Hive, key: &str) -> Result<Option<String>, Corruption> {
        let start = reading::dword(hive, key, "Start")?;
        // Parts of other software leave a key without these, which is no service.
        let exists = start.is_some() || reading::dword(hive, key, "Type")?.is_some();
        Ok(match (&self.state, start) {
            (State::Start(wanted), Some(start)) => {
                let is_wanted = wanted.iter().any(|numbers| numbers.has(start.into()));
                let word = word(start).unwrap_or("unknown");
                is_wanted.then(|| format!("Start is {start} ({word})"))
            }
            (State::Start(_), None) => None,
            (State::Present, _) => exists.then(|| "it exists".to_owned()),
            (State::Missing, _) => (!exists).then(|| "there is no such service".to_owned()),
        })
    }
}

/// The start types, as words, numbers or ranges of numbers.
fn read_start(written: &Spanned<Vec<Spanned<Written>>>) -> Result<Vec<Numbers>, Wrong> {
    if written.get_ref().is_empty() {
        return Err(wrong(written)("name at least one".to_owned()));
    }
    let read = |one: &Spanned<Written>| -> Result<Numbers, Wrong> {
        if let Some(numbers) = words::numbers(one)? {
            return Ok(numbers);
        }
        let known = STARTS.iter().position(|known| match one.get_ref() {
            Written::Text(text) => known == text,
            _ => false,
        });
        let number = known.and_then(|number| u64::try_from(number).ok());
        let number = number.ok_or_else(|| {
            let message = format!("expected a number or one of {}", STARTS.join(", "));
            wrong(one)(message)
        })?;
        Ok(Numbers {
            from: number,
            to: number,
        })
    };
    written.get_ref().iter().map(read).collect()
}

fn shown_start(numbers: Numbers) -> String {
    let only = u32::try_from(numbers.from).ok();
    let only = only.filter(|_| numbers.from == numbers.to).and_then(word);
    only.map_or_else(|| format!("started at {numbers}"), str::to_owned)
}

fn word(start: u32) -> Option<&'static str> {
    let index = usize::try_from(start).ok()?;
    STARTS.get(index).copied()
}
