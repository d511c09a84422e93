//! Evidence of the kind `service_dependency`: a service depends on one that doesn't exist.

use diskmend_hive::{Corruption, Hive, ValueType};
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
use crate::value_data::Readable;
use crate::written::{KeyPattern, Wrong, wrong};

/// The greatest number of services in one piece of evidence.
const MAX_NAMES: usize = 100;
/// The greatest number of services on which a service depends, and the greatest length of their list.
const MOST_DEPENDENCIES: usize = 100;
const MOST_BYTES: usize = 64 << 10;
/// A Windows has some hundred services and drivers. A hive with fewer than these is a copy of some
/// keys, in which a service that isn't there says nothing.
const LEAST_SERVICES: usize = 40;
/// `Start` of a service that never starts.
const DISABLED: u32 = 4;

/// One of these services depends on a service that doesn't exist.
#[derive(Clone, Debug)]
pub(crate) struct ServiceDependencyEvidence {
    names: Vec<String>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceDependencyFile {
    names: Spanned<Vec<Spanned<String>>>,
}

impl EvidenceKind for ServiceDependencyEvidence {
    type Written = ServiceDependencyFile;

    fn read(written: ServiceDependencyFile) -> Result<Self, Wrong> {
        let names = written.names.get_ref();
        if !(1..=MAX_NAMES).contains(&names.len()) {
            let message = format!("name 1 to {MAX_NAMES} services");
            return Err(wrong(&written.names)(message));
        }
        for name in names {
            let key = format!(r"ControlSet*\Services\{}", name.get_ref());
            KeyPattern::parse(HiveName::System, &key).map_err(wrong(name))?;
        }
        let names = written.names.into_inner().into_iter();
        Ok(Self {
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
        let names = self.names.join(" or ");
        format!("{names} depends on a service that does not exist")
    }
}

impl ServiceDependencyEvidence {
    fn sightings(&self, facts: &Facts<'_>, hive: &HiveOnDisk) -> Result<Vec<Sighting>, Corruption> {
        let mut sightings = Vec::new();
        for set in starting_sets(facts, hive)? {
            let services = format!(r"{set}\Services");
            if !is_whole(&hive.hive, &services)? {
                continue;
            }
            for name in &self.names {
                let key = format!(r"{services}\{name}");
                if reading::dword(&hive.hive, &key, "Start")?.is_none_or(|start| start == DISABLED)
                {
                    continue;
                }
                for missing in missing(&hive.hive, &services, &key)? {
                    let found = format!("DependOnService names {missing}, which does not exist");
                    sightings.push(Sighting::new(format!(r"SYSTEM\{key}"), found));
                }
            }
        }
        Ok(sightings)
    }
}

fn is_whole(hive: &Hive, services: &str) -> Result<bool, Corruption> {
    let Some(key) = hive.key(services)? else {
        return Ok(false);
    };
    let names = key.subkeys()?.take(LEAST_SERVICES);
    Ok(names.count() == LEAST_SERVICES)
}

/// The services of `DependOnService` that have no key. A name after `+` is a group of services.
fn missing(hive: &Hive, services: &str, key: &str) -> Result<Vec<String>, Corruption> {
    let list = reading::short_value(hive, key, "DependOnService", MOST_BYTES)?;
    let list = list.filter(|list| list.value_type == ValueType::MULTI_SZ);
    let Some(Readable::List(names)) = list.and_then(|list| list.readable()) else {
        return Ok(Vec::new());
    };
    let mut missing = Vec::new();
    for name in names.into_iter().take(MOST_DEPENDENCIES) {
        // What is no name of a key leads nowhere else.
        let is_name = !name.is_empty() && !name.contains('\\') && !name.starts_with('+');
        if is_name && hive.key(&format!(r"{services}\{name}"))?.is_none() {
            missing.push(name);
        }
    }
    Ok(missing)
}
