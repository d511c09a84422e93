//! The `[[list]]` rows: lists in the registry that lose the entries that lead nowhere.

mod condition;
mod entries;

use diskmend_hive::name::same_name;
use diskmend_hive::{Corruption, Key};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault_words::FaultWords;
use super::written::value_name;
use super::{About, Claim, JudgeValues, KeyPattern, Kind, Shown, Wrong, sentence, wrong};
use crate::facts::{ControlSets, Facts};
use crate::finding::{JudgedValue, RowState, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;
pub(super) use condition::is_third_party;
use condition::{Condition, ConditionFile};
use entries::{Entries, Separator};

/// The greatest number of names that a row may list.
const MOST_NAMES: usize = 256;

/// A list without some of its entries. The others, their order and their spelling stay.
#[derive(Clone, Debug)]
pub struct ListRow {
    hive: HiveName,
    key: KeyPattern,
    value: String,
    separator: Separator,
    drop: Condition,
    /// Entries that are never dropped.
    keep: Vec<String>,
    /// True if a list that loses its last entry is deleted.
    deletes_empty: bool,
    /// True if an entry that is dropped is evidence of a fault.
    fault: bool,
    why: String,
}

impl Kind for ListRow {
    type Written = ListFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: ListFile) -> Result<Self, Wrong> {
        written.read()
    }

    fn about(&self) -> About<'_> {
        About::Values(self.hive, self)
    }

    fn claim(&self) -> Option<Claim<'_>> {
        Some(Claim::Entries {
            hive: self.hive,
            key: &self.key,
            value: &self.value,
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
            separator: self.separator.word(),
            drop: &self.drop,
            keep: &self.keep,
            deletes_empty: self.deletes_empty,
            can_be_fault: self.fault,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        Shown {
            place: format!("{}\\{}", self.hive, self.key),
            lines: vec![format!("{}: without {}", self.value, self.drop.words())],
        }
    }
}

impl JudgeValues for ListRow {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let sets = match self.hive {
            HiveName::System => Some(facts.control_sets_in(hive)?),
            _ => None,
        };
        let names = sets.map_or_else(Vec::new, ControlSets::names);
        let mut judged = Vec::new();
        let has_list = |key: Option<Key<'_>>| match key {
            Some(key) => Ok(key.value(&self.value)?.is_some()),
            None => Ok(false),
        };
        let keys = self.key.resolve_with(&hive.hive, &names, has_list)?;
        for key in keys {
            let set = key.split('\\').next().unwrap_or_default();
            let known = sets.map(|sets| sets.sets.iter());
            let known = known.and_then(|mut sets| sets.find(|one| same_name(&one.name, set)));
            let services = known.map(|set| format!(r"{}\Services", set.name));
            let in_current_set = known.map(|set| set.current);
            judged.extend(self.judge_list(hive, facts, key, services, in_current_set)?);
        }
        Ok(judged)
    }
}

impl ListRow {
    /// Judges a list; `None` if it doesn't exist or isn't one.
    fn judge_list(
        &self,
        hive: &HiveOnDisk,
        facts: &Facts<'_>,
        key: String,
        services: Option<String>,
        in_current_set: Option<bool>,
    ) -> Result<Option<JudgedValue>, Corruption> {
        let most = entries::MOST_BYTES;
        let current = reading::short_value(&hive.hive, &key, &self.value, most)?;
        let Some(current) = current else {
            return Ok(None);
        };
        let Some(mut entries) = Entries::of(&current, self.separator) else {
            return Ok(None);
        };
        let services = services.as_deref();
        let mut dropped = Vec::new();
        for (number, name) in entries.names() {
            let is_kept = self.keep.iter().any(|kept| same_name(kept, &name));
            if !is_kept && self.drop.holds(&hive.hive, facts, services, &name)? {
                dropped.push(number);
            }
        }
        entries.drop(&dropped);
        let (desired, state) = if dropped.is_empty() {
            (Wanted::Data(current.clone()), RowState::Ok)
        } else {
            let is_deleted = self.deletes_empty && entries.is_empty();
            let desired = if is_deleted {
                Wanted::NoValue
            } else {
                Wanted::Data(entries.data(current.value_type))
            };
            let state = if self.fault {
                RowState::Fault
            } else {
                RowState::Differs
            };
            (desired, state)
        };
        Ok(Some(JudgedValue {
            key,
            value: self.value.clone(),
            in_current_set,
            desired,
            current: Some(current),
            subtree: None,
            bits: None,
            state,
        }))
    }
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    hive: &'static str,
    key: String,
    value: &'a str,
    separator: &'static str,
    drop: &'a Condition,
    keep: &'a [String],
    deletes_empty: bool,
    can_be_fault: bool,
    why: &'a str,
}

/// The fields of a `[[list]]` row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListFile {
    hive: Spanned<String>,
    key: Spanned<String>,
    value: Spanned<String>,
    separator: Spanned<String>,
    drop: Spanned<ConditionFile>,
    #[serde(default)]
    keep: Vec<Spanned<String>>,
    empty: Option<Spanned<String>>,
    fault: Option<Spanned<FaultWords>>,
    why: Spanned<String>,
}

impl ListFile {
    fn read(self) -> Result<ListRow, Wrong> {
        let hive = HiveName::parse(self.hive.get_ref()).map_err(wrong(&self.hive))?;
        let key = KeyPattern::parse(hive, self.key.get_ref()).map_err(wrong(&self.key))?;
        value_name(self.value.get_ref()).map_err(wrong(&self.value))?;
        let word = self.separator.get_ref();
        let separator = Separator::of(word).ok_or_else(|| {
            wrong(&self.separator)(format!("\"{word}\" is neither \"multi_sz\" nor \"comma\""))
        })?;
        let at = self.drop.span();
        let drop = self.drop.into_inner().read(separator, at.clone())?;
        if drop.needs_services() && !(hive == HiveName::System && key.is_in_control_set()) {
            let message = format!(
                "{} looks for services, so the key starts with ControlSet* of SYSTEM",
                drop.words()
            );
            return Err(Wrong { span: at, message });
        }
        let keep = names(self.keep, separator)?;
        if let Condition::Names(dropped) = &drop
            && let Some(both) = keep
                .iter()
                .find(|kept| dropped.iter().any(|one| same_name(one, kept)))
        {
            let message = format!("\"{both}\" is both kept and dropped");
            return Err(Wrong { span: at, message });
        }
        let deletes_empty = match &self.empty {
            None => false,
            Some(word) => match word.get_ref().as_str() {
                "delete" => true,
                "leave" => false,
                other => {
                    let message = format!("\"{other}\" is neither \"delete\" nor \"leave\"");
                    return Err(wrong(word)(message));
                }
            },
        };
        let fault = FaultWords::only(self.fault, "would_change")?;
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        Ok(ListRow {
            hive,
            key,
            value: self.value.into_inner(),
            separator,
            drop,
            keep,
            deletes_empty,
            fault,
            why: self.why.into_inner(),
        })
    }
}

/// Checks that these can be entries of a list.
fn names(written: Vec<Spanned<String>>, separator: Separator) -> Result<Vec<String>, Wrong> {
    let mut names = Vec::new();
    for name in written {
        let text = name.get_ref();
        if text.trim().is_empty() || text.contains(['\0', '\n']) {
            return Err(wrong(&name)(
                "an entry of a list is not empty, and one line".to_owned(),
            ));
        }
        if separator == Separator::Comma && text.contains(',') {
            return Err(wrong(&name)(
                "a comma separates entries: name each".to_owned(),
            ));
        }
        if names.len() == MOST_NAMES {
            return Err(wrong(&name)(format!(
                "a row lists at most {MOST_NAMES} entries"
            )));
        }
        names.push(name.into_inner());
    }
    Ok(names)
}
