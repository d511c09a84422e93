//! The data of values as recipes write them: a number, a string, a list of strings, or hexadecimal
//! bytes in a string.

use std::fmt;

use diskmend_base::hex;
use diskmend_hive::ValueType;
use diskmend_hive::name::NameBuf;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use crate::value_data::ValueData;

/// The maximum number of bytes of data that a recipe may write into one value.
const MAX_BYTES: usize = 16 * 1024;

/// Data in a recipe, before their type is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Bool(bool),
    Number(i64),
    Text(String),
    List(Vec<String>),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyForm;
        impl<'de> Visitor<'de> for AnyForm {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, a string, a list of strings, true or false")
            }

            fn visit_bool<E: Error>(self, yes: bool) -> Result<Written, E> {
                Ok(Written::Bool(yes))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Written, E> {
                Ok(Written::Number(number))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
                Ok(Written::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Written, A::Error> {
                let mut list = Vec::new();
                while let Some(text) = seq.next_element()? {
                    list.push(text);
                }
                Ok(Written::List(list))
            }
        }
        deserializer.deserialize_any(AnyForm)
    }
}

/// Reads the name of a type that recipes may write.
pub(crate) fn value_type(name: &str) -> Result<ValueType, String> {
    const ACCEPTED: [ValueType; 8] = [
        ValueType::SZ,
        ValueType::EXPAND_SZ,
        ValueType::MULTI_SZ,
        ValueType::DWORD,
        ValueType::QWORD,
        ValueType::BINARY,
        ValueType::DWORD_BIG_ENDIAN,
        ValueType::NONE,
    ];
    ACCEPTED
        .into_iter()
        .find(|accepted| accepted.name() == Some(name))
        .ok_or_else(|| {
            let names: Vec<_> = ACCEPTED.iter().map(ToString::to_string).collect();
            format!("no type \"{name}\": expected one of {}", names.join(", "))
        })
}

/// Encodes data as Windows stores them.
pub(crate) fn encode(value_type: ValueType, written: &Written) -> Result<ValueData, String> {
    let data = match (value_type, written) {
        (ValueType::DWORD, Written::Number(number)) => dword(*number)?.to_le_bytes().to_vec(),
        (ValueType::DWORD_BIG_ENDIAN, Written::Number(number)) => {
            dword(*number)?.to_be_bytes().to_vec()
        }
        (ValueType::QWORD, Written::Number(number)) => u64::try_from(*number)
            .map_err(|_| format!("{number} is negative, a {value_type} is not"))?
            .to_le_bytes()
            .to_vec(),
        (ValueType::QWORD, Written::Text(text)) => text
            .strip_prefix("0x")
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .ok_or_else(|| format!("\"{text}\" is not a hexadecimal number, such as \"0xff\""))?
            .to_le_bytes()
            .to_vec(),
        (ValueType::SZ | ValueType::EXPAND_SZ, Written::Text(text)) => {
            without_nul(text)?;
            ValueData::text(value_type, text).bytes
        }
        (ValueType::MULTI_SZ, Written::List(list)) => {
            for text in list {
                without_nul(text)?;
                if text.is_empty() {
                    return Err("an empty string would end the list".to_owned());
                }
            }
            ValueData::list(list).bytes
        }
        (ValueType::BINARY | ValueType::NONE, Written::Text(text)) => hex::decode_separated(text)
            .ok_or_else(|| {
            format!("\"{text}\" is not a sequence of bytes, such as \"01 ff\"")
        })?,
        _ => {
            let expected = match value_type {
                ValueType::DWORD | ValueType::DWORD_BIG_ENDIAN => "a number",
                ValueType::QWORD => "a number, or a hexadecimal one in a string",
                ValueType::SZ | ValueType::EXPAND_SZ => "a string",
                ValueType::MULTI_SZ => "a list of strings",
                _ => "hexadecimal bytes in a string",
            };
            return Err(format!("the data of a {value_type} are {expected}"));
        }
    };
    if data.len() > MAX_BYTES {
        return Err(format!(
            "{} bytes of data, a recipe writes at most {MAX_BYTES} into a value",
            data.len()
        ));
    }
    Ok(ValueData {
        value_type,
        bytes: data,
    })
}

fn dword(number: i64) -> Result<u32, String> {
    u32::try_from(number).map_err(|_| format!("{number} is not within 0 to 4294967295"))
}

fn without_nul(text: &str) -> Result<(), String> {
    if text.contains('\0') {
        return Err("a string holds no U+0000: Windows's own terminator is added".to_owned());
    }
    Ok(())
}

/// Checks that a value can have this name.
pub(crate) fn value_name(name: &str) -> Result<(), String> {
    NameBuf::value_name(name)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_encoded_as_windows_stores_them() {
        let text = |text: &str| Written::Text(text.to_owned());
        for (value_type, written, bytes) in [
            (ValueType::DWORD, Written::Number(1), vec![1, 0, 0, 0]),
            (
                ValueType::DWORD_BIG_ENDIAN,
                Written::Number(1),
                vec![0, 0, 0, 1],
            ),
            (ValueType::QWORD, text("0xffffffffffffffff"), vec![0xff; 8]),
            (ValueType::SZ, text("a"), vec![0x61, 0, 0, 0]),
            (ValueType::MULTI_SZ, Written::List(vec![]), vec![0, 0]),
            (
                ValueType::MULTI_SZ,
                Written::List(vec!["a".into(), "b".into()]),
                vec![0x61, 0, 0, 0, 0x62, 0, 0, 0, 0, 0],
            ),
            (ValueType::BINARY, text("01 fe"), vec![1, 0xfe]),
        ] {
            let data = encode(value_type, &written).expect("valid");
            assert_eq!(data.bytes, bytes, "{value_type}");
        }
    }

    #[test]
    fn data_that_do_not_fit_the_type_are_refused() {
        for (value_type, written) in [
            (ValueType::DWORD, Written::Number(-1)),
            (ValueType::DWORD, Written::Number(1 << 32)),
            (ValueType::DWORD, Written::Text("1".into())),
            (ValueType::QWORD, Written::Number(-1)),
            (ValueType::SZ, Written::Number(1)),
            (ValueType::SZ, Written::Text("a\0b".into())),
            (ValueType::MULTI_SZ, Written::List(vec![String::new()])),
            (ValueType::BINARY, Written::Text("0".into())),
            (ValueType::BINARY, Written::Text("00".repeat(MAX_BYTES + 1))),
        ] {
            assert!(
                encode(value_type, &written).is_err(),
                "{value_type} {written:?}"
            );
        }
    }
}
