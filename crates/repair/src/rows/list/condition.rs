//! When an entry of a list is dropped.

use std::fmt;
use std::ops::Range;

use diskmend_hive::name::same_name;
use diskmend_hive::{Corruption, Hive};
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use toml::Spanned;

use super::entries::Separator;
use super::{Wrong, names};
use crate::facts::Facts;

/// The entries that are dropped.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// Filters without a service, or whose driver is missing or empty, and that are none of
    /// Windows's own.
    DriverMissing,
    /// Network providers whose library is missing or empty.
    ProviderMissing,
    /// Lines of Session Manager whose program is missing or empty.
    FileMissing,
    /// Those with these names.
    Names(Vec<String>),
}

impl Condition {
    /// The condition for display.
    pub(super) fn words(&self) -> String {
        match self {
            Self::DriverMissing => "filters whose driver is missing".to_owned(),
            Self::ProviderMissing => "network providers whose file is missing".to_owned(),
            Self::FileMissing => "programs whose file is missing".to_owned(),
            Self::Names(names) => names.join(", "),
        }
    }

    const fn word(&self) -> Option<&'static str> {
        match self {
            Self::DriverMissing => Some("driver_missing"),
            Self::ProviderMissing => Some("provider_missing"),
            Self::FileMissing => Some("file_missing"),
            Self::Names(_) => None,
        }
    }

    /// True if it looks for services of the list's control set.
    pub(super) const fn needs_services(&self) -> bool {
        matches!(self, Self::DriverMissing | Self::ProviderMissing)
    }

    /// True if an entry is dropped. `services` is the key of the services in the same control set.
    pub(super) fn holds(
        &self,
        hive: &Hive,
        facts: &Facts<'_>,
        services: Option<&str>,
        name: &str,
    ) -> Result<bool, Corruption> {
        match (self, services) {
            (Self::Names(names), _) => Ok(names.iter().any(|one| same_name(one, name))),
            (Self::FileMissing, _) => Ok(facts.named_files().program(name).is_some()),
            (Self::DriverMissing, Some(services)) => is_orphan(hive, facts, services, name),
            (Self::ProviderMissing, Some(services)) => {
                let fault = facts.named_files().provider(hive, services, name)?;
                Ok(fault.is_some())
            }
            (Self::DriverMissing | Self::ProviderMissing, None) => Ok(false),
        }
    }
}

/// True if a filter surely has no driver.
fn is_orphan(
    hive: &Hive,
    facts: &Facts<'_>,
    services: &str,
    name: &str,
) -> Result<bool, Corruption> {
    // Without services, nothing can be said about them. A path is no name of a service.
    if name.contains('\\') || hive.key(services)?.is_none() {
        return Ok(false);
    }
    let file = if hive.key(&format!(r"{services}\{name}"))?.is_none() {
        format!("{name}.sys")
    } else {
        match facts.named_files().driver(hive, services, name)? {
            None => return Ok(false),
            Some((path, _)) => path,
        }
    };
    Ok(is_third_party(facts, &file))
}

/// True if Windows itself surely has no driver with the file name of this path.
pub(in crate::rows) fn is_third_party(facts: &Facts<'_>, path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    facts
        .component_drivers()
        .is_ok_and(|drivers| !drivers.contains(&file))
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self, self.word()) {
            (Self::Names(names), _) => names.serialize(serializer),
            (_, word) => word.serialize(serializer),
        }
    }
}

/// A condition as written: a word or a list of names.
pub(super) enum ConditionFile {
    Word(String),
    Names(Vec<Spanned<String>>),
}

impl ConditionFile {
    pub(super) fn read(self, separator: Separator, at: Range<usize>) -> Result<Condition, Wrong> {
        let wrong = |message: String| Wrong { span: at, message };
        match self {
            Self::Names(written) if written.is_empty() => {
                Err(wrong("name at least one entry".to_owned()))
            }
            Self::Names(written) => Ok(Condition::Names(names(written, separator)?)),
            Self::Word(word) => {
                let known = [
                    Condition::DriverMissing,
                    Condition::ProviderMissing,
                    Condition::FileMissing,
                ];
                let mut known = known.into_iter();
                known
                    .find(|drop| drop.word() == Some(&word))
                    .ok_or_else(|| {
                        wrong(format!(
                            "no condition \"{word}\": expected driver_missing, provider_missing, \
                         file_missing or a list of names"
                        ))
                    })
            }
        }
    }
}

impl<'de> Deserialize<'de> for ConditionFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrNames;
        impl<'de> Visitor<'de> for WordOrNames {
            type Value = ConditionFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a condition such as \"driver_missing\", or a list of names")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<ConditionFile, E> {
                Ok(ConditionFile::Word(word.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ConditionFile, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Ok(ConditionFile::Names(names))
            }
        }
        deserializer.deserialize_any(WordOrNames)
    }
}
