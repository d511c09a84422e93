//! Comparing a hive's values with what recipes want.

use diskmend_hive::name::same_name;
use diskmend_hive::{Corruption, Hive};

use crate::documents::{Change, ChangedValue, Row, RowState};
use crate::facts::ControlSets;
use crate::reading;
use crate::recipe::{HiveName, IfMissing, Recipe, RegistryRow};
use crate::value_data::ValueData;

/// Compares every value of one hive that the recipes name, in every control set.
pub(crate) fn compare(
    hive: &Hive,
    name: HiveName,
    sets: &ControlSets,
    recipes: &[&Recipe],
) -> Result<Vec<Row>, Corruption> {
    let set_names = sets.names();
    let mut rows = Vec::new();
    for recipe in recipes {
        for wanted in recipe.registry.iter().filter(|row| row.hive == name) {
            for key in wanted.key.resolve(&set_names) {
                let current = reading::value(hive, &key, &wanted.value)?;
                rows.push(Row {
                    recipe: recipe.name.clone(),
                    hive: name.to_string(),
                    in_current_set: wanted
                        .key
                        .every_control_set()
                        .then(|| in_current(sets, &key)),
                    state: state(hive, wanted, &key, current.as_ref())?,
                    key,
                    value: wanted.value.clone(),
                    desired: wanted.desired.clone(),
                    current,
                    why: wanted.why.clone(),
                });
            }
        }
    }
    Ok(rows)
}

fn in_current(sets: &ControlSets, key: &str) -> bool {
    let set = key.split('\\').next().unwrap_or_default();
    sets.sets
        .iter()
        .any(|known| known.current && known.name == set)
}

fn state(
    hive: &Hive,
    wanted: &RegistryRow,
    key: &str,
    current: Option<&ValueData>,
) -> Result<RowState, Corruption> {
    if current == Some(&wanted.desired) {
        return Ok(RowState::Ok);
    }
    if let Some(fault) = &wanted.fault {
        let companion = |name: &str| reading::value(hive, key, name);
        if fault.holds(current, &wanted.desired, companion)? {
            return Ok(RowState::Fault);
        }
    }
    Ok(match (current, wanted.if_missing) {
        (None, IfMissing::Leave) => RowState::Ok,
        (None, IfMissing::Create) => RowState::Missing,
        (Some(_), _) => RowState::Differs,
    })
}

/// The changes that the rows call for: all that are not as desired, or only the faults. A value
/// that several recipes want is changed once.
pub(crate) fn changes(rows: &[Row], auto: bool) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for row in rows {
        let wanted = match row.state {
            RowState::Ok => false,
            RowState::Fault => true,
            RowState::Differs | RowState::Missing => !auto,
        };
        let known = changes.iter().any(|change| {
            change.hive == row.hive
                && same_name(&change.value.key, &row.key)
                && same_name(&change.value.value, &row.value)
        });
        if wanted && !known {
            changes.push(Change {
                recipe: row.recipe.clone(),
                hive: row.hive.clone(),
                fault: row.state == RowState::Fault,
                why: row.why.clone(),
                element: None,
                value: ChangedValue {
                    key: row.key.clone(),
                    value: row.value.clone(),
                    old: row.current.clone(),
                    new: Some(row.desired.clone()),
                },
            });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(recipe: &str, key: &str, state: RowState) -> Row {
        Row {
            recipe: recipe.to_owned(),
            hive: "SYSTEM".to_owned(),
            key: key.to_owned(),
            in_current_set: None,
            value: "V".to_owned(),
            desired: ValueData::dword(1),
            current: None,
            state,
            why: String::new(),
        }
    }

    #[test]
    fn a_value_is_changed_once_and_auto_changes_faults_only() {
        let rows = [
            row("a", r"K\A", RowState::Missing),
            row("b", r"k\a", RowState::Missing),
            row("a", r"K\B", RowState::Ok),
            row("a", r"K\C", RowState::Differs),
            row("a", r"K\D", RowState::Fault),
        ];
        let keys = |auto| -> Vec<_> {
            let changes = changes(&rows, auto);
            changes.into_iter().map(|change| change.value.key).collect()
        };
        assert_eq!(keys(false), [r"K\A", r"K\C", r"K\D"]);
        assert_eq!(keys(true), [r"K\D"]);
    }
}
