//! The second reader: looks up the results of an edit with the `nt-hive` crate.
//!
//! That crate shares no code with this project, so that a misunderstanding of the format on one
//! side is noticed. It panics on some hives that Windows reads; such a panic is caught and treated
//! like any other result.

mod lookup;
mod quiet;

use diskmend_base::escape::Visible;
use diskmend_hive::format::BigData;
use diskmend_hive::{Expectation, Expected, ValueContent, ValueType};
use nt_hive::{Hive, KeyValue, NtHiveError};
use serde::Serialize;

use self::lookup::{Lookup, LookupError, Missing, find_value};

/// The result of reading the edited hive with a second, independent reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondReader {
    /// It finds the same values.
    Agrees,
    /// It can't read the hive, not even as it was before the edit. Our own reader decided.
    CannotRead(String),
    /// It wasn't used.
    Skipped,
}

/// The result of the second reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReadBack {
    /// All expectations are met.
    Agrees,
    /// One expectation is not met.
    Disagrees {
        /// The path of the key, and the name of the value if the expectation is about a value.
        path: String,
        /// What was expected there.
        expected: String,
        /// What the second reader found.
        actual: String,
    },
    /// The second reader gave up, but what it read agrees. To find out whether the edit caused
    /// this, look up these places in the hive before the edit.
    CannotRead {
        /// Its error or panic message.
        reason: String,
    },
}

/// Looks up `expected` in a hive file's bytes with the `nt-hive` crate.
///
/// The base block is not validated: neither sequence numbers nor checksum matter here. Two
/// differences between `nt-hive` and Windows do not count as a disagreement. If its order of names
/// (a later upper-casing table) makes it miss a key, the whole list is read. In formats before 1.4
/// it takes data of more than 16344 bytes for big data; only type and length of such data are
/// compared.
pub(crate) fn read_back(file: &[u8], expected: &[Expectation<'_>]) -> ReadBack {
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
    let key = lookup.key(expectation.key)?;
    let path = expectation.key;
    Ok(match (expectation.expected, key) {
        (Expected::Key, Ok(_)) | (Expected::NoKey, Err(Missing::Absent)) => None,
        // `nt-hive` reads no security descriptors.
        (Expected::Descriptor(_), Ok(_)) => None,
        (Expected::NoKey, Ok(_)) => Some(disagrees(path, "no key", "a key")),
        (Expected::NoValue { .. }, Err(Missing::Absent)) => None,
        (_, Err(missing)) => Some(disagrees(path, "a key", missing.text())),
        (Expected::NoValue { name }, Ok(key)) => match find_value(&key, name)? {
            None => None,
            Some(value) => Some(disagrees(
                &value_path(path, name),
                "no value",
                length(data_type(&value)?, value.data_size()),
            )),
        },
        (Expected::Value { name, content }, Ok(key)) => match find_value(&key, name)? {
            None => Some(disagrees(
                &value_path(path, name),
                content.to_string(),
                "no value",
            )),
            Some(value) => differs(hive, &value, content)?
                .map(|(wanted, actual)| disagrees(&value_path(path, name), wanted, actual)),
        },
    })
}

/// The expected and the actual content of a value, if they differ.
fn differs(
    hive: &Hive<&[u8]>,
    value: &KeyValue<'_, &[u8]>,
    wanted: &ValueContent,
) -> Result<Option<(String, String)>, NtHiveError> {
    let value_type = data_type(value)?;
    let len = value.data_size() as usize;
    let plain = len > BigData::SEGMENT_LEN && hive.minor_version() < BigData::MIN_MINOR;
    // nt-hive panics if empty data are stored in the old way, without a cell.
    if len == 0 || plain {
        let same = value_type == wanted.value_type && len == wanted.bytes.len();
        let found = || (wanted.to_string(), length(value_type, value.data_size()));
        return Ok((!same).then(found));
    }
    let bytes = value.data()?.into_vec()?;
    let found = ValueContent { value_type, bytes };
    Ok((found != *wanted).then(|| (wanted.to_string(), found.to_string())))
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

fn length(data_type: ValueType, len: u32) -> String {
    format!("{data_type} of {len} bytes")
}

#[cfg(test)]
mod tests;
