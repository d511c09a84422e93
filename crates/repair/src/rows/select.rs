//! The `[[select]]` rows: the control set from which Windows starts.

use diskmend_hive::{Corruption, Hive};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{About, Claim, JudgeValues, Kind, Shown, Wrong, sentence, wrong};
use crate::facts::{ControlSets, Facts, Select};
use crate::finding::{JudgedValue, RowState};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;
use crate::value_data::ValueData;

const LAST_KNOWN_GOOD: &str = "last-known-good";
/// The keys without which no control set starts Windows.
const NEEDED: [&str; 2] = ["Control", "Services"];

/// The control set that Windows started from successfully becomes the one that it starts from. If
/// there is none, or if it is that one already, the row changes nothing.
#[derive(Clone, Debug)]
pub struct SelectRow {
    why: String,
}

impl Kind for SelectRow {
    type Written = SelectFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: SelectFile) -> Result<Self, Wrong> {
        let SelectFile { set, why } = written;
        if set.get_ref() != LAST_KNOWN_GOOD {
            return Err(wrong(&set)(format!(
                "no control set \"{}\": expected \"{LAST_KNOWN_GOOD}\"",
                set.get_ref()
            )));
        }
        sentence(why.get_ref()).map_err(wrong(&why))?;
        Ok(Self {
            why: why.into_inner(),
        })
    }

    fn about(&self) -> About<'_> {
        About::Values(HiveName::System, self)
    }

    /// The numbers aren't known before the disk is read.
    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            set: LAST_KNOWN_GOOD,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        Shown {
            place: r"SYSTEM\Select".to_owned(),
            lines: vec![
                "Default and Current = LastKnownGood, if that set exists and is another one"
                    .to_owned(),
                "Failed = the old Default".to_owned(),
            ],
        }
    }
}

impl JudgeValues for SelectRow {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let sets = facts.control_sets_in(hive)?;
        let Some((good, old)) = choice(&hive.hive, sets)? else {
            return Ok(Vec::new());
        };
        let wanted = [("Default", good), ("Current", good), ("Failed", old)];
        let judged = wanted.into_iter().map(|(name, number)| {
            let current = reading::value(&hive.hive, "Select", name)?;
            let desired = ValueData::dword(number);
            Ok(JudgedValue {
                key: "Select".to_owned(),
                value: name.to_owned(),
                in_current_set: None,
                state: if current.as_ref() == Some(&desired) {
                    RowState::Ok
                } else {
                    RowState::Differs
                },
                desired: desired.into(),
                current,
                subtree: None,
                bits: None,
            })
        });
        judged.collect()
    }
}

/// The set to start from, and the one that Windows would start from otherwise; `None` if there is
/// no choice.
fn choice(hive: &Hive, sets: &ControlSets) -> Result<Option<(u32, u32)>, Corruption> {
    let Select {
        current: Some(current),
        last_known_good: Some(good),
        default,
        ..
    } = sets.select
    else {
        return Ok(None);
    };
    let old = default.unwrap_or(current);
    let set = sets.sets.iter().find(|set| set.number == good);
    let Some(set) = set.filter(|_| good != current && good != old) else {
        return Ok(None);
    };
    for needed in NEEDED {
        if hive.key(&format!(r"{}\{needed}", set.name))?.is_none() {
            return Ok(None);
        }
    }
    Ok(Some((good, old)))
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    #[serde(rename = "use")]
    set: &'static str,
    why: &'a str,
}

/// The fields of a `[[select]]` row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SelectFile {
    #[serde(rename = "use")]
    set: Spanned<String>,
    why: Spanned<String>,
}
