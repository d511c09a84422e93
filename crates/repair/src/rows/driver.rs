//! The `[[driver]]` rows: drivers whose file is missing are disabled.

use diskmend_hive::name::same_name;
use diskmend_hive::{Corruption, Hive};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault_words::FaultWords;
use super::list::is_third_party;
use super::service::{start_of, start_word};
use super::{About, Claim, JudgeValues, Kind, Shown, Wrong, sentence, wrong};
use crate::facts::{Facts, ServiceStart};
use crate::finding::{JudgedValue, RowState};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::reading;
use crate::value_data::ValueData;

/// The greatest number of names that a row may list.
const MOST_NAMES: usize = 1024;
/// The greatest number of drivers of a control set that are looked at. Windows has some hundreds.
const MOST_DRIVERS: usize = 8192;
/// The first Windows whose component store has the drivers of Windows itself: Vista.
const FIRST_BUILD: u32 = 6000;

/// Drivers that Windows starts before services, and whose file is missing.
#[derive(Clone, Debug)]
pub struct DriverRow {
    /// The start types that the row is about.
    starts: Vec<ServiceStart>,
    /// True if drivers of Windows itself stay as they are.
    third_party: bool,
    /// Drivers that are never changed.
    keep: Vec<String>,
    /// The start type that they get.
    start: ServiceStart,
    fault: bool,
    why: String,
}

impl Kind for DriverRow {
    type Written = DriverFile;
    type Entry<'a> = Entry<'a>;

    fn read(written: DriverFile) -> Result<Self, Wrong> {
        written.read()
    }

    fn about(&self) -> About<'_> {
        About::Values(HiveName::System, self)
    }

    /// The drivers that it will be about aren't known before the disk is read.
    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn why(&self) -> &str {
        &self.why
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            starts: self.starts.iter().copied().map(start_word).collect(),
            third_party: self.third_party,
            keep: &self.keep,
            start: start_word(self.start),
            can_be_fault: self.fault,
            why: &self.why,
        }
    }

    fn shown(&self) -> Shown {
        let own = if self.third_party {
            ", and that are none of Windows's own"
        } else {
            ""
        };
        let number = self.start.number();
        Shown {
            place: format!("Drivers whose file is missing{own}"),
            lines: vec![format!("start = {} ({number})", start_word(self.start))],
        }
    }
}

impl JudgeValues for DriverRow {
    fn judge(&self, hive: &HiveOnDisk, facts: &Facts<'_>) -> Result<Vec<JudgedValue>, Corruption> {
        let mut judged = Vec::new();
        for set in &facts.control_sets_in(hive)?.sets {
            let services = format!(r"{}\Services", set.name);
            let Some(below) = hive.hive.key(&services)? else {
                continue;
            };
            for driver in below.subkeys()?.take(MOST_DRIVERS) {
                let name = driver?.name().in_path().to_string();
                if !self.is_about(&hive.hive, facts, &services, &name)? {
                    continue;
                }
                let key = format!(r"{services}\{name}");
                judged.push(JudgedValue {
                    current: reading::value(&hive.hive, &key, "Start")?,
                    key,
                    value: "Start".to_owned(),
                    in_current_set: Some(set.current),
                    desired: ValueData::dword(self.start.number()).into(),
                    subtree: None,
                    bits: None,
                    state: if self.fault {
                        RowState::Fault
                    } else {
                        RowState::Differs
                    },
                });
            }
        }
        Ok(judged)
    }
}

impl DriverRow {
    /// True if Windows can't start because of this driver, whose file is missing.
    fn is_about(
        &self,
        hive: &Hive,
        facts: &Facts<'_>,
        services: &str,
        name: &str,
    ) -> Result<bool, Corruption> {
        let key = format!(r"{services}\{name}");
        let start = reading::dword(hive, &key, "Start")?.and_then(ServiceStart::of);
        if !start.is_some_and(|start| self.starts.contains(&start)) || self.is_kept(name) {
            return Ok(false);
        }
        let is_driver = matches!(reading::dword(hive, &key, "Type")?, Some(1 | 2));
        let stops = match reading::dword(hive, &key, "ErrorControl")? {
            // The error is ignored. Windows XP has such drivers without a file.
            Some(0) => false,
            Some(2 | 3) => true,
            _ => start == Some(ServiceStart::Boot),
        };
        // Without a path, it is a driver of Windows itself: no installation leaves it out.
        let has_path = reading::value(hive, &key, "ImagePath")?.is_some();
        if !is_driver || !stops || !has_path {
            return Ok(false);
        }
        let Some((path, _)) = facts.named_files().driver(hive, services, name)? else {
            return Ok(false);
        };
        Ok(!self.third_party || is_foreign(facts, &path))
    }

    fn is_kept(&self, name: &str) -> bool {
        self.keep.iter().any(|kept| same_name(kept, name))
    }
}

/// True if the driver surely belongs to somebody else than Windows itself.
fn is_foreign(facts: &Facts<'_>, path: &str) -> bool {
    let is_older = facts.build().is_ok_and(|build| build < FIRST_BUILD);
    !is_older && is_third_party(facts, path)
}

/// A row in JSON.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    starts: Vec<&'static str>,
    third_party: bool,
    keep: &'a [String],
    start: &'static str,
    can_be_fault: bool,
    why: &'a str,
}

/// The fields of a `[[driver]]` row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DriverFile {
    start: Spanned<Vec<Spanned<String>>>,
    file: Spanned<String>,
    #[serde(default)]
    third_party: bool,
    #[serde(default)]
    keep: Vec<Spanned<String>>,
    set: SetFile,
    fault: Option<Spanned<FaultWords>>,
    why: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFile {
    start: Spanned<String>,
}

impl DriverFile {
    fn read(self) -> Result<DriverRow, Wrong> {
        let mut starts = Vec::new();
        for word in self.start.get_ref() {
            let start = start_of(word.get_ref()).map_err(wrong(word))?;
            if !matches!(start, ServiceStart::Boot | ServiceStart::System) {
                let message = "only drivers with start boot or system keep Windows from starting";
                return Err(wrong(word)(message.to_owned()));
            }
            starts.push(start);
        }
        if starts.is_empty() {
            return Err(wrong(&self.start)("name boot, system or both".to_owned()));
        }
        if self.file.get_ref() != "missing" {
            let message = format!("\"{}\" is not \"missing\"", self.file.get_ref());
            return Err(wrong(&self.file)(message));
        }
        let start = start_of(self.set.start.get_ref()).map_err(wrong(&self.set.start))?;
        if starts.contains(&start) {
            let message = "a driver with this start is what the row is about".to_owned();
            return Err(wrong(&self.set.start)(message));
        }
        let mut keep = Vec::new();
        for name in self.keep {
            if name.get_ref().is_empty() || name.get_ref().contains(['\\', '\0']) {
                return Err(wrong(&name)("this is no name of a driver".to_owned()));
            }
            if keep.len() == MOST_NAMES {
                return Err(wrong(&name)(format!(
                    "a row lists at most {MOST_NAMES} names"
                )));
            }
            keep.push(name.into_inner());
        }
        let fault = FaultWords::only(self.fault, "would_change")?;
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        Ok(DriverRow {
            starts,
            third_party: self.third_party,
            keep,
            start,
            fault,
            why: self.why.into_inner(),
        })
    }
}
