//! The `[[registry_key]]` rows: keys of a hive that should not exist, or should be copies of others.

use diskmend_hive::{Corruption, Key};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault::FaultFile;
use super::{About, Claim, JudgeValues, KeyPattern, Kind, Shown, Wrong, sentence, wrong, wrong_at};
use crate::facts::{ControlSets, Facts};
use crate::finding::{Deletion, JudgedValue, KeyCopy, RowState, Subtree, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;

/// A key that should not exist, nor anything in it; or one that should exist as a copy of another.
#[derive(Clone, Debug)]
pub struct RegistryKeyRow {
    /// The hive.
    pub hive: HiveName,
    /// The key below the hive's root.
    pub key: KeyPattern,
    /// The key that is copied if this one doesn't exist; absent if this one is deleted.
    pub copy_of: Option<KeyPattern>,
    /// What the row wants, in the words of the recipe.
    desired: Wanted,
    /// True if the key, or the lack of the copy, is evidence of a fault.
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
            deletes: self.desired.deletion(),
            copy_of: self.copy_of.as_ref().map(ToString::to_string),
            can_be_fault: self.is_fault,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        Shown {
            place: format!("{}\\{}", self.hive, self.key),
            lines: vec![match &self.copy_of {
                None => "(the whole key): delete".to_owned(),
                Some(from) => format!("(the whole key): copy {from}, if it is missing"),
            }],
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
        let hive = &hive.hive;
        let keys = self.key.resolve_in(hive, &names)?;
        // Each key has its source in the same control set.
        let sources = match &self.copy_of {
            None => vec![None; keys.len()],
            Some(from) => from
                .resolve_in(hive, &names)?
                .into_iter()
                .map(Some)
                .collect(),
        };
        let judged = keys.into_iter().zip(sources).map(|(key, source)| {
            let in_current_set = sets.map(|sets| sets.is_in_current(&key));
            let (desired, subtree, is_right) = match source {
                None => {
                    let found = hive.key(&key)?.map(subtree).transpose()?;
                    (Wanted::NoKey, found, found.is_none())
                }
                Some(from) => {
                    let source = hive.key(&from)?.filter(|key| !key.has_predefined_handle());
                    let content = source.map(subtree).transpose()?;
                    let is_right = content.is_none() || hive.key(&key)?.is_some();
                    let content = content.unwrap_or(Subtree::NOTHING);
                    (Wanted::CopyOf(KeyCopy { from, content }), None, is_right)
                }
            };
            let state = match (&desired, is_right) {
                (_, true) => RowState::Ok,
                (_, false) if self.is_fault => RowState::Fault,
                (Wanted::CopyOf(_), false) => RowState::Missing,
                (_, false) => RowState::Differs,
            };
            Ok(JudgedValue {
                in_current_set,
                key,
                value: String::new(),
                desired,
                current: None,
                state,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    deletes: Option<Deletion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy_of: Option<String>,
    can_be_fault: bool,
    why: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegistryKeyFile {
    hive: Spanned<String>,
    key: Spanned<String>,
    delete: Option<Spanned<bool>>,
    copy_of: Option<Spanned<String>>,
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
        let copy_of = match (&self.delete, &self.copy_of) {
            (Some(delete), None) if !*delete.get_ref() => {
                return Err(wrong(delete)(
                    "expected true: without copy_of, a row about a whole key deletes it".to_owned(),
                ));
            }
            (Some(_), None) => None,
            (None, Some(from)) => Some(source(hive, &key, from)?),
            (Some(_), Some(from)) => {
                return Err(wrong(from)(
                    "a key is either deleted or copied: leave out delete or copy_of".to_owned(),
                ));
            }
            (None, None) => {
                return Err(wrong(&self.key)(
                    "say what happens to the key: delete = true, or copy_of another key".to_owned(),
                ));
            }
        };
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        let is_fault = match self.fault {
            None => false,
            Some(fault) => {
                let at = wrong_at(fault.span());
                let fault = fault.into_inner().0;
                if copy_of.is_none() && !fault.is_only_exists() {
                    return Err(at(
                        "a key that is deleted can only be a fault because it \"exists\"",
                    ));
                }
                if copy_of.is_some() && !fault.is_only_missing() {
                    return Err(at(
                        "a key that is copied can only be a fault because it is \"missing\"",
                    ));
                }
                true
            }
        };
        let desired = match &copy_of {
            None => Wanted::NoKey,
            Some(from) => Wanted::CopyOf(KeyCopy {
                from: from.to_string(),
                content: Subtree::NOTHING,
            }),
        };
        Ok(RegistryKeyRow {
            hive,
            key,
            copy_of,
            desired,
            is_fault,
            why: self.why.into_inner(),
        })
    }
}

/// The key that is copied to another one.
fn source(hive: HiveName, to: &KeyPattern, from: &Spanned<String>) -> Result<KeyPattern, Wrong> {
    let source = KeyPattern::parse(hive, from.get_ref()).map_err(wrong(from))?;
    let message = if source.is_root() {
        "the root of a hive is never copied"
    } else if !source.is_exact() || !to.is_exact() {
        "neither the key nor the one that is copied can have {*} in it"
    } else if source.every_control_set() != to.every_control_set() {
        "either both keys are in every control set, or none is"
    } else if source.may_be_at_or_below(to) || to.may_be_at_or_below(&source) {
        "name a key that is neither above nor below the other one"
    } else {
        return Ok(source);
    };
    Err(wrong(from)(message.to_owned()))
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
            ("delete = true\n", "", "8:7", "say what happens"),
            (
                "'exists'",
                "{ exists = true, program_missing = true }",
                "10:9",
                "\"exists\"",
            ),
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
    const COPY: &str = "schema = 1\nname = 'own'\ntitle = 't'\nsummary = 's'\n\
        sources = ['https://e.org']\n[[registry_key]]\nhive = 'SYSTEM'\n\
        key = 'ControlSet*\\A\\New'\ncopy_of = 'ControlSet*\\A\\Old'\nfault = 'missing'\nwhy = 'w'\n";

    #[test]
    fn mistakes_about_copies_are_named_with_their_place() {
        let recipe = Recipe::parse("own.toml", COPY).expect("valid");
        let shown = recipe.shown_rows();
        assert_eq!(shown[0].place, r"SYSTEM\ControlSet*\A\New");
        let line = r"(the whole key): copy ControlSet*\A\Old, if it is missing";
        assert_eq!(shown[0].lines, [line]);
        let old = r"'ControlSet*\A\Old'";
        for (from, to, place, say) in [
            (old, "''", "9:11", "empty component"),
            (old, r"'\'", "9:11", "never copied"),
            (old, r"'ControlSet*\A\{*}'", "9:11", "{*}"),
            (r"A\New", r"{*}\New", "9:11", "{*}"),
            (old, r"'ControlSet001\A\Old'", "9:11", "every control set"),
            (old, r"'ControlSet*\A'", "9:11", "neither above nor below"),
            (
                old,
                r"'ControlSet*\a\new\Old'",
                "9:11",
                "neither above nor below",
            ),
            (
                old,
                r"'ControlSet*\a\NEW'",
                "9:11",
                "neither above nor below",
            ),
            (
                "fault =",
                "delete = true\nfault =",
                "9:11",
                "either deleted or copied",
            ),
            ("'missing'", "'exists'", "10:9", "\"missing\""),
            (
                "'missing'",
                "{ missing = true, different = true }",
                "10:9",
                "\"missing\"",
            ),
        ] {
            refused(COPY, (from, to), place, say);
        }
    }
}
