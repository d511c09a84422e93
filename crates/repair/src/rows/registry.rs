//! The `[[registry]]` rows: wanted values of a hive.

mod file;
mod program;

use diskmend_hive::{Corruption, ValueType};
use serde::Serialize;

use super::fault::companion_holds;
use super::written::{Companion, Expected, is_one_of};
use super::{About, Claim, Fault, JudgeValues, KeyPattern, Kind, Shown, Wrong};
use crate::facts::{Around, ControlSets, Facts};
use crate::finding::{Deletion, JudgedValue, RowState, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;
use crate::value_data::{Bits, ValueData};
use file::RegistryFile;

/// A wanted registry value, in every key that the pattern stands for.
#[derive(Clone, Debug)]
pub struct RegistryRow {
    /// The hive.
    pub hive: HiveName,
    /// The key below the hive's root.
    pub key: KeyPattern,
    /// The value's name; empty for the default value.
    pub value: String,
    /// What the row wants of the value.
    pub aim: Aim,
    /// Other data that are right, too: they stay.
    pub accept: Vec<Expected>,
    /// Programs: a command line that runs one of them is right, whatever its arguments are.
    pub programs: Vec<String>,
    /// What to do if the value doesn't exist.
    pub if_missing: IfMissing,
    /// What another value of the key must have; the row isn't about other keys.
    pub only_if: Option<Box<Companion>>,
    /// A service: the row is only about control sets that have it.
    pub if_service: Option<String>,
    /// Says when the value is evidence of a fault.
    pub fault: Option<Box<Fault>>,
    /// Says when the value is reported, if the row only looks.
    pub report: Option<Box<Fault>>,
    /// One sentence for a person.
    pub why: String,
}

/// What a row wants of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The whole value: its data, that there is none, or nothing.
    Value(Wanted),
    /// Some bits of a value of this type. A value that doesn't exist stays missing, and one of
    /// another type stays as it is.
    Bits(ValueType, Bits),
}

impl Aim {
    /// The wanted data, if they don't depend on what is found.
    #[must_use]
    pub fn data(&self) -> Option<&ValueData> {
        match self {
            Self::Value(wanted) => wanted.data(),
            Self::Bits(..) => None,
        }
    }

    /// True if the value is deleted.
    #[must_use]
    pub fn deletes(&self) -> bool {
        self.deletion().is_some()
    }

    fn deletion(&self) -> Option<Deletion> {
        match self {
            Self::Value(wanted) => wanted.deletion(),
            Self::Bits(..) => None,
        }
    }

    fn bits(&self) -> Option<Bits> {
        match self {
            Self::Value(_) => None,
            Self::Bits(_, bits) => Some(*bits),
        }
    }

    /// What the row wants of the value that was found.
    fn wanted(&self, current: Option<&ValueData>) -> Wanted {
        match self {
            Self::Value(wanted) => wanted.clone(),
            Self::Bits(value_type, bits) => current
                .filter(|current| current.value_type == *value_type)
                .and_then(|current| bits.in_data(current))
                .map_or(Wanted::Anything, Wanted::Data),
        }
    }
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
        match &self.aim {
            Aim::Value(Wanted::Anything) => None,
            Aim::Value(desired) => Some(Claim::Value {
                hive: self.hive,
                key: &self.key,
                value: &self.value,
                desired,
            }),
            Aim::Bits(_, bits) => Some(Claim::Bits {
                hive: self.hive,
                key: &self.key,
                value: &self.value,
                bits: *bits,
            }),
        }
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            hive: self.hive.file_name(),
            key: self.key.to_string(),
            value: &self.value,
            desired: self.aim.data(),
            bits: self.aim.bits(),
            deletes: self.aim.deletion(),
            accept: &self.accept,
            accept_program: &self.programs,
            only_reports: self.aim == Aim::Value(Wanted::Anything),
            create_if_missing: self.if_missing == IfMissing::Create && self.aim.data().is_some(),
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
        let line = match &self.aim {
            Aim::Value(Wanted::Data(data)) => {
                format!("{name} = {} {data}{missing}", data.value_type)
            }
            Aim::Value(Wanted::NoValue | Wanted::NoKey) => format!("{name}: delete"),
            Aim::Value(Wanted::Anything | Wanted::CopyOf(_) | Wanted::Permissions(_)) => {
                format!("{name}: only report")
            }
            Aim::Bits(value_type, bits) => format!("{name} = {value_type} with {bits}{missing}"),
        };
        Shown {
            place: format!("{}\\{}", self.hive, self.key),
            lines: vec![line + &self.accepted() + &self.only_in()],
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
        let mut judged = Vec::new();
        for key in self.key.resolve_in(&hive.hive, &names)? {
            let around = Around {
                hive,
                facts,
                key: &key,
            };
            if !self.is_about(&around)? {
                continue;
            }
            let current = reading::value(&hive.hive, &key, &self.value)?;
            let desired = self.aim.wanted(current.as_ref());
            judged.push(JudgedValue {
                in_current_set: sets.map(|sets| sets.is_in_current(&key)),
                state: self.state(&around, current.as_ref(), &desired)?,
                key,
                value: self.value.clone(),
                desired,
                bits: self.aim.bits(),
                current,
                subtree: None,
            });
        }
        Ok(judged)
    }
}

impl RegistryRow {
    /// True if the row is about this key.
    fn is_about(&self, around: &Around<'_, '_>) -> Result<bool, Corruption> {
        if let Some(service) = &self.if_service {
            let set = around.key.split('\\').next().unwrap_or(around.key);
            let service = format!(r"{set}\Services\{service}");
            if around.hive.hive.key(&service)?.is_none() {
                return Ok(false);
            }
        }
        let Some(only_if) = &self.only_if else {
            return Ok(true);
        };
        let found = around.value(&only_if.value)?;
        Ok(found.is_some_and(|found| companion_holds(only_if, &found, around)))
    }

    fn state(
        &self,
        around: &Around<'_, '_>,
        current: Option<&ValueData>,
        desired: &Wanted,
    ) -> Result<RowState, Corruption> {
        let is_wanted = match (current, desired) {
            (None, wanted) => wanted.deletion().is_some(),
            (Some(current), Wanted::Data(wanted)) => current.is_same(wanted),
            (Some(_), _) => false,
        };
        // Data in which there are no such bits are not what the row is about.
        let is_other = self.aim.bits().is_some() && *desired == Wanted::Anything;
        let is_accepted = current.is_some_and(|current| {
            is_one_of(current, &self.accept) || program::runs_one_of(current, &self.programs)
        });
        if is_wanted || is_other || is_accepted {
            return Ok(RowState::Ok);
        }
        let holds = |condition: &Option<Box<Fault>>| match condition {
            Some(condition) => condition.holds(current, is_wanted, around),
            None => Ok(false),
        };
        if holds(&self.fault)? {
            return Ok(RowState::Fault);
        }
        Ok(match (desired, current) {
            (Wanted::Anything, _) if holds(&self.report)? => RowState::Reported,
            (Wanted::Anything | Wanted::NoValue | Wanted::NoKey, None) => RowState::Ok,
            (Wanted::Anything, Some(_)) | (Wanted::CopyOf(_) | Wanted::Permissions(_), _) => {
                RowState::Ok
            }
            (Wanted::NoValue | Wanted::NoKey, Some(_)) => RowState::Differs,
            (Wanted::Data(_), Some(_)) => RowState::Differs,
            (Wanted::Data(_), None) => match self.if_missing {
                IfMissing::Leave => RowState::Ok,
                IfMissing::Create => RowState::Missing,
            },
        })
    }

    fn accepted(&self) -> String {
        let accepted = self.accept.iter().map(ToString::to_string);
        let programs = self.programs.iter();
        let programs = programs.map(|program| format!("{program} with any arguments"));
        listed(" (accepted: ", accepted.chain(programs))
    }

    fn only_in(&self) -> String {
        let other = self.only_if.as_ref().map_or_else(String::new, |only_if| {
            listed(
                &format!(" (only if {} is one of: ", only_if.value),
                only_if.equals.iter().map(ToString::to_string),
            )
        });
        let service = self.if_service.as_ref();
        let service = service.map_or_else(String::new, |service| {
            format!(" (only with the service {service})")
        });
        other + &service
    }
}

fn listed(before: &str, list: impl Iterator<Item = String>) -> String {
    let list: Vec<_> = list.collect();
    match list.as_slice() {
        [] => String::new(),
        list => format!("{before}{})", list.join(", ")),
    }
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    hive: &'static str,
    key: String,
    value: &'a str,
    desired: Option<&'a ValueData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<Bits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletes: Option<Deletion>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    accept: &'a [Expected],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    accept_program: &'a [String],
    #[serde(skip_serializing_if = "crate::json::is_false")]
    only_reports: bool,
    create_if_missing: bool,
    can_be_fault: bool,
    why: &'a str,
}
