//! The `[[profile]]` rows: users who get a temporary profile get their own back.
//!
//! If Windows can't load a profile, it renames the user's key to one that ends with `.bak`, and
//! makes another one for a temporary profile. It never goes back by itself.

use std::collections::BTreeMap;

use diskmend_base::utf16;
use diskmend_hive::{Corruption, Hive};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{About, Claim, JudgeValues, Kind, Shown, Wrong, sentence, wrong};
use crate::facts::Facts;
use crate::finding::{JudgedValue, RowState, Wanted};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;
use crate::value_data::ValueData;

const PROFILES: &str = r"Microsoft\Windows NT\CurrentVersion\ProfileList";
const SET_ASIDE: &str = ".bak";
/// The value that names the folder of a profile.
const FOLDER: &str = "ProfileImagePath";
/// Values that say how a profile is being used. Windows starts with 0.
const IN_USE: [&str; 2] = ["State", "RefCount"];
/// The word of the only action.
const BACKUP: &str = "backup";
/// The greatest number of profiles that are looked at.
const MOST_PROFILES: usize = 10_000;
/// The greatest number of values of a profile's key. Windows has about ten.
const MOST_VALUES: usize = 64;
/// The greatest length of the data of a value, in bytes.
const MOST_BYTES: usize = 16 << 10;

/// The values of the two keys of a user change places, if the one in use names a temporary profile
/// and the other one a profile that is on the disk.
#[derive(Clone, Debug)]
pub struct ProfileRow {
    why: String,
}

impl Kind for ProfileRow {
    type Written = ProfileFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: ProfileFile) -> Result<Self, Wrong> {
        let ProfileFile { restore, why } = written;
        if restore.get_ref() != BACKUP {
            let message = format!("no \"{}\": expected \"{BACKUP}\"", restore.get_ref());
            return Err(wrong(&restore)(message));
        }
        sentence(why.get_ref()).map_err(wrong(&why))?;
        Ok(Self {
            why: why.into_inner(),
        })
    }

    fn about(&self) -> About<'_> {
        About::Values(HiveName::Software, self)
    }

    /// The users aren't known before the disk is read.
    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            restore: BACKUP,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        Shown {
            place: format!(r"SOFTWARE\{PROFILES}"),
            lines: vec![
                "the values of a user's keys with and without .bak change places, if the one \
                 without names a temporary profile"
                    .to_owned(),
                "State and RefCount = 0".to_owned(),
            ],
        }
    }
}

impl JudgeValues for ProfileRow {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let hive = &hive.hive;
        let mut judged = Vec::new();
        let Some(profiles) = hive.key(PROFILES)? else {
            return Ok(judged);
        };
        for user in profiles.subkeys()?.take(MOST_PROFILES) {
            let aside = user?.name().in_path().to_string();
            let plain = aside.len().checked_sub(SET_ASIDE.len());
            let Some((plain, end)) = plain.and_then(|at| aside.split_at_checked(at)) else {
                continue;
            };
            if end.eq_ignore_ascii_case(SET_ASIDE) {
                let [plain, aside] = [plain, &aside].map(|name| format!(r"{PROFILES}\{name}"));
                if is_to_be_restored(hive, facts, &plain, &aside)? {
                    swap(hive, &plain, &aside, &mut judged)?;
                }
            }
        }
        Ok(judged)
    }
}

/// True if the user has a temporary profile, and the one that was put aside is there.
fn is_to_be_restored(
    hive: &Hive,
    facts: &Facts<'_>,
    plain: &str,
    aside: &str,
) -> Result<bool, Corruption> {
    let folder = |key: &str| -> Result<Option<String>, Corruption> {
        let data = reading::short_value(hive, key, FOLDER, MOST_BYTES)?;
        Ok(data.and_then(|data| utf16::decode_to_nul(&data.bytes)))
    };
    let (Some(temporary), Some(own)) = (folder(plain)?, folder(aside)?) else {
        return Ok(false);
    };
    Ok(is_temporary(&temporary) && !is_temporary(&own) && facts.named_files().has_profile(&own))
}

/// True for the folders that Windows makes for temporary profiles: `TEMP`, `TEMP.DOMAIN`,
/// `TEMP.DOMAIN.000`.
fn is_temporary(folder: &str) -> bool {
    let name = folder.rsplit('\\').next().unwrap_or(folder);
    let first = name.split('.').next().unwrap_or(name);
    first.eq_ignore_ascii_case("TEMP")
}

/// What the values of both keys become. Nothing, if there is more than Windows writes.
fn swap(
    hive: &Hive,
    plain: &str,
    aside: &str,
    judged: &mut Vec<JudgedValue>,
) -> Result<(), Corruption> {
    let (Some(of_plain), Some(of_aside)) = (names(hive, plain)?, names(hive, aside)?) else {
        return Ok(());
    };
    for (key, other) in [(plain, aside), (aside, plain)] {
        let mut all = of_plain.clone();
        all.extend(of_aside.clone());
        for name in all.values() {
            let current = reading::value(hive, key, name)?;
            let from_other = reading::value(hive, other, name)?;
            let is_in_use = IN_USE.iter().any(|one| one.eq_ignore_ascii_case(name));
            let desired = match from_other {
                Some(_) if key == plain && is_in_use => ValueData::dword(0).into(),
                Some(data) => data.into(),
                None => Wanted::NoValue,
            };
            let is_equal = current.as_ref() == desired.data();
            judged.push(JudgedValue {
                key: key.to_owned(),
                value: name.clone(),
                in_current_set: None,
                state: match (is_equal, &current) {
                    (true, _) => RowState::Ok,
                    (false, None) => RowState::Missing,
                    (false, Some(_)) => RowState::Differs,
                },
                desired,
                current,
                subtree: None,
                bits: None,
            });
        }
    }
    Ok(())
}

/// The names of the values of a key by their names in lower case; `None` if there are too many or
/// too large ones.
fn names(hive: &Hive, key: &str) -> Result<Option<BTreeMap<String, String>>, Corruption> {
    let mut names = BTreeMap::new();
    let Some(key) = hive.key(key)? else {
        return Ok(None);
    };
    for value in key.values()? {
        let value = value?;
        if names.len() == MOST_VALUES || value.data_len() > MOST_BYTES {
            return Ok(None);
        }
        let name = value.name().escaped().to_string();
        names.insert(name.to_lowercase(), name);
    }
    Ok(Some(names))
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    restore: &'static str,
    why: &'a str,
}

/// The fields of a `[[profile]]` row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileFile {
    restore: Spanned<String>,
    why: Spanned<String>,
}
