//! Evidence of the kind `route`: a default route that was set by hand and leads nowhere.

use diskmend_hive::Corruption;
use serde::Deserialize;
use toml::Spanned;

use super::registry::starting_sets;
use super::{EvidenceKind, Looked, Sighting};
use crate::error::{Error, chain};
use crate::facts::routes::{self, Networks, SetRoute};
use crate::facts::{Facts, Failure};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::progress::Interrupted;
use crate::written::{Wrong, wrong};

const UNREACHABLE: &str = "unreachable";

/// A route for all addresses has a gateway that is in no interface's network.
#[derive(Clone, Debug)]
pub(crate) struct RouteEvidence;

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteFile {
    is: Spanned<String>,
}

impl EvidenceKind for RouteEvidence {
    type Written = RouteFile;

    fn read(written: RouteFile) -> Result<Self, Wrong> {
        if written.is.get_ref() != UNREACHABLE {
            let message = format!(
                "no \"{}\": expected \"{UNREACHABLE}\"",
                written.is.get_ref()
            );
            return Err(wrong(&written.is)(message));
        }
        Ok(Self)
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let system = match facts.hive(HiveName::System) {
            Ok(system) => system,
            Err(failure) => return Ok(Looked::Unknown(Failure::reason(failure))),
        };
        Ok(match sightings(facts, system) {
            Ok(sightings) => Looked::of(sightings),
            Err(corruption) => Looked::Unknown(chain(&Error::corrupt(system.path())(corruption))),
        })
    }

    fn shown(&self) -> String {
        "a default route that was set by hand leads to a gateway in no interface's network"
            .to_owned()
    }
}

fn sightings(facts: &Facts<'_>, system: &HiveOnDisk) -> Result<Vec<Sighting>, Corruption> {
    let mut sightings = Vec::new();
    for set in starting_sets(facts, system)? {
        let networks = Networks::of_set(&system.hive, &set)?;
        for SetRoute { name, route } in routes::of_set(&system.hive, &set)? {
            let Some(route) = route else { continue };
            if route.is_default() && networks.lack(route.gateway) {
                let found = format!(
                    "{name}: no interface is in the network of {}",
                    route.gateway
                );
                sightings.push(Sighting::new(
                    format!(r"SYSTEM\{}", routes::key(&set)),
                    found,
                ));
            }
        }
    }
    Ok(sightings)
}
