//! The `[[values]]` rows: all values of a key have one form, and others are restored or deleted.

use diskmend_base::utf16;
use diskmend_hive::name::same_name;
use diskmend_hive::{Corruption, Hive, ValueType};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault_words::FaultWords;
use super::written::value_type;
use super::{About, Claim, JudgeValues, KeyPattern, Kind, Shown, Wrong, sentence, wrong};
use crate::facts::Facts;
use crate::finding::{JudgedValue, RowState, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;
use crate::value_data::ValueData;

/// The greatest number of values of a key that are judged. The rules of a firewall are some hundreds.
const MOST_VALUES: usize = 20_000;
/// The greatest length of a value whose text is read, in bytes.
const MOST_BYTES: usize = 64 << 10;
/// The greatest length of the beginning of a text, in bytes.
const MOST_START: usize = 256;

/// Values of a key that all have one form.
#[derive(Clone, Debug)]
pub struct ValuesRow {
    hive: HiveName,
    key: KeyPattern,
    value_type: ValueType,
    /// How each text begins.
    starts_with: Option<String>,
    /// The key that has sound values of the same names, in the same control set.
    restore_from: Option<KeyPattern>,
    /// True if a value of another form is evidence of a fault.
    fault: bool,
    why: String,
}

impl Kind for ValuesRow {
    type Written = ValuesFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: ValuesFile) -> Result<Self, Wrong> {
        written.read()
    }

    fn about(&self) -> About<'_> {
        About::Values(self.hive, self)
    }

    /// The values that it will be about aren't known before the disk is read.
    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            hive: self.hive.file_name(),
            key: self.key.to_string(),
            value_type: self.value_type.to_string(),
            starts_with: self.starts_with.as_deref(),
            restore_from: self.restore_from.as_ref().map(ToString::to_string),
            can_be_fault: self.fault,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        let start = self.starts_with.as_deref();
        let start = start.map_or_else(String::new, |start| {
            format!(" that starts with \"{start}\"")
        });
        let from = match &self.restore_from {
            None => "others are deleted".to_owned(),
            Some(from) => format!("others are restored from {from}, or deleted"),
        };
        Shown {
            place: format!("{}\\{}", self.hive, self.key),
            lines: vec![format!("every value: {}{start}; {from}", self.value_type)],
        }
    }
}

impl JudgeValues for ValuesRow {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let mut judged = Vec::new();
        if !self.key.every_control_set() {
            for key in self.key.resolve_in(&hive.hive, &[])? {
                let from = self.sources(&hive.hive, &[])?;
                self.judge_key(&hive.hive, &key, &from, None, &mut judged)?;
            }
            return Ok(judged);
        }
        for set in &facts.control_sets_in(hive)?.sets {
            let names = [set.name.clone()];
            let from = self.sources(&hive.hive, &names)?;
            for key in self.key.resolve_in(&hive.hive, &names)? {
                self.judge_key(&hive.hive, &key, &from, Some(set.current), &mut judged)?;
            }
        }
        Ok(judged)
    }
}

impl ValuesRow {
    /// The keys from which values are restored.
    fn sources(&self, hive: &Hive, sets: &[String]) -> Result<Vec<String>, Corruption> {
        match &self.restore_from {
            None => Ok(Vec::new()),
            Some(from) => from.resolve_in(hive, sets),
        }
    }

    fn judge_key(
        &self,
        hive: &Hive,
        key: &str,
        from: &[String],
        in_current_set: Option<bool>,
        judged: &mut Vec<JudgedValue>,
    ) -> Result<(), Corruption> {
        let Some(found) = hive.key(key)?.filter(|key| !key.has_predefined_handle()) else {
            return Ok(());
        };
        for value in found.values()?.take(MOST_VALUES) {
            let value = value?;
            let is_of_type = value.data_type() == self.value_type;
            if is_of_type && (self.starts_with.is_none() || value.data_len() > MOST_BYTES) {
                continue;
            }
            let name = value.name().escaped().to_string();
            // The default value is no entry. A name that can't be written can't be looked up.
            let current = match name.as_str() {
                "" => None,
                name => reading::value(hive, key, name)?,
            };
            let Some(current) = current.filter(|current| !self.is_right(current)) else {
                continue;
            };
            let sound = self.sound(hive, from, &name, &current)?;
            judged.push(JudgedValue {
                key: key.to_owned(),
                value: name,
                in_current_set,
                desired: sound.map_or(Wanted::NoValue, Wanted::Data),
                current: Some(current),
                subtree: None,
                bits: None,
                state: if self.fault {
                    RowState::Fault
                } else {
                    RowState::Differs
                },
            });
        }
        Ok(())
    }

    fn is_right(&self, data: &ValueData) -> bool {
        let starts = |start: &String| {
            let text = utf16::decode_to_nul(&data.bytes);
            text.is_some_and(|text| text.starts_with(start.as_str()))
        };
        data.value_type == self.value_type && self.starts_with.as_ref().is_none_or(starts)
    }

    /// What a value of another form should be; `None` if that isn't known.
    fn sound(
        &self,
        hive: &Hive,
        from: &[String],
        name: &str,
        current: &ValueData,
    ) -> Result<Option<ValueData>, Corruption> {
        // Only the type of a text may be wrong.
        let is_text = |of: ValueType| matches!(of, ValueType::SZ | ValueType::EXPAND_SZ);
        let retyped = ValueData {
            value_type: self.value_type,
            bytes: current.bytes.clone(),
        };
        let keeps_text = is_text(current.value_type)
            && is_text(self.value_type)
            && self.starts_with.is_some()
            && current.bytes.len() <= MOST_BYTES;
        if keeps_text && self.is_right(&retyped) {
            return Ok(Some(retyped));
        }
        for key in from {
            let found = reading::short_value(hive, key, name, MOST_BYTES)?;
            if let Some(found) = found.filter(|found| self.is_right(found)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    hive: &'static str,
    key: String,
    #[serde(rename = "type")]
    value_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    starts_with: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restore_from: Option<String>,
    can_be_fault: bool,
    why: &'a str,
}

/// The fields of a `[[values]]` row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValuesFile {
    hive: Spanned<String>,
    key: Spanned<String>,
    #[serde(rename = "type")]
    value_type: Spanned<String>,
    starts_with: Option<Spanned<String>>,
    restore_from: Option<Spanned<String>>,
    fault: Option<Spanned<FaultWords>>,
    why: Spanned<String>,
}

impl ValuesFile {
    fn read(self) -> Result<ValuesRow, Wrong> {
        let hive = HiveName::parse(self.hive.get_ref()).map_err(wrong(&self.hive))?;
        let key = KeyPattern::parse(hive, self.key.get_ref()).map_err(wrong(&self.key))?;
        let name = self.value_type.get_ref();
        let value_type = value_type(name).map_err(wrong(&self.value_type))?;
        if let Some(start) = &self.starts_with {
            let text = start.get_ref();
            if !matches!(value_type, ValueType::SZ | ValueType::EXPAND_SZ) {
                return Err(wrong(start)("only a text starts with something".to_owned()));
            }
            if text.is_empty() || text.len() > MOST_START || text.contains('\0') {
                let message = format!("a beginning of 1 to {MOST_START} bytes is needed");
                return Err(wrong(start)(message));
            }
        }
        let restore_from = match &self.restore_from {
            None => None,
            Some(text) => {
                let from = KeyPattern::parse(hive, text.get_ref()).map_err(wrong(text))?;
                if from.every_control_set() != key.every_control_set() {
                    return Err(wrong(text)(
                        "either both keys are in every control set, or none is".to_owned(),
                    ));
                }
                if from.may_meet(&key) || same_name(text.get_ref(), self.key.get_ref()) {
                    return Err(wrong(text)("name another key".to_owned()));
                }
                Some(from)
            }
        };
        let fault = FaultWords::only(self.fault, "would_change")?;
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        Ok(ValuesRow {
            hive,
            key,
            value_type,
            starts_with: self.starts_with.map(Spanned::into_inner),
            restore_from,
            fault,
            why: self.why.into_inner(),
        })
    }
}
