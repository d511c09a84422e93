//! Changes of values in the hives of Windows.

use diskmend_hive::name::same_name;
use diskmend_hive::{EditError, Editor};

use super::hive::HiveFile;
use crate::error::Error;
use crate::finding::{Finding, Goal, JudgedValue};
use crate::progress::Watch;
use crate::session::Prepared;
use crate::site::{Options, Site};

/// The planned changes of a hive of Windows.
pub(crate) struct RegistryChange {
    pub(crate) file: HiveFile,
    /// The values that get their desired data.
    pub(crate) values: Vec<Finding<JudgedValue>>,
}

impl RegistryChange {
    /// Takes the findings that a repair changes. If several recipes set a value, it is changed
    /// once.
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

    /// Makes the change in memory and checks that it can be written.
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
    use crate::finding::RowState;
    use crate::place::{HiveId, HiveName};
    use crate::value_data::ValueData;

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
