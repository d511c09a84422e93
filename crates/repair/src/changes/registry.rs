//! Changes of values of the hives of Windows.

use diskmend_hive::name::same_name;
use diskmend_hive::{EditError, Editor};
use serde::{Deserialize, Serialize};

use super::hive::HiveFile;
use crate::error::Error;
use crate::finding::{Finding, Goal, RowState};
use crate::progress::Watch;
use crate::session::Prepared;
use crate::site::{Options, Site};
use crate::value_data::ValueData;

/// A value, and what a row says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JudgedValue {
    /// The key below the hive's root.
    pub(crate) key: String,
    /// The value's name; empty for the default value.
    pub(crate) value: String,
    /// Whether the key lies in the control set that `Select\Current` names; absent if it lies in none.
    pub(crate) in_current_set: Option<bool>,
    /// What it should be.
    pub(crate) desired: ValueData,
    /// What it is; absent if it does not exist.
    pub(crate) current: Option<ValueData>,
    /// How the two compare.
    pub(crate) state: RowState,
}

/// A value before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedValue {
    /// The key below the hive's root.
    pub key: String,
    /// The value's name; empty for the default value.
    pub value: String,
    /// What it was; absent where it did not exist.
    pub old: Option<ValueData>,
    /// What it becomes; absent where it is deleted.
    pub new: Option<ValueData>,
}

/// A key that comes or goes as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedKey {
    /// The key below the hive's root.
    pub key: String,
}

/// What is to be done to a hive of Windows.
pub(crate) struct RegistryChange {
    pub(crate) file: HiveFile,
    /// The values that become as desired.
    pub(crate) values: Vec<Finding<JudgedValue>>,
}

impl JudgedValue {
    /// The value before and after it is made as desired.
    pub(crate) fn change(&self) -> ChangedValue {
        ChangedValue {
            key: self.key.clone(),
            value: self.value.clone(),
            old: self.current.clone(),
            new: Some(self.desired.clone()),
        }
    }
}

impl RegistryChange {
    /// Takes the findings that a repair changes. A value that several recipes want is changed once.
    pub(super) fn plan(findings: &[Finding<JudgedValue>], file: HiveFile, goal: Goal) -> Self {
        let mut values: Vec<Finding<JudgedValue>> = Vec::new();
        for finding in findings {
            let judged = &finding.judged;
            let is_same = |known: &Finding<JudgedValue>| {
                same_name(&known.judged.key, &judged.key)
                    && same_name(&known.judged.value, &judged.value)
            };
            if judged.state.is_changed_for(goal) && !values.iter().any(is_same) {
                values.push(finding.clone());
            }
        }
        Self { file, values }
    }

    /// Makes the change in memory, and makes sure that it can be written.
    pub(super) fn prepare(
        &self,
        site: &Site,
        options: &Options,
        watch: &mut Watch<'_>,
    ) -> Result<Option<Prepared>, Error> {
        let edit = |editor: &mut Editor| Ok(self.make(editor)?);
        self.file.prepare(site, options, watch, edit)
    }

    fn make(&self, editor: &mut Editor) -> Result<(), EditError> {
        for finding in &self.values {
            let JudgedValue {
                key,
                value,
                desired,
                ..
            } = &finding.judged;
            editor.create_key(key)?;
            editor.set_value(key, value, desired.value_type, &desired.bytes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::{HiveId, HiveName};

    fn finding(recipe: &str, key: &str, state: RowState) -> Finding<JudgedValue> {
        Finding {
            recipe: recipe.to_owned(),
            why: String::new(),
            judged: JudgedValue {
                key: key.to_owned(),
                in_current_set: None,
                value: "V".to_owned(),
                desired: ValueData::dword(1),
                current: None,
                state,
            },
        }
    }

    #[test]
    fn a_value_is_changed_once_and_auto_changes_faults_only() {
        let findings = [
            finding("a", r"K\A", RowState::Missing),
            finding("b", r"k\a", RowState::Missing),
            finding("a", r"K\B", RowState::Ok),
            finding("a", r"K\C", RowState::Differs),
            finding("a", r"K\D", RowState::Fault),
        ];
        let keys = |goal| -> Vec<_> {
            let file = HiveFile {
                hive: HiveId::Windows(HiveName::System),
                volume: None,
                path: "SYSTEM".to_owned(),
                dirty: false,
                fingerprints: Vec::new(),
            };
            let change = RegistryChange::plan(&findings, file, goal);
            let values = change.values.into_iter();
            values.map(|finding| finding.judged.key).collect()
        };
        assert_eq!(keys(Goal::Desired), [r"K\A", r"K\C", r"K\D"]);
        assert_eq!(keys(Goal::Faults), [r"K\D"]);
    }
}
