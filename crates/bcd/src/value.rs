//! Typed element values, and the bytes in which Windows stores them.

use diskmend_base::Guid;
use diskmend_base::utf16;
use diskmend_hive::ValueType;

use crate::element_id::Format;

/// The maximum length of an element's data to read, in bytes.
pub(crate) const MAX_DATA_LEN: usize = 1 << 16;

/// The value of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ElementValue {
    /// A device, as stored; [`crate::Device::decode`] parses it.
    Device(Vec<u8>),
    /// A string, without its terminator.
    String(String),
    /// One object.
    Object(Guid),
    /// Objects in their order.
    ObjectList(Vec<Guid>),
    /// A number.
    Integer(u64),
    /// Yes or no.
    Boolean(bool),
    /// Numbers in their order.
    IntegerList(Vec<u64>),
    /// Data of an unknown format, as stored.
    Unknown(Vec<u8>),
}

/// Data that are not valid for the format that the element's id requires.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The registry type is wrong.
    #[error("{format} of type {found}: expected {}", .format.value_type())]
    Type {
        /// The format that the id requires.
        format: Format,
        /// The stored registry type.
        found: ValueType,
    },
    /// The length is wrong.
    #[error("{format} of {found} bytes: expected {expected}")]
    Length {
        /// The format that the id requires.
        format: Format,
        /// Allowed lengths in bytes.
        expected: &'static str,
        /// The stored length in bytes.
        found: usize,
    },
    /// The text is not UTF-16.
    #[error("{format} that is not UTF-16 text")]
    Text {
        /// The format that the id requires.
        format: Format,
    },
    /// The text does not name an object.
    #[error("{format} of \"{found}\": expected GUIDs in braces")]
    Guid {
        /// The format that the id requires.
        format: Format,
        /// The stored text, at most its first 64 characters.
        found: String,
    },
}

impl ValueError {
    pub(crate) fn too_long(format: Format, found: usize) -> Self {
        Self::Length {
            format,
            expected: "at most 65536",
            found,
        }
    }
}

impl ElementValue {
    /// Parses an element's data in the format of its id.
    ///
    /// Integers of 1 to 8 bytes and strings without a terminator are accepted too.
    ///
    /// # Errors
    /// If the data do not match the format.
    pub(crate) fn decode(
        format: Format,
        value_type: ValueType,
        data: &[u8],
    ) -> Result<Self, ValueError> {
        if let Format::Unknown(_) = format {
            return Ok(Self::Unknown(data.to_vec()));
        }
        if value_type != format.value_type() {
            return Err(ValueError::Type {
                format,
                found: value_type,
            });
        }
        let length = |expected| ValueError::Length {
            format,
            expected,
            found: data.len(),
        };
        if data.len() > MAX_DATA_LEN {
            return Err(ValueError::too_long(format, data.len()));
        }
        Ok(match format {
            Format::Device => {
                if data.len() < crate::device::MIN_LEN {
                    return Err(length("at least 32"));
                }
                Self::Device(data.to_vec())
            }
            Format::String => {
                Self::String(utf16::decode_to_nul(data).ok_or(ValueError::Text { format })?)
            }
            Format::Object => {
                let text = utf16::decode_to_nul(data).ok_or(ValueError::Text { format })?;
                Self::Object(guid(format, &text)?)
            }
            Format::ObjectList => Self::ObjectList(object_list(data)?),
            Format::Integer => Self::Integer(integer(data).ok_or_else(|| length("1 to 8"))?),
            Format::Boolean => match data {
                [byte] => Self::Boolean(*byte != 0),
                _ => return Err(length("1")),
            },
            Format::IntegerList => match data.as_chunks() {
                (numbers, []) => {
                    Self::IntegerList(numbers.iter().copied().map(u64::from_le_bytes).collect())
                }
                _ => return Err(length("a multiple of 8")),
            },
            Format::Unknown(_) => Self::Unknown(data.to_vec()),
        })
    }

    /// The format of the value; `None` for data of an unknown format.
    #[must_use]
    pub(crate) const fn format(&self) -> Option<Format> {
        Some(match self {
            Self::Device(_) => Format::Device,
            Self::String(_) => Format::String,
            Self::Object(_) => Format::Object,
            Self::ObjectList(_) => Format::ObjectList,
            Self::Integer(_) => Format::Integer,
            Self::Boolean(_) => Format::Boolean,
            Self::IntegerList(_) => Format::IntegerList,
            Self::Unknown(_) => return None,
        })
    }

    /// The bytes as Windows writes them: integers have 8 bytes, booleans 1 byte, strings have their
    /// terminator, GUIDs are in lower case.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Device(data) | Self::Unknown(data) => data.clone(),
            Self::String(text) => utf16::encode_terminated(text),
            Self::Object(guid) => utf16::encode_terminated(&guid.to_string()),
            Self::ObjectList(guids) => {
                let mut data: Vec<u8> = guids
                    .iter()
                    .flat_map(|guid| utf16::encode_terminated(&guid.to_string()))
                    .collect();
                data.extend([0, 0]);
                data
            }
            Self::Integer(number) => number.to_le_bytes().to_vec(),
            Self::Boolean(yes) => vec![u8::from(*yes)],
            Self::IntegerList(numbers) => numbers
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect(),
        }
    }
}

fn integer(data: &[u8]) -> Option<u64> {
    if data.is_empty() {
        return None;
    }
    let mut bytes = [0; 8];
    bytes.get_mut(..data.len())?.copy_from_slice(data);
    Some(u64::from_le_bytes(bytes))
}

fn guid(format: Format, text: &str) -> Result<Guid, ValueError> {
    text.parse().map_err(|_| ValueError::Guid {
        format,
        found: text.chars().take(64).collect(),
    })
}

fn object_list(data: &[u8]) -> Result<Vec<Guid>, ValueError> {
    let format = Format::ObjectList;
    let units = utf16::units(data).ok_or(ValueError::Text { format })?;
    units
        .split(|&unit| unit == 0)
        // A sequence of strings ends at the first empty one.
        .take_while(|text| !text.is_empty())
        .map(|text| {
            let text = String::from_utf16(text).map_err(|_| ValueError::Text { format })?;
            guid(format, &text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::well_known::{BOOTMGR, EMSSETTINGS};

    fn decode(format: Format, data: &[u8]) -> Result<ElementValue, ValueError> {
        ElementValue::decode(format, format.value_type(), data)
    }

    #[test]
    fn values_are_stored_as_windows_stores_them() {
        assert_eq!(
            ElementValue::Integer(115_200).encode(),
            [0, 0xc2, 1, 0, 0, 0, 0, 0]
        );
        assert_eq!(ElementValue::Boolean(true).encode(), [1]);
        assert_eq!(
            ElementValue::String("\\x".into()).encode(),
            [b'\\', 0, b'x', 0, 0, 0]
        );
        let list = ElementValue::ObjectList(vec![BOOTMGR]).encode();
        assert_eq!(list.len(), (38 + 2) * 2);
        assert!(list.ends_with(&[b'}', 0, 0, 0, 0, 0]));
        assert_eq!(
            ElementValue::IntegerList(vec![0x1500_0075]).encode(),
            [0x75, 0, 0, 0x15, 0, 0, 0, 0]
        );
    }

    #[test]
    fn stored_values_are_read_again() {
        for value in [
            ElementValue::String("Windows Server é".into()),
            ElementValue::String(String::new()),
            ElementValue::Object(BOOTMGR),
            ElementValue::ObjectList(vec![]),
            ElementValue::ObjectList(vec![BOOTMGR, EMSSETTINGS]),
            ElementValue::Integer(u64::MAX),
            ElementValue::Boolean(false),
            ElementValue::IntegerList(vec![]),
            ElementValue::IntegerList(vec![1, u64::MAX]),
            ElementValue::Device(vec![7; 32]),
        ] {
            let format = value.format().unwrap();
            assert_eq!(decode(format, &value.encode()), Ok(value));
        }
    }

    #[test]
    fn integers_of_one_to_eight_bytes_are_read() {
        assert_eq!(decode(Format::Integer, &[5]), Ok(ElementValue::Integer(5)));
        assert_eq!(
            decode(Format::Integer, &[5, 0, 0, 1]),
            Ok(ElementValue::Integer(0x0100_0005))
        );
        assert!(decode(Format::Integer, &[]).is_err());
        assert!(decode(Format::Integer, &[0; 9]).is_err());
    }

    #[test]
    fn data_of_the_wrong_format_are_refused_with_what_was_expected() {
        let error = ElementValue::decode(Format::Boolean, ValueType::DWORD, &[1, 0, 0, 0]);
        assert_eq!(
            error.unwrap_err().to_string(),
            "boolean of type REG_DWORD: expected REG_BINARY"
        );
        assert_eq!(
            decode(Format::Boolean, &[1, 0]).unwrap_err().to_string(),
            "boolean of 2 bytes: expected 1"
        );
        assert!(decode(Format::String, &[1]).is_err());
        assert!(decode(Format::String, &[0, 0xd8]).is_err());
        assert!(decode(Format::Object, &utf16::encode_terminated("{bootmgr}")).is_err());
        assert!(decode(Format::ObjectList, &utf16::encode_terminated("x")).is_err());
        assert!(decode(Format::IntegerList, &[0; 7]).is_err());
        assert!(decode(Format::Device, &[0; 31]).is_err());
        assert!(decode(Format::Device, &vec![0; MAX_DATA_LEN + 1]).is_err());
    }
}
