//! The control sets of a SYSTEM hive, and which of them `Select` names.

use diskmend_hive::{Corruption, Hive};
use serde::Serialize;

use crate::reading;

/// A `ControlSetNNN` key below the root of a SYSTEM hive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ControlSet {
    /// The key's name as stored.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// True if `Select\Current` names it: Windows ran from it last.
    pub current: bool,
}

/// The numbers of control sets in `Select`; each is absent if the value does not exist or is not a
/// `REG_DWORD`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Select {
    /// The set that Windows used last.
    pub current: Option<u32>,
    /// The set from which Windows starts; it then becomes `current`.
    pub default: Option<u32>,
    /// The set that failed to start; 0 for none.
    pub failed: Option<u32>,
    /// The set that was last started successfully.
    pub last_known_good: Option<u32>,
}

/// The control sets of a SYSTEM hive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ControlSets {
    /// The content of `Select`.
    pub select: Select,
    /// Every set that exists, in the order of the hive.
    pub sets: Vec<ControlSet>,
    /// Sets that `Select` names but that do not exist; they are not created.
    pub missing: Vec<MissingSet>,
}

/// A control set that `Select` names but that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingSet {
    /// The value of `Select` that names it.
    pub named_by: &'static str,
    /// The name that it would have.
    pub name: String,
}

/// True if a key below the root is a control set: `ControlSet` and three digits.
pub(crate) fn is_control_set(name: &str) -> bool {
    number(name).is_some()
}

fn number(name: &str) -> Option<u32> {
    const PREFIX: &str = "ControlSet";
    let (prefix, digits) = name.split_at_checked(PREFIX.len())?;
    let three = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if three && prefix.eq_ignore_ascii_case(PREFIX) {
        digits.parse().ok()
    } else {
        None
    }
}

impl ControlSets {
    /// Reads the control sets.
    ///
    /// # Errors
    /// If the root, its subkeys or `Select` are corrupt.
    pub fn read(hive: &Hive) -> Result<Self, Corruption> {
        let dword = |name| reading::dword(hive, "Select", name);
        let select = Select {
            current: dword("Current")?,
            default: dword("Default")?,
            failed: dword("Failed")?,
            last_known_good: dword("LastKnownGood")?,
        };
        let mut sets = Vec::new();
        for key in hive.root()?.subkeys()? {
            let name = key?.name().in_path().to_string();
            if let Some(number) = number(&name) {
                let current = select.current == Some(number);
                sets.push(ControlSet {
                    name,
                    number,
                    current,
                });
            }
        }
        let missing = [
            ("Current", select.current),
            ("Default", select.default),
            ("LastKnownGood", select.last_known_good),
        ]
        .into_iter()
        .filter_map(|(named_by, number)| Some((named_by, number?)))
        // 0 means none, as in Failed.
        .filter(|(_, number)| *number != 0 && sets.iter().all(|set| set.number != *number))
        .map(|(named_by, number)| MissingSet {
            named_by,
            name: format!("ControlSet{number:03}"),
        })
        .collect();
        Ok(Self {
            select,
            sets,
            missing,
        })
    }

    /// The set from which Windows would start next: the one that `Select\Default` names, or else the
    /// one that it ran from last.
    #[must_use]
    pub fn next(&self) -> Option<&ControlSet> {
        let of = |number: Option<u32>| self.sets.iter().find(|set| Some(set.number) == number);
        of(self.select.default).or_else(|| of(self.select.current))
    }

    /// [`next`](Self::next), or the reason why it is unknown, for display.
    pub(crate) fn starting_set(&self) -> Result<&ControlSet, &'static str> {
        self.next()
            .ok_or("Select in SYSTEM names no control set that exists")
    }

    /// True if a key is in the control set that `Select\\Current` names.
    pub(crate) fn is_in_current(&self, key: &str) -> bool {
        let set = key.split('\\').next();
        self.sets
            .iter()
            .any(|known| known.current && set == Some(known.name.as_str()))
    }

    /// The names of all existing sets.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.sets.iter().map(|set| set.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_starts_from_the_default_set_if_it_exists() {
        let sets = |default, current| ControlSets {
            select: Select {
                default,
                current,
                ..Select::default()
            },
            sets: [1, 2]
                .map(|number| ControlSet {
                    name: format!("ControlSet{number:03}"),
                    number,
                    current: current == Some(number),
                })
                .into(),
            missing: Vec::new(),
        };
        for (default, current, next) in [
            (Some(2), Some(1), Some(2)),
            (Some(3), Some(1), Some(1)),
            (None, Some(2), Some(2)),
            (Some(0), None, None),
        ] {
            let sets = sets(default, current);
            assert_eq!(sets.next().map(|set| set.number), next);
        }
    }

    #[test]
    fn only_three_digits_make_a_control_set() {
        assert_eq!(number("ControlSet001"), Some(1));
        assert_eq!(number("CONTROLSET999"), Some(999));
        for other in [
            "ControlSet",
            "ControlSet1",
            "ControlSet0001",
            "ControlSet+01",
            "Select",
            "ControlSetÄ1",
        ] {
            assert_eq!(number(other), None, "{other}");
        }
    }
}
