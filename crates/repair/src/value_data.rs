//! The type and data of a value, readable and comparable.

mod bits;

use std::fmt;

use diskmend_base::escape::Escaped;
use diskmend_base::hex::{self, Hex};
use diskmend_base::utf16;
use diskmend_hive::{ValueContent, ValueType};
use serde::de::Error as _;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use bits::{AnyBits, Bits};

/// The type and the data of a registry value. Two are equal if all bytes are;
/// [`is_same`](Self::is_same) compares them as Windows reads them.
///
/// It is serialized as `{"type": "REG_DWORD", "data": 1, "hex": "01000000"}`; `data` is the
/// readable form (a number, a string, a list of strings), and absent if there is none; `hex` always
/// has the exact bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueData {
    /// The type, which may be any number.
    pub value_type: ValueType,
    /// The bytes as stored.
    pub bytes: Vec<u8>,
}

/// The readable form of a value's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Readable {
    /// Of `REG_DWORD`, `REG_DWORD_BIG_ENDIAN` and `REG_QWORD` of the right length.
    Number(u64),
    /// Of `REG_SZ` and `REG_EXPAND_SZ` that are UTF-16 with one terminator.
    Text(String),
    /// Of `REG_MULTI_SZ` that are UTF-16 with a terminator after each string and one more.
    List(Vec<String>),
}

impl From<ValueContent> for ValueData {
    fn from(content: ValueContent) -> Self {
        let ValueContent { value_type, bytes } = content;
        Self { value_type, bytes }
    }
}

impl ValueData {
    /// A `REG_DWORD`.
    #[must_use]
    pub fn dword(number: u32) -> Self {
        Self {
            value_type: ValueType::DWORD,
            bytes: number.to_le_bytes().to_vec(),
        }
    }

    /// A string type (`REG_SZ`, `REG_EXPAND_SZ`), UTF-16LE with its terminator.
    #[must_use]
    pub fn text(value_type: ValueType, text: &str) -> Self {
        Self {
            value_type,
            bytes: utf16::encode_terminated(text),
        }
    }

    /// A `REG_MULTI_SZ`: each string with its terminator, then one more.
    #[must_use]
    pub fn list(strings: &[String]) -> Self {
        let mut bytes: Vec<u8> = strings
            .iter()
            .flat_map(|text| utf16::encode_terminated(text))
            .collect();
        bytes.extend([0, 0]);
        Self {
            value_type: ValueType::MULTI_SZ,
            bytes,
        }
    }

    /// The readable form; `None` if the bytes do not match the type, so that the readable form
    /// never hides anything.
    #[must_use]
    pub fn readable(&self) -> Option<Readable> {
        let number = |value| Some(Readable::Number(value));
        match self.value_type {
            ValueType::DWORD => number(u32::from_le_bytes(self.exact()?).into()),
            ValueType::DWORD_BIG_ENDIAN => number(u32::from_be_bytes(self.exact()?).into()),
            ValueType::QWORD => number(u64::from_le_bytes(self.exact()?)),
            ValueType::SZ | ValueType::EXPAND_SZ => {
                let text = utf16::decode(&self.bytes)?;
                let text = text.strip_suffix('\0')?;
                (!text.contains('\0')).then(|| Readable::Text(text.to_owned()))
            }
            ValueType::MULTI_SZ => {
                let text = utf16::decode(&self.bytes)?;
                let body = text.strip_suffix('\0')?;
                if body.is_empty() {
                    return Some(Readable::List(Vec::new()));
                }
                let strings: Vec<_> = body.strip_suffix('\0')?.split('\0').collect();
                let whole = strings.iter().all(|string| !string.is_empty());
                whole.then(|| Readable::List(strings.into_iter().map(str::to_owned).collect()))
            }
            _ => None,
        }
    }

    /// True if Windows reads the same from both: the types are equal, and so are the data. If they
    /// are strings or lists of strings, the terminators at the end don't count: some programs store
    /// one too few or one too many.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.value_type == other.value_type
            && match self.value_type {
                ValueType::SZ | ValueType::EXPAND_SZ | ValueType::MULTI_SZ => {
                    unterminated(&self.bytes) == unterminated(&other.bytes)
                }
                _ => self.bytes == other.bytes,
            }
    }

    /// The number that Windows reads from the data. Flags are also stored as `REG_BINARY` and
    /// `REG_NONE`; these are numbers if they have four or eight bytes.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match self.value_type {
            ValueType::BINARY | ValueType::NONE => match self.exact() {
                Some(bytes) => Some(u32::from_le_bytes(bytes).into()),
                None => self.exact().map(u64::from_le_bytes),
            },
            _ => match self.readable()? {
                Readable::Number(number) => Some(number),
                Readable::Text(_) | Readable::List(_) => None,
            },
        }
    }

    /// Data of the same type and length with another number; `None` if these are none, or if the
    /// number is too large for them.
    #[must_use]
    pub fn with_number(&self, number: u64) -> Option<Self> {
        self.number()?;
        let bytes = match (self.bytes.len(), self.value_type) {
            (8, _) => number.to_le_bytes().to_vec(),
            (_, ValueType::DWORD_BIG_ENDIAN) => u32::try_from(number).ok()?.to_be_bytes().to_vec(),
            _ => u32::try_from(number).ok()?.to_le_bytes().to_vec(),
        };
        Some(Self {
            value_type: self.value_type,
            bytes,
        })
    }

    fn exact<const N: usize>(&self) -> Option<[u8; N]> {
        self.bytes.as_slice().try_into().ok()
    }
}

/// UTF-16 without the terminators at its end. The last one may be cut.
fn unterminated(bytes: &[u8]) -> &[u8] {
    let (units, cut) = bytes.as_chunks::<2>();
    if cut.iter().any(|byte| *byte != 0) {
        return bytes;
    }
    let text = units.iter().rposition(|unit| *unit != [0, 0]);
    let units = text.map_or(0, |last| last + 1);
    bytes.get(..units * 2).unwrap_or(bytes)
}

/// The data for display, without the type: `1 (0x1)`, a quoted string, a list, or bytes; long data
/// are cut, and their length is shown. Text is in the form of [`diskmend_base::escape`].
impl fmt::Display for ValueData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST_CHARS: usize = 200;
        const MOST_BYTES: usize = 32;
        let quoted = |f: &mut fmt::Formatter<'_>, text: &str| {
            let cut: String = text.chars().take(MOST_CHARS).collect();
            let more = if cut.len() < text.len() { "..." } else { "" };
            write!(f, "\"{}\"{more}", Escaped(&cut))
        };
        match self.readable() {
            Some(Readable::Number(number)) if number < 10 => write!(f, "{number}"),
            Some(Readable::Number(number)) => write!(f, "{number} ({number:#x})"),
            Some(Readable::Text(text)) => quoted(f, &text),
            Some(Readable::List(strings)) => {
                f.write_str("[")?;
                for (index, string) in strings.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    quoted(f, string)?;
                }
                f.write_str("]")
            }
            None if self.bytes.is_empty() => f.write_str("empty"),
            None => {
                let shown = self.bytes.get(..MOST_BYTES).unwrap_or(&self.bytes);
                write!(f, "hex {}", Hex(shown))?;
                if shown.len() < self.bytes.len() {
                    write!(f, "... ({} bytes)", self.bytes.len())?;
                }
                Ok(())
            }
        }
    }
}

impl Serialize for ValueData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let readable = self.readable();
        let fields = 2 + usize::from(readable.is_some());
        let mut data = serializer.serialize_struct("ValueData", fields)?;
        data.serialize_field("type", &self.value_type.to_string())?;
        match readable {
            Some(readable) => data.serialize_field("data", &readable)?,
            None => data.skip_field("data")?,
        }
        data.serialize_field("hex", &hex::encode(&self.bytes))?;
        data.end()
    }
}

impl<'de> Deserialize<'de> for ValueData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw {
            #[serde(rename = "type")]
            value_type: String,
            hex: String,
        }
        let raw = Raw::deserialize(deserializer)?;
        Ok(Self {
            value_type: ValueType::parse(&raw.value_type).ok_or_else(|| {
                D::Error::custom(format!("no value type: \"{}\"", raw.value_type))
            })?,
            bytes: hex::decode_separated(&raw.hex)
                .ok_or_else(|| D::Error::custom("no hexadecimal bytes"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_json_and_shows_a_readable_form() {
        for (data, json) in [
            (
                ValueData::dword(1),
                r#"{"type":"REG_DWORD","data":1,"hex":"01000000"}"#,
            ),
            (
                ValueData::text(ValueType::EXPAND_SZ, "%a%"),
                r#"{"type":"REG_EXPAND_SZ","data":"%a%","hex":"2500610025000000"}"#,
            ),
            (
                ValueData::list(&["a".to_owned()]),
                r#"{"type":"REG_MULTI_SZ","data":["a"],"hex":"610000000000"}"#,
            ),
            (
                ValueData {
                    value_type: ValueType(0x1234),
                    bytes: vec![0xff],
                },
                r#"{"type":"0x1234","hex":"ff"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&data).expect("serialize"), json);
            let back: ValueData = serde_json::from_str(json).expect("deserialize");
            assert_eq!(back, data);
        }
    }

    /// A healthy Windows 10 1903 once differed from the default of `BootExecute`, because its list
    /// ends with one terminator instead of two.
    #[test]
    fn terminators_at_the_end_do_not_count() {
        let text = |value_type, text: &str, end: &[u8]| {
            let mut bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            bytes.extend(end);
            ValueData { value_type, bytes }
        };
        let types = [ValueType::SZ, ValueType::EXPAND_SZ, ValueType::MULTI_SZ];
        let ends: [&[u8]; 6] = [&[], &[0], &[0; 2], &[0; 3], &[0; 4], &[0; 6]];
        for value_type in types {
            for (one, other) in ends.iter().flat_map(|one| ends.map(|other| (one, other))) {
                let one = text(value_type, "autocheck\0x", one);
                let other = text(value_type, "autocheck\0x", other);
                assert!(one.is_same(&other), "{one:?} {other:?}");
            }
            let ended = |word| text(value_type, word, &[0, 0]);
            for other in [
                "autocheck",
                "autocheck\0X",
                "autocheck\0\0x",
                "\0autocheck\0x",
                "",
            ] {
                assert!(!ended("autocheck\0x").is_same(&ended(other)), "{other:?}");
            }
            assert!(!ended("a").is_same(&text(value_type, "a", &[1])));
            assert!(ended("").is_same(&text(value_type, "", &[])));
        }
        let other_type = text(ValueType::EXPAND_SZ, "a", &[0, 0]);
        assert!(!text(ValueType::SZ, "a", &[0, 0]).is_same(&other_type));
        let binary = |end: &[u8]| text(ValueType::BINARY, "a", end);
        assert!(!binary(&[0, 0]).is_same(&binary(&[])));
    }

    #[test]
    fn data_that_do_not_fit_the_type_are_shown_as_bytes() {
        let short = ValueData {
            value_type: ValueType::DWORD,
            bytes: vec![1, 0],
        };
        assert_eq!(short.readable(), None);
        assert_eq!(short.to_string(), "hex 0100");
        let unterminated = ValueData {
            value_type: ValueType::SZ,
            bytes: vec![0x61, 0],
        };
        assert_eq!(unterminated.readable(), None);
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let data = ValueData::text(ValueType::SZ, "a\u{1b}[31m\u{202e}b");
        assert_eq!(data.to_string(), "\"a<U+001B>[31m<U+202E>b\"");
    }
}
