//! The second reader: looks up with the `nt-hive` crate what an edit was to bring about.
//!
//! The crate shares no code with this one, so that a misunderstanding of the format on one side
//! shows. It panics on some hives that Windows reads; such a panic is caught and is a result like
//! any other.

mod lookup;
mod quiet;

use std::borrow::Cow;

use diskmend_base::escape::Visible;

use nt_hive::{Hive, KeyValue, NtHiveError};

use crate::format::BigData;
use crate::value_type::ValueType;

use self::lookup::{Lookup, LookupError, Missing, find_value};

/// Bytes of data that a disagreement shows.
const SHOWN_BYTES: usize = 16;

/// What a hive is to hold at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation<'a> {
    /// Path of the key below the root, as in [`crate::Hive::key`].
    pub key: Cow<'a, str>,
    /// What is to be there.
    pub expected: Expected<'a>,
}

/// What a key is to be or to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected<'a> {
    /// The key exists.
    Key,
    /// The key does not exist.
    NoKey,
    /// The key exists and has a value with this type and these data.
    Value {
        /// The value's name, empty for the default value.
        name: Cow<'a, str>,
        /// Its type.
        data_type: ValueType,
        /// Its data.
        data: Cow<'a, [u8]>,
    },
    /// The key has no value with this name, or does not exist.
    NoValue {
        /// The value's name, empty for the default value.
        name: Cow<'a, str>,
    },
}

/// What the second reader says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadBack {
    /// All expectations hold.
    Agrees,
    /// One expectation does not hold.
    Disagrees {
        /// Path of the key, and the name of the value where it is about one.
        path: String,
        /// What was expected there.
        expected: String,
        /// What the second reader finds there.
        actual: String,
    },
    /// The second reader gave up, and what it did read agrees. Whether that is the edit's fault
    /// shows when it looks up the same places of the hive as it was before.
    CannotRead {
        /// Its error or panic message.
        reason: String,
    },
}

/// Looks up `expected` in a hive file's bytes with the `nt-hive` crate.
///
/// The base block is not validated: neither sequence numbers nor checksum matter here. What
/// `nt-hive` does unlike Windows does not count as a disagreement: where its order of names (a
/// later upper-casing table) leads it past a key, the list is read from end to end; of data
/// longer than 16344 bytes in formats before 1.4, which it takes for big data, type and length
/// are compared only.
#[must_use]
pub fn read_back(file: &[u8], expected: &[Expectation<'_>]) -> ReadBack {
    let hive = match quiet::catch(|| Hive::without_validation(file)) {
        Ok(Ok(hive)) => hive,
        Ok(Err(error)) => {
            let reason = error.to_string();
            return ReadBack::CannotRead { reason };
        }
        Err(reason) => return ReadBack::CannotRead { reason },
    };
    let mut lookup = Lookup::new(&hive, expected);
    let mut unreadable = None;
    for expectation in expected {
        let result = quiet::catch(|| one(&hive, &mut lookup, expectation));
        let reason = match result {
            Ok(Ok(None)) => continue,
            Ok(Ok(Some(disagreement))) => return disagreement,
            Ok(Err(error)) => error.to_string(),
            Err(panic) => panic,
        };
        unreadable.get_or_insert(reason);
    }
    match unreadable {
        None => ReadBack::Agrees,
        Some(reason) => ReadBack::CannotRead { reason },
    }
}

/// The disagreement about one expectation, if there is one.
fn one<'h>(
    hive: &'h Hive<&'h [u8]>,
    lookup: &mut Lookup<'h, '_>,
    expectation: &Expectation<'_>,
) -> Result<Option<ReadBack>, LookupError> {
    let key = lookup.key(&expectation.key)?;
    let path = &*expectation.key;
    Ok(match (&expectation.expected, key) {
        (Expected::Key, Ok(_)) | (Expected::NoKey, Err(Missing::Absent)) => None,
        (Expected::NoKey, Ok(_)) => Some(disagrees(path, "no key", "a key")),
        (Expected::NoValue { .. }, Err(Missing::Absent)) => None,
        (_, Err(missing)) => Some(disagrees(path, "a key", missing.text())),
        (Expected::NoValue { name }, Ok(key)) => match find_value(&key, name)? {
            None => None,
            Some(value) => Some(disagrees(
                &value_path(path, name),
                "no value",
                shown(data_type(&value)?, value.data_size() as usize, None),
            )),
        },
        (
            Expected::Value {
                name,
                data_type,
                data,
            },
            Ok(key),
        ) => {
            let wanted = || shown(*data_type, data.len(), Some(data));
            match find_value(&key, name)? {
                None => Some(disagrees(&value_path(path, name), wanted(), "no value")),
                Some(value) => differs(hive, &value, *data_type, data)?
                    .map(|actual| disagrees(&value_path(path, name), wanted(), actual)),
            }
        }
    })
}

/// What a value holds where it is not what was wanted.
fn differs(
    hive: &Hive<&[u8]>,
    value: &KeyValue<'_, &[u8]>,
    wanted_type: ValueType,
    wanted: &[u8],
) -> Result<Option<String>, NtHiveError> {
    let data_type = data_type(value)?;
    let len = value.data_size() as usize;
    let plain = len > BigData::SEGMENT_LEN && hive.minor_version() < BigData::MIN_MINOR;
    // nt-hive panics where no data are stored the old way, without a cell.
    if len == 0 || plain {
        let same = data_type == wanted_type && len == wanted.len();
        return Ok((!same).then(|| shown(data_type, len, None)));
    }
    let data = value.data()?.into_vec()?;
    let same = data_type == wanted_type && data == wanted;
    Ok((!same).then(|| shown(data_type, data.len(), Some(&data))))
}

fn data_type(value: &KeyValue<'_, &[u8]>) -> Result<ValueType, NtHiveError> {
    match value.data_type() {
        Ok(known) => Ok(ValueType(known as u32)),
        Err(NtHiveError::UnsupportedKeyValueDataType { actual, .. }) => Ok(ValueType(actual)),
        Err(error) => Err(error),
    }
}

fn disagrees(path: &str, expected: impl Into<String>, actual: impl Into<String>) -> ReadBack {
    ReadBack::Disagrees {
        path: path.to_owned(),
        expected: expected.into(),
        actual: actual.into(),
    }
}

fn value_path(key: &str, name: &str) -> String {
    match name {
        "" => format!("{key}, default value"),
        name => format!("{key}, value \"{}\"", Visible(name)),
    }
}

fn shown(data_type: ValueType, len: usize, data: Option<&[u8]>) -> String {
    let mut text = format!("{data_type} of {len} bytes");
    for byte in data.unwrap_or_default().iter().take(SHOWN_BYTES) {
        text.push_str(&format!(" {byte:02x}"));
    }
    if data.is_some_and(|data| data.len() > SHOWN_BYTES) {
        text.push_str(" ...");
    }
    text
}

#[cfg(test)]
mod tests;
