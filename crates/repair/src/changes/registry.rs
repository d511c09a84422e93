//! Changes of values in the hives of Windows.

use diskmend_hive::Editor;
use diskmend_hive::name::same_name;

use super::hive::{HiveChange, Judged};
use crate::error::{Error, Refusal};
use crate::finding::{
    ChangedValue, Deletion, ElementWords, Finding, Goal, JudgedValue, RowState, Subtree, Wanted,
};
use crate::stop::Stop;

/// The planned changes of a hive of Windows.
pub(crate) type RegistryChange = HiveChange<JudgedValue>;

impl RegistryChange {
    /// Refuses to delete keys with so much in them that a run could not record it.
    pub(super) fn check_deletions(&self) -> Result<(), Error> {
        let subtrees = self.findings.iter().filter_map(|one| one.judged.subtree);
        if subtrees
            .fold(Subtree::default(), Subtree::and)
            .is_too_large()
        {
            return Err(Refusal::DeletesTooMuch {
                path: self.file.path.clone(),
            }
            .into());
        }
        Ok(())
    }
}

impl Judged for JudgedValue {
    fn state(&self) -> RowState {
        self.state
    }

    fn is_changed_for(&self, goal: Goal) -> bool {
        self.desired != Wanted::Anything && self.state.is_changed_for(goal)
    }

    fn is_same(&self, other: &Self) -> bool {
        let whole_key = |judged: &Self| judged.desired == Wanted::NoKey;
        same_name(&self.key, &other.key)
            && same_name(&self.value, &other.value)
            && whole_key(self) == whole_key(other)
    }

    fn change(&self) -> ChangedValue {
        ChangedValue {
            key: self.key.clone(),
            value: self.value.clone(),
            old: self.current.clone(),
            new: self.desired.data().cloned(),
        }
    }

    fn deletion(&self) -> Option<Deletion> {
        self.desired.deletion()
    }

    fn subtree(&self) -> Option<Subtree> {
        self.subtree
    }

    fn words(&self) -> Option<ElementWords> {
        None
    }

    fn make(findings: &[Finding<Self>], editor: &mut Editor, _: &str) -> Result<(), Stop<Error>> {
        for Finding { judged, .. } in findings {
            let Self {
                key,
                value,
                desired,
                ..
            } = judged;
            match desired {
                Wanted::Data(data) => {
                    editor.create_key(key)?;
                    editor.set_value(key, value, data.value_type, &data.bytes)?;
                }
                Wanted::NoValue => {
                    editor.delete_value(key, value)?;
                }
                Wanted::NoKey => {
                    editor.delete_key(key)?;
                }
                Wanted::Anything => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::hive::HiveFile;
    use super::*;
    use crate::place::{HiveId, HiveName};
    use crate::value_data::ValueData;

    fn finding(recipe: &str, key: &str, state: RowState) -> Finding<JudgedValue> {
        Finding {
            recipe: recipe.to_owned(),
            why: String::new(),
            note: None,
            only_looks: false,
            judged: JudgedValue {
                key: key.to_owned(),
                in_current_set: None,
                value: "V".to_owned(),
                desired: ValueData::dword(1).into(),
                current: None,
                subtree: None,
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
            let values = change.findings.into_iter();
            values.map(|finding| finding.judged.key).collect()
        };
        assert_eq!(keys(Goal::Desired), [r"K\A", r"K\C", r"K\D"]);
        assert_eq!(keys(Goal::Faults), [r"K\D"]);
    }
}
