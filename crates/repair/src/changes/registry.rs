//! Changes of values and keys in the hives of Windows.

use diskmend_hive::Editor;
use diskmend_hive::name::same_name;

use super::hive::{HiveChange, Judged};
use crate::error::{Error, Refusal};
use crate::finding::{
    ChangedValue, Deletion, ElementWords, Finding, Goal, JudgedValue, KeyCopy, KeyPermissions,
    RowState, Subtree, Wanted,
};
use crate::stop::Stop;

/// The planned changes of a hive of Windows.
pub(crate) type RegistryChange = HiveChange<JudgedValue>;

impl RegistryChange {
    /// Refuses to delete or to copy keys with so much in them that a run could not record it.
    pub(super) fn check_keys(&self) -> Result<(), Error> {
        let judged = || self.findings.iter().map(|one| &one.judged);
        let deleted = judged().filter_map(|judged| judged.subtree);
        let copied = judged().filter_map(|judged| judged.desired.copy().map(|copy| copy.content));
        if deleted
            .chain(copied)
            .fold(Subtree::default(), Subtree::and)
            .is_too_large()
        {
            return Err(Refusal::TooMuchInKeys {
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
        let is_settable = match &self.desired {
            Wanted::Anything => false,
            Wanted::Permissions(permissions) => permissions.after.is_some(),
            Wanted::Data(_) | Wanted::NoValue | Wanted::NoKey | Wanted::CopyOf(_) => true,
        };
        is_settable && self.state.is_changed_for(goal)
    }

    fn is_same(&self, other: &Self) -> bool {
        // A row about a whole key or its permissions is not about the default value.
        let about = |judged: &Self| {
            let is_of_key = matches!(judged.desired, Wanted::NoKey | Wanted::CopyOf(_));
            (is_of_key, judged.desired.permissions().is_some())
        };
        same_name(&self.key, &other.key)
            && same_name(&self.value, &other.value)
            && about(self) == about(other)
    }

    /// Other bits of the same value change with the first ones.
    fn add(&mut self, other: &Self) {
        if let (Some(_), Some(bits), Wanted::Data(data)) = (self.bits, other.bits, &self.desired)
            && let Some(data) = bits.in_data(data)
        {
            self.desired = Wanted::Data(data);
        }
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

    fn copy(&self) -> Option<&KeyCopy> {
        self.desired.copy()
    }

    fn permissions(&self) -> Option<&KeyPermissions> {
        self.desired.permissions()
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
                Wanted::CopyOf(copy) => {
                    editor.copy_key(&copy.from, key)?;
                }
                Wanted::Permissions(permissions) => {
                    // Another recipe may have deleted the key.
                    let wanted = permissions.after.as_ref();
                    if let Some(wanted) = wanted
                        && editor.key(key)?.is_some()
                    {
                        editor.set_descriptor(key, wanted)?;
                    }
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
    use crate::value_data::{Bits, ValueData};

    fn system() -> HiveFile {
        HiveFile {
            hive: HiveId::Windows(HiveName::System),
            volume: None,
            path: "SYSTEM".to_owned(),
            dirty: false,
            fingerprints: Vec::new(),
            is_new: false,
        }
    }

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
                bits: None,
                state,
            },
        }
    }

    #[test]
    fn bits_of_several_rows_change_in_one_value() {
        let bits = |recipe, state, set, clear| {
            let mut finding = finding(recipe, r"K\A", state);
            let (bits, current) = (Bits { set, clear }, ValueData::dword(0x84));
            finding.judged.desired = bits.in_data(&current).expect("a number").into();
            finding.judged.current = Some(current);
            finding.judged.bits = Some(bits);
            finding
        };
        let findings = [
            bits("a", RowState::Fault, 0, 0x80),
            bits("b", RowState::Differs, 0x1, 0),
            bits("c", RowState::Fault, 0x2, 0x4),
        ];
        for (goal, new) in [(Goal::Desired, 0x3), (Goal::Faults, 0x2)] {
            let change = RegistryChange::plan(&findings, system(), goal);
            let [one] = change.findings.as_slice() else {
                panic!("one change");
            };
            assert_eq!(one.judged.change().new, Some(ValueData::dword(new)));
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
            let change = RegistryChange::plan(&findings, system(), goal);
            let values = change.findings.into_iter();
            values.map(|finding| finding.judged.key).collect()
        };
        assert_eq!(keys(Goal::Desired), [r"K\A", r"K\C", r"K\D"]);
        assert_eq!(keys(Goal::Faults), [r"K\D"]);
    }
}
