//! The `[[registry_key]]` rows: keys of a hive that should not exist.

use diskmend_hive::{Corruption, Key};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault::FaultFile;
use super::{About, Claim, JudgeValues, KeyPattern, Kind, Shown, Wrong, sentence, wrong, wrong_at};
use crate::facts::{ControlSets, Facts};
use crate::finding::{Deletion, JudgedValue, RowState, Subtree, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;

/// A key that should not exist, nor anything in it.
#[derive(Clone, Debug)]
pub struct RegistryKeyRow {
    /// The hive.
    pub hive: HiveName,
    /// The key below the hive's root.
    pub key: KeyPattern,
    /// True if the key is evidence of a fault.
    pub is_fault: bool,
    /// One sentence for a person.
    pub why: String,
}

impl Kind for RegistryKeyRow {
    type Written = RegistryKeyFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: RegistryKeyFile) -> Result<Self, Wrong> {
        written.read()
    }

    fn about(&self) -> About<'_> {
        About::Values(self.hive, self)
    }

    fn claim(&self) -> Option<Claim<'_>> {
        Some(Claim::Value {
            hive: self.hive,
            key: &self.key,
            value: "",
            desired: &Wanted::NoKey,
        })
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            hive: self.hive.file_name(),
            key: self.key.to_string(),
            deletes: Deletion::Key,
            can_be_fault: self.is_fault,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        Shown {
            place: format!("{}\\{}", self.hive, self.key),
            lines: vec!["(the whole key): delete".to_owned()],
        }
    }
}

impl JudgeValues for RegistryKeyRow {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let sets = if self.key.every_control_set() {
            Some(facts.control_sets_in(hive)?)
        } else {
            None
        };
        let names = sets.map_or_else(Vec::new, ControlSets::names);
        let keys = self.key.resolve_in(&hive.hive, &names)?.into_iter();
        let judged = keys.map(|key| {
            let subtree = match hive.hive.key(&key)? {
                Some(found) => Some(subtree(found)?),
                None => None,
            };
            Ok(JudgedValue {
                in_current_set: sets.map(|sets| sets.is_in_current(&key)),
                key,
                value: String::new(),
                desired: Wanted::NoKey,
                current: None,
                state: match subtree {
                    None => RowState::Ok,
                    Some(_) if self.is_fault => RowState::Fault,
                    Some(_) => RowState::Differs,
                },
                subtree,
                bits: None,
            })
        });
        judged.collect()
    }
}

/// The content of a key, counted until it is too much to be deleted.
pub(super) fn subtree(key: Key<'_>) -> Result<Subtree, Corruption> {
    let mut content = Subtree::default();
    let mut pending = vec![key];
    while let Some(key) = pending.pop() {
        if content.is_too_large() {
            break;
        }
        for value in key.values()? {
            content.values += 1;
            content.bytes = content.bytes.saturating_add(value?.data_len());
            if content.is_too_large() {
                break;
            }
        }
        for subkey in key.subkeys()? {
            content.subkeys += 1;
            pending.push(subkey?);
            if content.is_too_large() {
                break;
            }
        }
        content.bytes = content
            .bytes
            .saturating_add(key.security_descriptor()?.len());
    }
    Ok(content)
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    hive: &'static str,
    key: String,
    deletes: Deletion,
    can_be_fault: bool,
    why: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegistryKeyFile {
    hive: Spanned<String>,
    key: Spanned<String>,
    delete: Spanned<bool>,
    fault: Option<Spanned<FaultFile>>,
    why: Spanned<String>,
}

impl RegistryKeyFile {
    fn read(self) -> Result<RegistryKeyRow, Wrong> {
        let hive = HiveName::parse(self.hive.get_ref()).map_err(wrong(&self.hive))?;
        let key = KeyPattern::parse(hive, self.key.get_ref()).map_err(wrong(&self.key))?;
        if key.is_root() {
            return Err(wrong(&self.key)(
                "the root of a hive is never deleted".to_owned(),
            ));
        }
        if !*self.delete.get_ref() {
            return Err(wrong(&self.delete)(
                "expected true: a row about a whole key deletes it".to_owned(),
            ));
        }
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        let is_fault = match self.fault {
            None => false,
            Some(fault) => {
                let at = wrong_at(fault.span());
                if !fault.into_inner().0.is_only_exists() {
                    return Err(at(
                        "a key that is deleted can only be a fault because it \"exists\"",
                    ));
                }
                true
            }
        };
        Ok(RegistryKeyRow {
            hive,
            key,
            is_fault,
            why: self.why.into_inner(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::recipe::Recipe;
    use crate::recipe::test_support::refused;

    const GOOD: &str = "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\n\
        sources = ['https://e.org']\n[[registry_key]]\nhive = 'SOFTWARE'\n\
        key = 'Policies\\Own'\ndelete = true\nfault = 'exists'\nwhy = 'w'\n";

    #[test]
    fn mistakes_are_named_with_their_place() {
        let recipe = Recipe::parse("own.toml", GOOD).expect("valid");
        let shown = recipe.shown_rows();
        assert_eq!(shown[0].place, r"SOFTWARE\Policies\Own");
        assert_eq!(shown[0].lines, ["(the whole key): delete"]);
        for (from, to, place, say) in [
            ("'Policies\\Own'", "'\\'", "8:7", "never deleted"),
            ("'SOFTWARE'", "'HARDWARE'", "7:8", "no hive"),
            ("'Policies\\Own'", "''", "8:7", "empty component"),
            ("delete = true", "delete = false", "9:10", "expected true"),
            ("delete = true\n", "", "6:1", "delete"),
            ("'exists'", "'missing'", "10:9", "\"exists\""),
            ("'exists'", "{ equals = [1] }", "10:9", "\"exists\""),
            (
                "'exists'",
                "{ exists = true, missing = true }",
                "10:9",
                "\"exists\"",
            ),
            ("why = 'w'", "why = ' '", "11:7", "say something"),
            ("why = 'w'", "why = 'w'\nvalue = 'V'", "12:1", "value"),
        ] {
            refused(GOOD, (from, to), place, say);
        }
    }
}
