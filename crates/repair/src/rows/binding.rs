//! The `[[binding]]` rows: parts of the network whose driver is gone are taken out of it.

use diskmend_base::utf16;
use diskmend_hive::{Corruption, Hive};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault_words::FaultWords;
use super::list::is_third_party;
use super::registry_key::subtree;
use super::{About, Claim, JudgeValues, Kind, Shown, Wrong, sentence, wrong};
use crate::facts::{Facts, ServiceStart};
use crate::finding::{JudgedValue, RowState, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;
use crate::value_data::ValueData;

/// The classes of the parts of the network: clients, services with filters, and protocols.
const CLASSES: [&str; 3] = [
    "{4D36E973-E325-11CE-BFC1-08002BE10318}",
    "{4D36E974-E325-11CE-BFC1-08002BE10318}",
    "{4D36E975-E325-11CE-BFC1-08002BE10318}",
];
/// The beginnings of the names that Microsoft gives its own parts. Those of Hyper-V are also on disks
/// without Hyper-V.
const MICROSOFT: [&str; 3] = ["ms_", "vms_", "netvsc_"];
/// A filter without which no adapter works (`FilterRunType`; 2 is an optional one).
const MANDATORY: u32 = 1;
/// What binds a driver to adapters and protocols.
const LINKAGE: [&str; 3] = ["Bind", "Export", "Route"];
/// The only word for the parts that the row is about.
const DRIVER_MISSING: &str = "driver_missing";
/// The greatest number of parts of a class. Windows has some tens.
const MOST_PARTS: usize = 4096;
/// The greatest length of a name, in bytes.
const MOST_BYTES: usize = 1024;

/// Mandatory filters of the network whose driver is missing are removed, and their service is
/// disabled.
#[derive(Clone, Debug)]
pub struct BindingRow {
    /// True if such a filter is evidence of a fault.
    fault: bool,
    why: String,
}

impl Kind for BindingRow {
    type Written = BindingFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: BindingFile) -> Result<Self, Wrong> {
        let BindingFile { drop, fault, why } = written;
        if drop.get_ref() != DRIVER_MISSING {
            let message = format!("no \"{}\": expected \"{DRIVER_MISSING}\"", drop.get_ref());
            return Err(wrong(&drop)(message));
        }
        let fault = FaultWords::only(fault, "would_change")?;
        sentence(why.get_ref()).map_err(wrong(&why))?;
        Ok(Self {
            fault,
            why: why.into_inner(),
        })
    }

    fn about(&self) -> About<'_> {
        About::Values(HiveName::System, self)
    }

    /// The parts aren't known before the disk is read.
    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            drop: DRIVER_MISSING,
            can_be_fault: self.fault,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        Shown {
            place: r"SYSTEM\ControlSet*\Control\Network".to_owned(),
            lines: vec![
                "mandatory filters of other makers whose driver is missing: delete, with what \
                 binds them"
                    .to_owned(),
                "their services: start = disabled (4)".to_owned(),
            ],
        }
    }
}

impl JudgeValues for BindingRow {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let mut judged = Vec::new();
        let state = if self.fault {
            RowState::Fault
        } else {
            RowState::Differs
        };
        for set in &facts.control_sets_in(hive)?.sets {
            let services = format!(r"{}\Services", set.name);
            // Without services, nothing can be said about them.
            if hive.hive.key(&services)?.is_none() {
                continue;
            }
            let mut seen = Vec::new();
            for class in CLASSES {
                let class = format!(r"{}\Control\Network\{class}", set.name);
                let Some(parts) = hive.hive.key(&class)? else {
                    continue;
                };
                for part in parts.subkeys()?.take(MOST_PARTS) {
                    let part = part?;
                    let key = format!(r"{class}\{}", part.name().in_path());
                    let Some(service) = orphan(&hive.hive, facts, &services, &key)? else {
                        continue;
                    };
                    judged.push(JudgedValue {
                        key,
                        value: String::new(),
                        in_current_set: Some(set.current),
                        desired: Wanted::NoKey,
                        current: None,
                        subtree: Some(subtree(part)?),
                        bits: None,
                        state,
                    });
                    let service = service.to_lowercase();
                    if !seen.contains(&service) {
                        let found = (set.current, state);
                        unbind(&hive.hive, &services, &service, found, &mut judged)?;
                        seen.push(service);
                    }
                }
            }
        }
        Ok(judged)
    }
}

/// The service of a mandatory filter of another maker whose driver is missing.
fn orphan(
    hive: &Hive,
    facts: &Facts<'_>,
    services: &str,
    part: &str,
) -> Result<Option<String>, Corruption> {
    let text = |key: &str, name: &str| -> Result<Option<String>, Corruption> {
        let data = reading::short_value(hive, key, name, MOST_BYTES)?;
        Ok(data.and_then(|data| utf16::decode_to_nul(&data.bytes)))
    };
    let about = format!(r"{part}\Ndi");
    if reading::dword(hive, &about, "FilterRunType")? != Some(MANDATORY) {
        return Ok(None);
    }
    let is_microsoft = |name: &str| {
        let starts = |with: &&str| {
            let start = name.get(..with.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(with))
        };
        MICROSOFT.iter().any(starts)
    };
    // What has no name may be Microsoft's.
    if text(part, "ComponentId")?.is_none_or(|name| is_microsoft(&name)) {
        return Ok(None);
    }
    let Some(service) = text(&about, "Service")? else {
        return Ok(None);
    };
    if service.is_empty() || service.contains('\\') {
        return Ok(None);
    }
    let file = if hive.key(&format!(r"{services}\{service}"))?.is_none() {
        Some(format!("{service}.sys"))
    } else {
        let missing = facts.named_files().driver(hive, services, &service)?;
        missing.map(|(path, _)| path)
    };
    let is_foreign = file.is_some_and(|file| is_third_party(facts, &file));
    Ok(is_foreign.then_some(service))
}

/// The service does not start any more, and nothing is bound to it.
fn unbind(
    hive: &Hive,
    services: &str,
    service: &str,
    (current, state): (bool, RowState),
    judged: &mut Vec<JudgedValue>,
) -> Result<(), Corruption> {
    let disabled = ValueData::dword(ServiceStart::Disabled.number());
    let key = format!(r"{services}\{service}");
    let linkage = format!(r"{key}\Linkage");
    let values = [(key, "Start", Wanted::Data(disabled))].into_iter();
    let values = values.chain(LINKAGE.map(|name| (linkage.clone(), name, Wanted::NoValue)));
    for (key, name, desired) in values {
        let found = reading::value(hive, &key, name)?;
        if found.is_some() && found.as_ref() != desired.data() {
            judged.push(JudgedValue {
                key,
                value: name.to_owned(),
                in_current_set: Some(current),
                desired,
                current: found,
                subtree: None,
                bits: None,
                state,
            });
        }
    }
    Ok(())
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    drop: &'static str,
    can_be_fault: bool,
    why: &'a str,
}

/// The fields of a `[[binding]]` row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BindingFile {
    drop: Spanned<String>,
    fault: Option<Spanned<FaultWords>>,
    why: Spanned<String>,
}
