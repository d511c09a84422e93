//! The `[[registry]]` rows: wanted values of a hive.

mod file;
mod program;

use diskmend_hive::Corruption;
use serde::Serialize;

use super::fault::is_one_of;
use super::{About, Claim, Fault, JudgeValues, KeyPattern, Kind, Shown, Wrong};
use crate::facts::{ControlSets, Facts};
use crate::finding::{Deletion, JudgedValue, RowState, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;
use crate::value_data::ValueData;
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
    /// The wanted data, or that there is no such value, or nothing.
    pub desired: Wanted,
    /// Other data that are right, too: they stay.
    pub accept: Vec<ValueData>,
    /// Programs: a command line that runs one of them is right, whatever its arguments are.
    pub programs: Vec<String>,
    /// What to do if the value doesn't exist.
    pub if_missing: IfMissing,
    /// Says when the value is evidence of a fault.
    pub fault: Option<Fault>,
    /// Says when the value is reported, if the row only looks.
    pub report: Option<Fault>,
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
        (self.desired != Wanted::Anything).then_some(Claim::Value {
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
            accept: &self.accept,
            accept_program: &self.programs,
            only_reports: self.desired == Wanted::Anything,
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
            Wanted::Anything => format!("{name}: only report"),
        };
        Shown {
            place: format!("{}\\{}", self.hive, self.key),
            lines: vec![line + &self.accepted()],
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
        let keys = self.key.resolve_in(&hive.hive, &names)?.into_iter();
        let judged = keys.map(|key| {
            let current = reading::value(&hive.hive, &key, &self.value)?;
            Ok(JudgedValue {
                in_current_set: sets.map(|sets| sets.is_in_current(&key)),
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
        if self.is_right(current) {
            return Ok(RowState::Ok);
        }
        let holds = |condition: &Option<Fault>| match condition {
            Some(condition) => {
                let companion = |name: &str| reading::value(&hive.hive, key, name);
                condition.holds(current, self.desired.data(), companion)
            }
            None => Ok(false),
        };
        if holds(&self.fault)? {
            return Ok(RowState::Fault);
        }
        Ok(match (&self.desired, current) {
            (Wanted::Anything, _) if holds(&self.report)? => RowState::Reported,
            (Wanted::Anything | Wanted::NoValue | Wanted::NoKey, None) => RowState::Ok,
            (Wanted::Anything, Some(_)) => RowState::Ok,
            (Wanted::NoValue | Wanted::NoKey, Some(_)) => RowState::Differs,
            (Wanted::Data(_), Some(_)) => RowState::Differs,
            (Wanted::Data(_), None) => match self.if_missing {
                IfMissing::Leave => RowState::Ok,
                IfMissing::Create => RowState::Missing,
            },
        })
    }

    /// True if the value is as the row wants it, or is accepted as it is.
    fn is_right(&self, current: Option<&ValueData>) -> bool {
        match (current, &self.desired) {
            (None, wanted) => wanted.deletion().is_some(),
            (Some(current), Wanted::Data(wanted)) if current.is_same(wanted) => true,
            (Some(current), _) => {
                is_one_of(current, &self.accept) || program::runs_one_of(current, &self.programs)
            }
        }
    }

    fn accepted(&self) -> String {
        let accepted = self.accept.iter().map(ToString::to_string);
        let programs = self.programs.iter();
        let programs = programs.map(|program| format!("{program} with any arguments"));
        let accepted: Vec<_> = accepted.chain(programs).collect();
        match accepted.as_slice() {
            [] => String::new(),
            accepted => format!(" (accepted: {})", accepted.join(", ")),
        }
    }
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
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    accept: &'a [ValueData],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    accept_program: &'a [String],
    #[serde(skip_serializing_if = "crate::json::is_false")]
    only_reports: bool,
    create_if_missing: bool,
    can_be_fault: bool,
    why: &'a str,
}
