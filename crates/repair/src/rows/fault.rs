//! When a value is evidence of a fault.

use std::fmt;

use diskmend_hive::{Corruption, ValueType};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

use super::Wrong;
use super::written::{AnyBitsFile, Companion, CompanionFile, Expected, Written, is_one_of};
use crate::facts::Around;
use crate::value_data::{AnyBits, ValueData};

/// Says when a value is a fault and not only different from what a recipe wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// It is a fault if the value doesn't exist.
    pub missing: bool,
    /// It is a fault if the value exists and has any other than the wanted data.
    pub different: bool,
    /// It is a fault if the value exists.
    pub exists: bool,
    /// It is a fault if the program that the value names is not on the disk.
    pub program_missing: bool,
    /// It is a fault if the value names a drive that the Windows doesn't know.
    pub drive_missing: bool,
    /// It is a fault if the value has one of these data.
    pub equals: Vec<Expected>,
    /// It is a fault if one of these bits is as it says.
    pub bits: Option<AnyBits>,
    /// It is a fault only if this holds as well.
    pub companion: Option<Companion>,
}

/// What a fault asks about a value besides its data.
pub(crate) trait Surroundings {
    /// Why something couldn't be read.
    type Error;

    /// Another value of the same key.
    ///
    /// # Errors
    /// If it can't be read.
    fn companion(&self, name: &str) -> Result<Option<ValueData>, Self::Error>;

    /// True if the program that these data name is surely not on the disk.
    fn is_program_missing(&self, data: &ValueData) -> bool;

    /// True if these data name a drive that the Windows surely doesn't know.
    fn is_drive_missing(&self, data: &ValueData) -> bool;
}

impl Surroundings for Around<'_, '_> {
    type Error = Corruption;

    fn companion(&self, name: &str) -> Result<Option<ValueData>, Corruption> {
        self.value(name)
    }

    fn is_program_missing(&self, data: &ValueData) -> bool {
        Around::is_program_missing(self, data)
    }

    fn is_drive_missing(&self, data: &ValueData) -> bool {
        Around::is_drive_missing(self, data)
    }
}

impl Fault {
    /// True if the value is a fault. `is_wanted` says if it is as the row wants it.
    ///
    /// # Errors
    /// The errors of the surroundings.
    pub(crate) fn holds<S: Surroundings>(
        &self,
        current: Option<&ValueData>,
        is_wanted: bool,
        around: &S,
    ) -> Result<bool, S::Error> {
        let here = match current {
            None => self.missing,
            Some(current) => {
                self.exists
                    || is_one_of(current, &self.equals)
                    || self.bits.is_some_and(|bits| bits.hold(current))
                    || (self.different && !is_wanted)
                    || (self.program_missing && around.is_program_missing(current))
                    || (self.drive_missing && around.is_drive_missing(current))
            }
        };
        match &self.companion {
            Some(other) if here => {
                let found = around.companion(&other.value)?;
                Ok(found.is_some_and(|found| companion_holds(other, &found, around)))
            }
            _ => Ok(here),
        }
    }
}

/// True if another value of the key is as it must be.
pub(super) fn companion_holds<S: Surroundings>(
    wanted: &Companion,
    found: &ValueData,
    around: &S,
) -> bool {
    wanted.fits(found) || (wanted.program_missing && around.is_program_missing(found))
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
    program_missing: bool,
    #[serde(default)]
    drive_missing: bool,
    #[serde(default)]
    pub(super) equals: Vec<Spanned<Written>>,
    bits: Option<Spanned<AnyBitsFile>>,
    #[serde(rename = "where")]
    pub(super) companion: Option<CompanionFile>,
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
            "program_missing" => table.program_missing = true,
            "drive_missing" => table.drive_missing = true,
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
            && self.is_about_any_setting()
            && self.companion.is_none()
    }

    /// True if it says only that something is missing.
    pub(super) fn is_only_missing(&self) -> bool {
        self.missing
            && !self.exists
            && !self.different
            && !self.unresolved
            && self.equals.is_empty()
            && self.is_about_any_setting()
            && self.companion.is_none()
    }

    /// True if it asks nothing that only values of the registry can answer.
    pub(super) fn is_about_any_setting(&self) -> bool {
        self.bits.is_none() && !self.program_missing && !self.drive_missing
    }

    /// Checks the condition of a value. Data need a type.
    pub(super) fn read(self, value_type: Option<ValueType>) -> Result<Fault, Wrong> {
        let companion = match self.companion {
            None => None,
            Some(other) => Some(other.read(value_type)?),
        };
        let bits = match &self.bits {
            None => None,
            Some(bits) => Some(AnyBitsFile::read(bits, value_type)?),
        };
        Ok(Fault {
            missing: self.missing,
            different: self.different,
            exists: self.exists,
            program_missing: self.program_missing,
            drive_missing: self.drive_missing,
            equals: Expected::read_all(value_type, &self.equals)?,
            bits,
            companion,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// The other value, if there is one, is `Other`.
    struct Around(Option<u32>);

    impl Surroundings for Around {
        type Error = Infallible;

        fn companion(&self, name: &str) -> Result<Option<ValueData>, Infallible> {
            assert_eq!(name, "Other");
            Ok(self.0.map(ValueData::dword))
        }

        fn is_program_missing(&self, data: &ValueData) -> bool {
            *data == ValueData::dword(7)
        }

        fn is_drive_missing(&self, data: &ValueData) -> bool {
            *data == ValueData::dword(8)
        }
    }

    fn holds(fault: &Fault, current: Option<u32>, other: Option<u32>) -> bool {
        let is_wanted = current == Some(1);
        let current = current.map(ValueData::dword);
        let held = fault.holds(current.as_ref(), is_wanted, &Around(other));
        held.expect("infallible")
    }

    fn numbers(text: &str) -> Expected {
        Expected::read(ValueType::DWORD, &Written::Text(text.to_owned())).expect(text)
    }

    #[test]
    fn holds_for_the_named_data_only() {
        let fault = Fault {
            equals: vec![Expected::Data(ValueData::dword(0))],
            ..Fault::default()
        };
        assert!(holds(&fault, Some(0), None));
        assert!(!holds(&fault, Some(2), None));
        assert!(!holds(&fault, None, None));
    }

    #[test]
    fn holds_for_numbers_in_a_range_and_for_bits() {
        let fault = Fault {
            equals: vec![numbers("3..5"), numbers("0x10..")],
            ..Fault::default()
        };
        for (number, held) in [
            (2, false),
            (3, true),
            (5, true),
            (6, false),
            (u32::MAX, true),
        ] {
            assert_eq!(holds(&fault, Some(number), None), held, "{number}");
        }
        assert!(!holds(&fault, None, None));
        let bits = Some(AnyBits { set: 0xc, clear: 0 });
        let fault = Fault {
            bits,
            ..Fault::default()
        };
        assert!(holds(&fault, Some(4), None) && !holds(&fault, Some(3), None));
        assert!(!holds(&fault, None, None));
    }

    #[test]
    fn holds_for_what_is_not_on_the_disk() {
        let fault = Fault {
            program_missing: true,
            ..Fault::default()
        };
        assert!(holds(&fault, Some(7), None) && !holds(&fault, Some(8), None));
        let fault = Fault {
            drive_missing: true,
            ..Fault::default()
        };
        assert!(holds(&fault, Some(8), None) && !holds(&fault, Some(7), None));
        assert!(!holds(&fault, None, None));
    }

    #[test]
    fn a_companion_must_hold_as_well() {
        let mut fault = Fault {
            missing: true,
            different: true,
            companion: Some(Companion {
                value: "Other".to_owned(),
                equals: vec![Expected::Data(ValueData::dword(1)), numbers("5..6")],
                program_missing: false,
            }),
            ..Fault::default()
        };
        assert!(holds(&fault, None, Some(1)));
        assert!(holds(&fault, Some(0), Some(1)));
        assert!(holds(&fault, Some(0), Some(6)));
        assert!(!holds(&fault, Some(1), Some(1)));
        assert!(!holds(&fault, Some(0), Some(0)));
        assert!(!holds(&fault, Some(0), Some(7)));
        assert!(!holds(&fault, Some(0), None));
        if let Some(companion) = &mut fault.companion {
            companion.program_missing = true;
        }
        assert!(holds(&fault, Some(0), Some(7)));
        assert!(!holds(&fault, Some(0), None));
    }
}
