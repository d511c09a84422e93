//! The `[[registry]]` rows: wanted values of a hive.

use diskmend_hive::Corruption;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault::FaultFile;
use super::written::{Written, encode, value_name, value_type};
use super::{
    About, Claim, Fault, JudgeValues, KeyPattern, Kind, Shown, Wrong, sentence, wrong, wrong_at,
};
use crate::facts::{ControlSets, Facts};
use crate::finding::{Deletion, JudgedValue, RowState, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;
use crate::value_data::ValueData;

/// A wanted registry value, in every key that the pattern stands for.
#[derive(Clone, Debug)]
pub struct RegistryRow {
    /// The hive.
    pub hive: HiveName,
    /// The key below the hive's root.
    pub key: KeyPattern,
    /// The value's name; empty for the default value.
    pub value: String,
    /// The wanted data, or that there is no such value.
    pub desired: Wanted,
    /// What to do if the value doesn't exist.
    pub if_missing: IfMissing,
    /// Says when the value is evidence of a fault.
    pub fault: Option<Fault>,
    /// One sentence for a person.
    pub why: String,
}

/// What to do with a value that does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IfMissing {
    /// Create it, and its key.
    #[default]
    Create,
    /// Leave it missing, which is as good as the wanted data.
    Leave,
}

impl Kind for RegistryRow {
    type Written = RegistryFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: RegistryFile) -> Result<Self, Wrong> {
        written.read()
    }

    fn about(&self) -> About<'_> {
        About::Values(self.hive, self)
    }

    fn claim(&self) -> Option<Claim<'_>> {
        Some(Claim::Value {
            hive: self.hive,
            key: &self.key,
            value: &self.value,
            desired: &self.desired,
        })
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            hive: self.hive.file_name(),
            key: self.key.to_string(),
            value: &self.value,
            desired: &self.desired,
            deletes: self.desired.deletion(),
            create_if_missing: self.if_missing == IfMissing::Create
                && self.desired.data().is_some(),
            can_be_fault: self.fault.is_some(),
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        let name = match self.value.as_str() {
            "" => "(Default)",
            name => name,
        };
        let missing = match self.if_missing {
            IfMissing::Create => "",
            IfMissing::Leave => " (if it exists)",
        };
        let line = match &self.desired {
            Wanted::Data(data) => format!("{name} = {} {data}{missing}", data.value_type),
            Wanted::NoValue | Wanted::NoKey => format!("{name}: delete"),
        };
        Shown {
            place: format!("{}\\{}", self.hive, self.key),
            lines: vec![line],
        }
    }
}

impl JudgeValues for RegistryRow {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let in_every_set = self.key.every_control_set();
        let sets = if in_every_set {
            Some(facts.control_sets_in(hive)?)
        } else {
            None
        };
        let names = sets.map_or_else(Vec::new, ControlSets::names);
        let judged = self.key.resolve(&names).map(|key| {
            let current = reading::value(&hive.hive, &key, &self.value)?;
            Ok(JudgedValue {
                in_current_set: sets.map(|sets| in_current(sets, &key)),
                state: self.state(hive, &key, current.as_ref())?,
                key,
                value: self.value.clone(),
                desired: self.desired.clone(),
                current,
                subtree: None,
            })
        });
        judged.collect()
    }
}

impl RegistryRow {
    fn state(
        &self,
        hive: &HiveOnDisk,
        key: &str,
        current: Option<&ValueData>,
    ) -> Result<RowState, Corruption> {
        if current == self.desired.data() {
            return Ok(RowState::Ok);
        }
        if let Some(fault) = &self.fault {
            let companion = |name: &str| reading::value(&hive.hive, key, name);
            if fault.holds(current, self.desired.data(), companion)? {
                return Ok(RowState::Fault);
            }
        }
        Ok(match (current, self.if_missing) {
            (None, IfMissing::Leave) => RowState::Ok,
            (None, IfMissing::Create) => RowState::Missing,
            (Some(_), _) => RowState::Differs,
        })
    }
}

fn in_current(sets: &ControlSets, key: &str) -> bool {
    let set = key.split('\\').next();
    sets.sets
        .iter()
        .any(|known| known.current && set == Some(known.name.as_str()))
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    hive: &'static str,
    key: String,
    value: &'a str,
    desired: &'a Wanted,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletes: Option<Deletion>,
    create_if_missing: bool,
    can_be_fault: bool,
    why: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegistryFile {
    hive: Spanned<String>,
    key: Spanned<String>,
    value: Spanned<String>,
    #[serde(rename = "type")]
    value_type: Spanned<String>,
    data: Spanned<Written>,
    if_missing: Option<Spanned<String>>,
    fault: Option<Spanned<FaultFile>>,
    why: Spanned<String>,
}

impl RegistryFile {
    fn read(self) -> Result<RegistryRow, Wrong> {
        let hive = HiveName::ALL
            .into_iter()
            .find(|hive| hive.file_name().eq_ignore_ascii_case(self.hive.get_ref()))
            .ok_or_else(|| {
                let name = self.hive.get_ref();
                wrong(&self.hive)(format!("no hive \"{name}\": expected SYSTEM or SOFTWARE"))
            })?;
        let key = KeyPattern::parse(hive, self.key.get_ref()).map_err(wrong(&self.key))?;
        value_name(self.value.get_ref()).map_err(wrong(&self.value))?;
        let value_type = value_type(self.value_type.get_ref()).map_err(wrong(&self.value_type))?;
        let desired = encode(value_type, self.data.get_ref()).map_err(wrong(&self.data))?;
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        let if_missing = match &self.if_missing {
            None => IfMissing::Create,
            Some(word) => match word.get_ref().as_str() {
                "create" => IfMissing::Create,
                "leave" => IfMissing::Leave,
                other => {
                    return Err(wrong(word)(format!(
                        "\"{other}\" is neither \"create\" nor \"leave\""
                    )));
                }
            },
        };
        let fault = match self.fault {
            None => None,
            Some(fault) => {
                let at = wrong_at(fault.span());
                let fault = fault.into_inner().0.read(value_type)?;
                if fault.equals.contains(&desired) {
                    return Err(at("the desired data cannot be a fault"));
                }
                if fault.missing && if_missing == IfMissing::Leave {
                    return Err(at("a missing value cannot be a fault that is left"));
                }
                Some(fault)
            }
        };
        Ok(RegistryRow {
            hive,
            key,
            value: self.value.into_inner(),
            desired: desired.into(),
            if_missing,
            fault,
            why: self.why.into_inner(),
        })
    }
}
