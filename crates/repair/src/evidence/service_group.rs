//! Evidence of the kind `service_group`: a service is not in the list of the process that should run
//! it. `svchost.exe -k GROUP` runs the services that the value GROUP of `Svchost` in SOFTWARE lists.

use diskmend_hive::Corruption;
use serde::Deserialize;
use toml::Spanned;

use super::registry::starting_sets;
use super::{EvidenceKind, Looked, Sighting};
use crate::error::{Error, chain};
use crate::facts::{Facts, Failure, Service, ServiceStart};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::progress::Interrupted;
use crate::reading;
use crate::value_data::Readable;
use crate::written::{Wrong, wrong};

/// The greatest number of services in one piece of evidence.
const MAX_NAMES: usize = 100;
/// The key with the lists.
const GROUPS: &str = r"Microsoft\Windows NT\CurrentVersion\Svchost";

/// One of these services is not in the list of its process.
#[derive(Clone, Debug)]
pub(crate) struct ServiceGroupEvidence {
    names: Vec<String>,
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceGroupFile {
    names: Spanned<Vec<String>>,
}

impl EvidenceKind for ServiceGroupEvidence {
    type Written = ServiceGroupFile;

    fn read(written: ServiceGroupFile) -> Result<Self, Wrong> {
        let count = written.names.get_ref().len();
        if !(1..=MAX_NAMES).contains(&count) {
            let message = format!("name 1 to {MAX_NAMES} services");
            return Err(wrong(&written.names)(message));
        }
        Ok(Self {
            names: written.names.into_inner(),
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let services = match facts.services() {
            Ok(services) => services,
            Err(reason) => return Ok(Looked::Unknown(reason)),
        };
        let opened = facts
            .hive(HiveName::System)
            .and_then(|system| Ok((system, facts.hive(HiveName::Software)?)));
        let (system, software) = match opened {
            Ok(hives) => hives,
            Err(failure) => return Ok(Looked::Unknown(Failure::reason(failure))),
        };
        let sets = match starting_sets(facts, system) {
            Ok(sets) => sets,
            Err(source) => {
                return Ok(Looked::Unknown(chain(&Error::corrupt(system.path())(
                    source,
                ))));
            }
        };
        let wanted = services.iter().filter(|service| {
            let is_named = |name: &String| name.eq_ignore_ascii_case(&service.name);
            sets.contains(&service.control_set)
                && service.start != Some(ServiceStart::Disabled)
                && self.names.iter().any(is_named)
        });
        Ok(match absent(software, wanted) {
            Ok(sightings) => Looked::of(sightings),
            Err(source) => Looked::Unknown(chain(&Error::corrupt(software.path())(source))),
        })
    }

    fn shown(&self) -> String {
        let names = self.names.join(" or ");
        format!("{names} is not in the list of the svchost process that should run it")
    }
}

/// The services that are not in their lists. Without any lists, nothing can be said.
fn absent<'s>(
    software: &HiveOnDisk,
    services: impl Iterator<Item = &'s Service>,
) -> Result<Vec<Sighting>, Corruption> {
    let mut sightings = Vec::new();
    if software.hive.key(GROUPS)?.is_none() {
        return Ok(sightings);
    }
    for service in services {
        let Some(group) = service.image_path.as_deref().and_then(group) else {
            continue;
        };
        let is_in = match reading::value(&software.hive, GROUPS, group)? {
            None => false,
            Some(list) => match list.readable() {
                Some(Readable::List(names)) => names
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(&service.name)),
                // What it lists is not known.
                _ => continue,
            },
        };
        if !is_in {
            let place = format!(r"SOFTWARE\{GROUPS}");
            let found = format!("{group} does not list {}", service.name);
            sightings.push(Sighting::new(place, found));
        }
    }
    Ok(sightings)
}

/// The word after `-k` in the command line of a service that `svchost.exe` runs.
fn group(command: &str) -> Option<&str> {
    let mut words = command.split_ascii_whitespace();
    let program = words.next()?.trim_matches('"').to_ascii_lowercase();
    let is_host = program.ends_with(r"\svchost.exe") || program == "svchost.exe";
    let mut words = words.skip_while(|word| !word.eq_ignore_ascii_case("-k"));
    words.nth(1).filter(|_| is_host)
}

#[cfg(test)]
mod tests {
    use super::group;

    #[test]
    fn the_group_is_the_word_after_k() {
        for (command, expected) in [
            (
                r"%SystemRoot%\System32\svchost.exe -k NetworkService -p",
                Some("NetworkService"),
            ),
            (
                r#""C:\Windows\system32\SvcHost.exe" -p -K netsvcs"#,
                Some("netsvcs"),
            ),
            (r"%SystemRoot%\System32\svchost.exe", None),
            (r"%SystemRoot%\System32\svchost.exe -k", None),
            (r"C:\Vendor\notsvchost.exe -k netsvcs", None),
            (r"%SystemRoot%\system32\lsass.exe", None),
            ("", None),
        ] {
            assert_eq!(group(command), expected, "{command}");
        }
    }
}
