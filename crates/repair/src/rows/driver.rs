//! The `[[driver]]` rows: drivers whose file is missing, or all of other makers, are disabled.

use std::collections::BTreeSet;

use diskmend_base::utf16;
use diskmend_hive::name::same_name;
use diskmend_hive::{Corruption, Hive};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault_words::FaultWords;
use super::list::is_third_party;
use super::service::{start_of, start_word};
use super::{About, Claim, JudgeValues, Kind, Shown, Wrong, sentence, wrong};
use crate::facts::{Facts, ServiceStart, names_of_filters};
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

/// Drivers that every component store has. Without them, nothing is said about its drivers.
const ALWAYS_THERE: [&str; 2] = ["disk.sys", "ntfs.sys"];
/// The words of a row for the files that it is about.
const FILES: [(&str, Files); 2] = [("missing", Files::Missing), ("any", Files::Any)];

/// Drivers that Windows starts before services.
#[derive(Clone, Debug)]
pub struct DriverRow {
    files: Files,
    /// The start types that the row is about.
    starts: Vec<ServiceStart>,
    /// True if drivers of Windows itself stay as they are.
    third_party: bool,
    /// Drivers that are never changed.
    keep: Vec<String>,
    /// Groups in whose order Windows loads drivers, and whose drivers are never changed.
    keep_groups: Vec<String>,
    /// The start type that they get.
    start: ServiceStart,
    fault: bool,
    why: String,
}

/// Which drivers a row is about, by their files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Files {
    /// Those without which Windows does not start, and whose file is missing or empty.
    Missing,
    /// All that are no filter of a device: without a filter that is listed, no device of the class
    /// starts.
    Any,
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
            file: FILES
                .iter()
                .find(|(_, files)| *files == self.files)
                .map_or("", |(word, _)| word),
            third_party: self.third_party,
            keep: &self.keep,
            keep_groups: &self.keep_groups,
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
        let which = match self.files {
            Files::Missing => "whose file is missing",
            Files::Any => "that are no filters of devices",
        };
        Shown {
            place: format!("Drivers {which}{own}"),
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
            let filters = match self.files {
                Files::Missing => BTreeSet::new(),
                Files::Any => match names_of_filters(&hive.hive, &set.name)? {
                    Some(filters) if has_store(facts) => filters,
                    // Any of them may be needed.
                    _ => continue,
                },
            };
            for driver in below.subkeys()?.take(MOST_DRIVERS) {
                let name = driver?.name().in_path().to_string();
                let is_filter = filters.contains(&name.to_lowercase());
                if is_filter || !self.is_about(&hive.hive, facts, &services, &name)? {
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
    /// True if the row disables this driver.
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
        // Without a path, it is a driver of Windows itself: no installation leaves it out.
        let has_path = reading::value(hive, &key, "ImagePath")?.is_some();
        if !is_driver || !has_path || self.is_in_kept_group(hive, &key)? {
            return Ok(false);
        }
        let files = facts.named_files();
        let file = match self.files {
            Files::Missing if !stops(hive, &key, start)? => None,
            Files::Missing => files.driver(hive, services, name)?.map(|(path, _)| path),
            Files::Any => files.file_of_driver(hive, services, name)?,
        };
        Ok(file.is_some_and(|file| !self.third_party || is_foreign(facts, &file)))
    }

    /// True if the driver belongs to a group that is kept.
    fn is_in_kept_group(&self, hive: &Hive, key: &str) -> Result<bool, Corruption> {
        if self.keep_groups.is_empty() {
            return Ok(false);
        }
        let Some(group) = reading::value(hive, key, "Group")? else {
            return Ok(false);
        };
        // What can't be read may be any group.
        let Some(group) = utf16::decode_to_nul(&group.bytes) else {
            return Ok(true);
        };
        Ok(self.keep_groups.iter().any(|kept| same_name(kept, &group)))
    }

    fn is_kept(&self, name: &str) -> bool {
        self.keep.iter().any(|kept| same_name(kept, name))
    }
}

/// True if Windows stops if it can't load this driver.
fn stops(hive: &Hive, key: &str, start: Option<ServiceStart>) -> Result<bool, Corruption> {
    Ok(match reading::dword(hive, key, "ErrorControl")? {
        // The error is ignored. Windows XP has such drivers without a file.
        Some(0) => false,
        Some(2 | 3) => true,
        _ => start == Some(ServiceStart::Boot),
    })
}

/// True if the drivers of Windows itself are known.
fn has_store(facts: &Facts<'_>) -> bool {
    facts
        .component_drivers()
        .is_ok_and(|drivers| ALWAYS_THERE.iter().all(|name| drivers.contains(*name)))
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
    file: &'static str,
    third_party: bool,
    keep: &'a [String],
    keep_groups: &'a [String],
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
    #[serde(default)]
    keep_groups: Vec<Spanned<String>>,
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
        let word = self.file.get_ref();
        let files = FILES.iter().find(|(known, _)| known == word);
        let Some((_, files)) = files else {
            let message = format!("\"{word}\" is not \"missing\" or \"any\"");
            return Err(wrong(&self.file)(message));
        };
        if *files == Files::Any && !self.third_party {
            let message = "only drivers of other makers: third_party = true is needed";
            return Err(wrong(&self.file)(message.to_owned()));
        }
        let start = start_of(self.set.start.get_ref()).map_err(wrong(&self.set.start))?;
        if starts.contains(&start) {
            let message = "a driver with this start is what the row is about".to_owned();
            return Err(wrong(&self.set.start)(message));
        }
        if let Some(fault) = self.fault.as_ref().filter(|_| *files == Files::Any) {
            let message = "a driver that is there is no fault".to_owned();
            return Err(wrong(fault)(message));
        }
        let fault = FaultWords::only(self.fault, "would_change")?;
        sentence(self.why.get_ref()).map_err(wrong(&self.why))?;
        Ok(DriverRow {
            starts,
            files: *files,
            third_party: self.third_party,
            keep: names(self.keep, "driver")?,
            keep_groups: names(self.keep_groups, "group of drivers")?,
            start,
            fault,
            why: self.why.into_inner(),
        })
    }
}

/// The names in a list.
fn names(written: Vec<Spanned<String>>, of: &str) -> Result<Vec<String>, Wrong> {
    let mut names = Vec::new();
    for name in written {
        if name.get_ref().is_empty() || name.get_ref().contains(['\\', '\0']) {
            return Err(wrong(&name)(format!("this is no name of a {of}")));
        }
        if names.len() == MOST_NAMES {
            let message = format!("a row lists at most {MOST_NAMES} names");
            return Err(wrong(&name)(message));
        }
        names.push(name.into_inner());
    }
    Ok(names)
}
