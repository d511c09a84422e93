//! When a value is evidence of a fault.

use std::fmt;

use diskmend_hive::ValueType;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

use super::written::{Written, encode, value_name, value_type as value_type_named};
use super::{Wrong, wrong};
use crate::value_data::ValueData;

/// Says when a value is a fault and not only different from what a recipe wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// It is a fault if the value doesn't exist.
    pub missing: bool,
    /// It is a fault if the value exists and has any other than the wanted data.
    pub different: bool,
    /// It is a fault if the value exists.
    pub exists: bool,
    /// It is a fault if the value has one of these data.
    pub equals: Vec<ValueData>,
    /// It is a fault only if this holds as well.
    pub companion: Option<Companion>,
}

/// Another value of the same key that must have certain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    /// Its name.
    pub value: String,
    /// The data. The value must have one of these.
    pub equals: Vec<ValueData>,
}

impl Fault {
    /// True if the value is a fault. `companion` looks up another value of the same key.
    ///
    /// # Errors
    /// The errors of `companion`.
    pub fn holds<E>(
        &self,
        current: Option<&ValueData>,
        desired: Option<&ValueData>,
        companion: impl FnOnce(&str) -> Result<Option<ValueData>, E>,
    ) -> Result<bool, E> {
        let here = match current {
            None => self.missing,
            Some(current) => {
                self.exists
                    || is_one_of(current, &self.equals)
                    || (self.different && !desired.is_some_and(|wanted| current.is_same(wanted)))
            }
        };
        match &self.companion {
            Some(other) if here => {
                let found = companion(&other.value)?;
                Ok(found.is_some_and(|found| is_one_of(&found, &other.equals)))
            }
            _ => Ok(here),
        }
    }
}

/// True if Windows reads one of these from the data.
pub(super) fn is_one_of(data: &ValueData, list: &[ValueData]) -> bool {
    list.iter().any(|one| data.is_same(one))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultTable {
    #[serde(default)]
    pub(super) missing: bool,
    #[serde(default)]
    pub(super) different: bool,
    #[serde(default)]
    pub(super) exists: bool,
    /// Only for elements of the boot store.
    #[serde(default)]
    pub(super) unresolved: bool,
    #[serde(default)]
    pub(super) equals: Vec<Spanned<Written>>,
    #[serde(rename = "where")]
    pub(super) companion: Option<CompanionFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CompanionFile {
    value: Spanned<String>,
    /// Its type; the row's own type if absent.
    #[serde(rename = "type")]
    value_type: Option<Spanned<String>>,
    pub(super) equals: Spanned<Vec<Spanned<Written>>>,
}

/// A fault, written as one word or as a table.
pub(super) struct FaultFile(pub(super) FaultTable);

impl FaultFile {
    /// The meaning of a word, if it has one.
    pub(super) fn word(word: &str) -> Option<FaultTable> {
        let mut table = FaultTable::default();
        match word {
            "missing" => table.missing = true,
            "different" => table.different = true,
            "exists" => table.exists = true,
            "unresolved" => table.unresolved = true,
            _ => return None,
        }
        Some(table)
    }
}

impl<'de> Deserialize<'de> for FaultFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrTable;
        impl<'de> Visitor<'de> for WordOrTable {
            type Value = FaultFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "\"missing\", \"different\", \"exists\" or a table such as { equals = [0] }",
                )
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<FaultFile, E> {
                FaultFile::word(word)
                    .map(FaultFile)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(word), &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FaultFile, A::Error> {
                FaultTable::deserialize(MapAccessDeserializer::new(map)).map(FaultFile)
            }
        }
        deserializer.deserialize_any(WordOrTable)
    }
}

impl FaultTable {
    /// True if it says only that something exists.
    pub(super) fn is_only_exists(&self) -> bool {
        self.exists
            && !self.missing
            && !self.different
            && self.equals.is_empty()
            && self.companion.is_none()
    }

    /// Checks the condition of a value. Data need a type.
    pub(super) fn read(self, value_type: Option<ValueType>) -> Result<Fault, Wrong> {
        let companion = match self.companion {
            None => None,
            Some(other) => {
                value_name(other.value.get_ref()).map_err(wrong(&other.value))?;
                let other_type = match &other.value_type {
                    None => value_type,
                    Some(name) => Some(value_type_named(name.get_ref()).map_err(wrong(name))?),
                };
                if other.equals.get_ref().is_empty() {
                    return Err(wrong(&other.equals)("name at least one".to_owned()));
                }
                Some(Companion {
                    value: other.value.into_inner(),
                    equals: encode_all(other_type, other.equals.get_ref())?,
                })
            }
        };
        Ok(Fault {
            missing: self.missing,
            different: self.different,
            exists: self.exists,
            equals: encode_all(value_type, &self.equals)?,
            companion,
        })
    }
}

/// Encodes each of several data, which need a type.
pub(super) fn encode_all(
    value_type: Option<ValueType>,
    list: &[Spanned<Written>],
) -> Result<Vec<ValueData>, Wrong> {
    let encoded = list.iter().map(|written| match value_type {
        Some(value_type) => encode(value_type, written.get_ref()).map_err(wrong(written)),
        None => Err(wrong(written)("data need the row's type".to_owned())),
    });
    encoded.collect()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn holds(fault: &Fault, current: Option<u32>, other: Option<u32>) -> bool {
        let current = current.map(ValueData::dword);
        fault
            .holds::<Infallible>(current.as_ref(), Some(&ValueData::dword(1)), |name| {
                assert_eq!(name, "Other");
                Ok(other.map(ValueData::dword))
            })
            .expect("infallible")
    }

    #[test]
    fn holds_for_the_named_data_only() {
        let fault = Fault {
            missing: false,
            different: false,
            exists: false,
            equals: vec![ValueData::dword(0)],
            companion: None,
        };
        assert!(holds(&fault, Some(0), None));
        assert!(!holds(&fault, Some(2), None));
        assert!(!holds(&fault, None, None));
    }

    #[test]
    fn a_companion_must_hold_as_well() {
        let fault = Fault {
            missing: true,
            different: true,
            exists: false,
            equals: vec![],
            companion: Some(Companion {
                value: "Other".to_owned(),
                equals: vec![ValueData::dword(1)],
            }),
        };
        assert!(holds(&fault, None, Some(1)));
        assert!(holds(&fault, Some(0), Some(1)));
        assert!(!holds(&fault, Some(1), Some(1)));
        assert!(!holds(&fault, Some(0), Some(0)));
        assert!(!holds(&fault, Some(0), None));
    }
}
