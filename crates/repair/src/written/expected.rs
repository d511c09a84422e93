//! Data that a value may have: one piece, or the numbers of a range.

use std::fmt;

use diskmend_base::utf16;
use diskmend_hive::ValueType;
use serde::Serialize;
use toml::Spanned;

use super::{Numbers, Written, Wrong, encode, wrong};
use crate::value_data::{Readable, ValueData};

/// Data that a value may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Expected {
    /// These data.
    Data(ValueData),
    /// A number of this type in a range.
    Numbers {
        /// The type.
        #[serde(rename = "type", serialize_with = "as_text")]
        value_type: ValueType,
        /// The range.
        #[serde(flatten)]
        numbers: Numbers,
    },
}

impl Expected {
    /// Reads data of this type, or a range such as `"0..3"` if the type is one of numbers.
    ///
    /// # Errors
    /// What is wrong, for display.
    pub(crate) fn read(value_type: ValueType, written: &Written) -> Result<Self, String> {
        let most = match value_type {
            ValueType::DWORD | ValueType::DWORD_BIG_ENDIAN => Some(u32::MAX.into()),
            ValueType::QWORD => Some(u64::MAX),
            _ => None,
        };
        match (most, written) {
            (Some(most), Written::Text(text)) if Numbers::is_range(text) => Ok(Self::Numbers {
                value_type,
                numbers: Numbers::parse(text, most)?,
            }),
            _ => encode(value_type, written).map(Self::Data),
        }
    }

    /// Reads each of several data, which need a type.
    ///
    /// # Errors
    /// What is wrong, with its place in the file.
    pub(crate) fn read_all(
        value_type: Option<ValueType>,
        list: &[Spanned<Written>],
    ) -> Result<Vec<Self>, Wrong> {
        let read = list.iter().map(|written| match value_type {
            Some(value_type) => Self::read(value_type, written.get_ref()).map_err(wrong(written)),
            None => Err(wrong(written)("data need the row's type".to_owned())),
        });
        read.collect()
    }

    /// True if Windows reads this from the data.
    #[must_use]
    pub fn is(&self, found: &ValueData) -> bool {
        match self {
            Self::Data(data) => data.is_same(found),
            Self::Numbers {
                value_type,
                numbers,
            } => {
                *value_type == found.value_type
                    && found.number().is_some_and(|number| numbers.has(number))
            }
        }
    }

    /// True if there are data that are both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Data(data), other) | (other, Self::Data(data)) => other.is(data),
            (
                Self::Numbers {
                    value_type,
                    numbers,
                },
                Self::Numbers {
                    value_type: other_type,
                    numbers: others,
                },
            ) => value_type == other_type && numbers.meets(*others),
        }
    }

    /// True if no other data are this.
    pub(crate) fn is_only(&self, data: &ValueData) -> bool {
        match self {
            Self::Data(one) => one.is_same(data),
            Self::Numbers { numbers, .. } => self.is(data) && numbers.from == numbers.to,
        }
    }
}

/// True if Windows reads one of these from the data.
pub(crate) fn is_one_of(data: &ValueData, list: &[Expected]) -> bool {
    list.iter().any(|one| one.is(data))
}

/// True if Windows takes the data for one of these. Numbers of any type are compared with a range.
pub(crate) fn is_read_as_one_of(found: &ValueData, wanted: &[Expected]) -> bool {
    wanted.iter().any(|one| match one {
        Expected::Data(data) => is_read_as(data, found),
        Expected::Numbers { numbers, .. } => match found.readable() {
            Some(Readable::Number(number)) => numbers.has(number),
            _ => false,
        },
    })
}

/// True if Windows takes both for the same: text is compared without regard to case, to the kind of
/// string, and to what follows its end.
fn is_read_as(wanted: &ValueData, found: &ValueData) -> bool {
    if wanted == found {
        return true;
    }
    let text = |data: &ValueData| match data.value_type {
        ValueType::SZ | ValueType::EXPAND_SZ => utf16::decode_to_nul(&data.bytes),
        _ => None,
    };
    match (text(wanted), text(found)) {
        (Some(wanted), Some(found)) => wanted.to_lowercase() == found.to_lowercase(),
        _ => match (wanted.readable(), found.readable()) {
            (Some(Readable::Number(wanted)), Some(Readable::Number(found))) => wanted == found,
            _ => false,
        },
    }
}

fn as_text<S: serde::Serializer>(value_type: &ValueType, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value_type)
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(data) => data.fmt(f),
            Self::Numbers { numbers, .. } => numbers.fmt(f),
        }
    }
}
