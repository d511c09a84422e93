//! An example of a kind of row: when a service starts. docs/adding-a-row.md says how to add one.
//!
//! It is compiled and tested but isn't in the list of kinds, because a row for the value `Start`
//! can say the same.

use diskmend_hive::Corruption;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{About, Claim, JudgeValues, KeyPattern, Kind, Shown, Wrong, sentence, wrong};
use crate::facts::{Facts, ServiceStart};
use crate::finding::{JudgedValue, RowState, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::value_data::ValueData;

/// The fields of a `[[service]]` row in a recipe.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceFile {
    name: Spanned<String>,
    start: Spanned<u32>,
    why: Spanned<String>,
}

/// The row after reading.
#[derive(Clone, Debug)]
pub(crate) struct ServiceRow {
    name: String,
    key: KeyPattern,
    start: Wanted,
    why: String,
}

/// The row in the JSON of `diskmend recipes`.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    name: &'a str,
    start: &'a Wanted,
    why: &'a str,
}

impl Kind for ServiceRow {
    type Written = ServiceFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: ServiceFile) -> Result<Self, Wrong> {
        let key = format!(r"ControlSet*\Services\{}", written.name.get_ref());
        let key = KeyPattern::parse(HiveName::System, &key).map_err(wrong(&written.name))?;
        sentence(written.why.get_ref()).map_err(wrong(&written.why))?;
        let start = *written.start.get_ref();
        if ServiceStart::of(start).is_none() {
            return Err(wrong(&written.start)(format!(
                "{start} is not within 0 to 4"
            )));
        }
        Ok(Self {
            name: written.name.into_inner(),
            key,
            start: ValueData::dword(start).into(),
            why: written.why.into_inner(),
        })
    }

    fn about(&self) -> About<'_> {
        About::Values(HiveName::System, self)
    }

    fn claim(&self) -> Option<Claim<'_>> {
        Some(Claim::Value {
            hive: HiveName::System,
            key: &self.key,
            value: "Start",
            desired: &self.start,
        })
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            name: &self.name,
            start: &self.start,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        Shown {
            place: format!("Service {}", self.name),
            lines: self
                .start
                .data()
                .map(|start| format!("Start = {start}"))
                .into_iter()
                .collect(),
        }
    }
}

impl JudgeValues for ServiceRow {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let sets = facts.control_sets_in(hive)?;
        // A service that isn't installed mustn't be started. Unlike a row for the value, this
        // creates no key.
        let Ok(services) = facts.services() else {
            // Then nothing is known, and nothing is changed.
            return Ok(Vec::new());
        };
        let installed = services.iter();
        let installed = installed.filter(|service| service.name.eq_ignore_ascii_case(&self.name));
        let judged = installed.map(|service| {
            let key = format!(r"{}\Services\{}", service.control_set, service.name);
            let current = crate::reading::value(&hive.hive, &key, "Start")?;
            let set = sets.sets.iter().find(|set| set.name == service.control_set);
            Ok(JudgedValue {
                key,
                value: "Start".to_owned(),
                in_current_set: set.map(|set| set.current),
                state: match (service.start, &current) {
                    (_, Some(current)) if Some(current) == self.start.data() => RowState::Ok,
                    (Some(ServiceStart::Disabled), _) => RowState::Fault,
                    (_, Some(_)) => RowState::Differs,
                    (_, None) => RowState::Missing,
                },
                desired: self.start.clone(),
                current,
                subtree: None,
            })
        });
        judged.collect()
    }
}
