//! Evidence of the kind `registry`: a value of a hive.
//!
//! A key that begins with `ControlSet*` is the key in the control set from which Windows would
//! start: the other sets do not keep a machine from working.

use diskmend_hive::{Corruption, ValueType};
use serde::Deserialize;
use toml::Spanned;

use super::{EvidenceKind, Looked, Sighting};
use crate::error::{Error, chain};
use crate::facts::{Around, Facts, Failure, of_filetime};
use crate::hive_on_disk::HiveOnDisk;
use crate::place::HiveName;
use crate::progress::Interrupted;
use crate::reading;
use crate::value_data::{AnyBits, ValueData};
use crate::written::{
    AnyBitsFile, Companion, CompanionFile, Expected, FolderPath, KeyPattern, Written, Wrong,
    is_read_as_one_of, value_name, value_type, wrong,
};

/// The maximum length of data that are compared, in bytes.
const MOST_BYTES: usize = 64 << 10;

/// A value of a hive.
#[derive(Clone, Debug)]
pub(crate) struct RegistryEvidence {
    hive: HiveName,
    key: KeyPattern,
    value: String,
    test: Test,
    /// What another value of the key must have; other keys don't count.
    only_if: Option<Companion>,
}

/// What the value must be for the evidence to be seen.
#[derive(Clone, Debug)]
enum Test {
    /// It has one of these data.
    Equals(Vec<Expected>),
    /// It exists and has none of these data.
    Not(Vec<Expected>),
    /// One of these bits is as it says.
    Bits(AnyBits),
    /// The program that it names is not on the disk.
    ProgramMissing,
    /// It names a drive that this Windows doesn't know.
    DriveMissing,
    /// It is a path to this folder or to one above it, or may be.
    Covers(FolderPath),
    /// It exists.
    Exists,
    /// It doesn't exist, but its key does.
    Missing,
    /// Its key doesn't exist, but the key above that does.
    KeyMissing,
    /// It exists and has another type.
    OtherType(ValueType),
    /// It is a list without this entry.
    Lacks(String),
}

/// The fields in a rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegistryFile {
    hive: Spanned<String>,
    key: Spanned<String>,
    value: Spanned<String>,
    #[serde(rename = "type")]
    value_type: Option<Spanned<String>>,
    equals: Option<Spanned<Vec<Spanned<Written>>>>,
    not: Option<Spanned<Vec<Spanned<Written>>>>,
    is: Option<Spanned<String>>,
    lacks: Option<Spanned<String>>,
    bits: Option<Spanned<AnyBitsFile>>,
    covers: Option<Spanned<String>>,
    #[serde(rename = "where")]
    only_if: Option<CompanionFile>,
}

impl EvidenceKind for RegistryEvidence {
    type Written = RegistryFile;

    fn read(written: RegistryFile) -> Result<Self, Wrong> {
        let hive = HiveName::parse(written.hive.get_ref()).map_err(wrong(&written.hive))?;
        let key = KeyPattern::parse(hive, written.key.get_ref()).map_err(wrong(&written.key))?;
        value_name(written.value.get_ref()).map_err(wrong(&written.value))?;
        let value_type = match &written.value_type {
            None => ValueType::DWORD,
            Some(name) => value_type(name.get_ref()).map_err(wrong(name))?,
        };
        let all = |list: &Spanned<Vec<Spanned<Written>>>| -> Result<Vec<Expected>, Wrong> {
            if list.get_ref().is_empty() {
                return Err(wrong(list)("name at least one".to_owned()));
            }
            Expected::read_all(Some(value_type), list.get_ref())
        };
        let covers = match &written.covers {
            None => None,
            Some(path) => Some(FolderPath::parse(path.get_ref()).map_err(wrong(path))?),
        };
        let test = match (
            &written.equals,
            &written.not,
            &written.is,
            &written.lacks,
            &written.bits,
            covers,
        ) {
            (None, None, None, None, None, Some(folder)) => Test::Covers(folder),
            (Some(list), None, None, None, None, None) => Test::Equals(all(list)?),
            (None, Some(list), None, None, None, None) => Test::Not(all(list)?),
            (None, None, None, Some(entry), None, None) => Test::Lacks(entry.get_ref().clone()),
            (None, None, None, None, Some(bits), None) => {
                Test::Bits(AnyBitsFile::read(bits, Some(value_type))?)
            }
            (None, None, Some(word), None, None, None) => match word.get_ref().as_str() {
                "present" => Test::Exists,
                "missing" => Test::Missing,
                "key-missing" => Test::KeyMissing,
                "other-type" => Test::OtherType(value_type),
                "program-missing" => Test::ProgramMissing,
                "drive-missing" => Test::DriveMissing,
                other => {
                    return Err(wrong(word)(format!(
                        "\"{other}\" is none of \"present\", \"missing\", \"key-missing\", \
                         \"other-type\", \"program-missing\" and \"drive-missing\""
                    )));
                }
            },
            _ => {
                let message = "exactly one of these is needed: equals, not, is, lacks, bits, \
                     covers"
                    .to_owned();
                return Err(wrong(&written.value)(message));
            }
        };
        let only_if = match written.only_if {
            None => None,
            Some(other) => Some(other.read(Some(value_type))?),
        };
        Ok(Self {
            hive,
            key,
            value: written.value.into_inner(),
            test,
            only_if,
        })
    }

    fn look(&self, facts: &Facts<'_>) -> Result<Looked, Interrupted> {
        let hive = match facts.hive(self.hive) {
            Ok(hive) => hive,
            Err(failure) => return Ok(Looked::Unknown(Failure::reason(failure))),
        };
        Ok(match self.sightings(facts, hive) {
            Ok(sightings) => Looked::of(self.with_policy(facts, sightings)),
            Err(source) => Looked::Unknown(chain(&Error::corrupt(hive.path())(source))),
        })
    }

    fn shown(&self) -> String {
        let list = |data: &[Expected]| {
            let data: Vec<String> = data.iter().map(ToString::to_string).collect();
            data.join(" or ")
        };
        let test = match &self.test {
            Test::Equals(data) => format!("is {}", list(data)),
            Test::Not(data) => format!("is not {}", list(data)),
            Test::Exists => "is present".to_owned(),
            Test::Missing => "is missing".to_owned(),
            Test::KeyMissing => return format!(r"{}\{} is missing", self.hive, self.key),
            Test::OtherType(wanted) => format!("is not of type {wanted}"),
            Test::Lacks(entry) => format!("lacks {entry}"),
            Test::Bits(bits) => format!("is a number in which {bits}"),
            Test::ProgramMissing => "names a program that is not on the disk".to_owned(),
            Test::Covers(folder) => format!("leads to {folder} or a folder above it"),
            Test::DriveMissing => "names a drive that this Windows does not know".to_owned(),
        };
        let only_if = self.only_if.as_ref().map_or_else(String::new, |other| {
            format!(
                ", if {} is {}",
                shown_name(&other.value),
                list(&other.equals)
            )
        });
        format!(
            r"{}\{} {} {test}{only_if}",
            self.hive,
            self.key,
            shown_name(&self.value)
        )
    }
}

impl RegistryEvidence {
    fn sightings(&self, facts: &Facts<'_>, hive: &HiveOnDisk) -> Result<Vec<Sighting>, Corruption> {
        let sets = if self.key.every_control_set() {
            starting_sets(facts, hive)?
        } else {
            Vec::new()
        };
        let mut sightings = Vec::new();
        for key in self.key.resolve_in(&hive.hive, &sets)? {
            let Some(node) = hive.hive.key(&key)? else {
                sightings.extend(self.missing_key(hive, &key)?);
                continue;
            };
            let around = Around {
                hive,
                facts,
                key: &key,
            };
            if !self.is_about(&around)? {
                continue;
            }
            let found = reading::short_value(&hive.hive, &key, &self.value, MOST_BYTES)?;
            if self.holds(found.as_ref(), &around) {
                let shown = |data: ValueData| match self.test {
                    Test::OtherType(_) => format!("of type {}", data.value_type),
                    _ => data.to_string(),
                };
                let found = found.map_or("missing".to_owned(), shown);
                sightings.push(Sighting {
                    place: format!(r"{}\{key}", self.hive),
                    found: format!("{} is {found}", shown_name(&self.value)),
                    time: of_filetime(node.node().last_written.get()),
                });
            }
        }
        Ok(sightings)
    }

    /// A key that is missing although the key above it is there.
    fn missing_key(&self, hive: &HiveOnDisk, key: &str) -> Result<Option<Sighting>, Corruption> {
        if !matches!(self.test, Test::KeyMissing) {
            return Ok(None);
        }
        let above = match key.rsplit_once('\\') {
            Some((above, _)) => hive.hive.key(above)?,
            None => return Ok(None),
        };
        let place = format!(r"{}\{key}", self.hive);
        Ok(above.map(|_| Sighting::new(place, "the key is missing")))
    }

    /// Adds to values below `Policies` which group policy set them: it would undo a repair.
    fn with_policy(&self, facts: &Facts<'_>, mut sightings: Vec<Sighting>) -> Vec<Sighting> {
        for sighting in &mut sightings {
            let key = sighting.place.strip_prefix(r"SOFTWARE\");
            let key = key.filter(|key| {
                let first = key.split('\\').next();
                first.is_some_and(|first| first.eq_ignore_ascii_case("Policies"))
            });
            if let Some(who) = key.and_then(|key| facts.policies().who_set(key, &self.value)) {
                sighting.found = format!("{}, {who}", sighting.found);
            }
        }
        sightings
    }

    /// True if a key counts.
    fn is_about(&self, around: &Around<'_, '_>) -> Result<bool, Corruption> {
        let Some(only_if) = &self.only_if else {
            return Ok(true);
        };
        let found = around.value(&only_if.value)?;
        Ok(found.is_some_and(|found| {
            only_if.fits(&found) || (only_if.program_missing && around.is_program_missing(&found))
        }))
    }

    fn holds(&self, found: Option<&ValueData>, around: &Around<'_, '_>) -> bool {
        match (&self.test, found) {
            (Test::Equals(wanted), Some(found)) => is_read_as_one_of(found, wanted),
            (Test::Not(wanted), Some(found)) => !is_read_as_one_of(found, wanted),
            (Test::Bits(bits), Some(found)) => bits.hold(found),
            (Test::ProgramMissing, Some(found)) => around.is_program_missing(found),
            (Test::Covers(folder), Some(found)) => around.may_cover(found, &folder.names()),
            (Test::DriveMissing, Some(found)) => around.is_drive_missing(found),
            (Test::Exists, found) => found.is_some(),
            (Test::Missing, found) => found.is_none(),
            (Test::OtherType(wanted), Some(found)) => found.value_type != *wanted,
            (Test::Lacks(entry), Some(found)) => lacks(found, entry),
            (Test::KeyMissing, _)
            | (
                Test::Equals(_)
                | Test::Not(_)
                | Test::Bits(_)
                | Test::ProgramMissing
                | Test::DriveMissing
                | Test::Covers(_)
                | Test::OtherType(_)
                | Test::Lacks(_),
                None,
            ) => false,
        }
    }
}

/// The control set from which Windows would start; all sets if `Select` names none.
pub(super) fn starting_sets(
    facts: &Facts<'_>,
    system: &HiveOnDisk,
) -> Result<Vec<String>, Corruption> {
    let sets = facts.control_sets_in(system)?;
    Ok(match sets.next() {
        Some(set) => vec![set.name.clone()],
        None => sets.names(),
    })
}

/// True if a list of strings doesn't have this entry. Windows ignores case, and what follows the
/// end of the list.
fn lacks(found: &ValueData, entry: &str) -> bool {
    let Some(text) = diskmend_base::utf16::decode(&found.bytes) else {
        return false;
    };
    let has = |one: &str| one.to_lowercase() == entry.to_lowercase();
    found.value_type == ValueType::MULTI_SZ && !text.split('\0').any(has)
}

fn shown_name(name: &str) -> &str {
    match name {
        "" => "(Default)",
        name => name,
    }
}
