//! Evidence of the kind `service`: when services or drivers start, in the control set from which
//! Windows would start.

use diskmend_hive::Corruption;
use serde::Deserialize;
use toml::Spanned;

use super::registry::starting_sets;
use super::{EvidenceKind, Looked, Sighting};
use crate::error::{Error, chain};
use crate::facts::{Facts, Failure, of_filetime};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::progress::Interrupted;
use crate::reading;
use crate::written::{KeyPattern, Wrong, wrong};

/// The greatest number of services in one piece of evidence.
const MAX_NAMES: usize = 100;
/// What the numbers in `Start` mean.
const STARTS: [&str; 5] = ["boot", "system", "automatic", "manual", "disabled"];

/// One of these services starts at one of these times.
#[derive(Clone, Debug)]
pub(crate) struct ServiceEvidence {
    names: Vec<String>,
    start: Vec<u32>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceFile {
    names: Spanned<Vec<Spanned<String>>>,
    start: Spanned<Vec<Spanned<String>>>,
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
        let number = |word: &Spanned<String>| -> Result<u32, Wrong> {
            let known = STARTS.iter().position(|known| known == word.get_ref());
            let number = known.and_then(|number| u32::try_from(number).ok());
            number.ok_or_else(|| {
                let message = format!("\"{}\" is none of {}", word.get_ref(), STARTS.join(", "));
                wrong(word)(message)
            })
        };
        if written.start.get_ref().is_empty() {
            return Err(wrong(&written.start)("name at least one".to_owned()));
        }
        let start: Result<Vec<u32>, Wrong> = written.start.get_ref().iter().map(number).collect();
        let names = written.names.into_inner().into_iter();
        Ok(Self {
            start: start?,
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
        let starts = self.start.iter().filter_map(|start| word(*start));
        let starts: Vec<&str> = starts.collect();
        format!("{} is {}", self.names.join(" or "), starts.join(" or "))
    }
}

impl ServiceEvidence {
    fn sightings(&self, facts: &Facts<'_>, hive: &HiveOnDisk) -> Result<Vec<Sighting>, Corruption> {
        let mut sightings = Vec::new();
        for set in starting_sets(facts, hive)? {
            for name in &self.names {
                let key = format!(r"{set}\Services\{name}");
                let Some(start) = reading::dword(&hive.hive, &key, "Start")? else {
                    continue;
                };
                if !self.start.contains(&start) {
                    continue;
                }
                let node = hive.hive.key(&key)?;
                let word = word(start).unwrap_or("unknown");
                sightings.push(Sighting {
                    place: format!(r"SYSTEM\{key}"),
                    found: format!("Start is {start} ({word})"),
                    time: node.and_then(|node| of_filetime(node.node().last_written.get())),
                });
            }
        }
        Ok(sightings)
    }
}

fn word(start: u32) -> Option<&'static str> {
    let index = usize::try_from(start).ok()?;
    STARTS.get(index).copied()
}
