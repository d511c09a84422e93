//! Reads single values of a hive.

use diskmend_hive::{Corruption, Hive};

use crate::value_data::ValueData;

/// The value of a key, or `None` if the key or the value does not exist.
pub(crate) fn value(hive: &Hive, key: &str, name: &str) -> Result<Option<ValueData>, Corruption> {
    short_value(hive, key, name, usize::MAX)
}

/// The value of a key, or `None` if the key or the value does not exist, or if its data have more
/// than `most` bytes. Such data are not read.
pub(crate) fn short_value(
    hive: &Hive,
    key: &str,
    name: &str,
    most: usize,
) -> Result<Option<ValueData>, Corruption> {
    let Some(key) = hive.key(key)? else {
        return Ok(None);
    };
    if key.has_predefined_handle() {
        return Ok(None);
    }
    let Some(value) = key.value(name)?.filter(|value| value.data_len() <= most) else {
        return Ok(None);
    };
    Ok(Some(ValueData {
        value_type: value.data_type(),
        bytes: value.data()?.into_owned(),
    }))
}

/// The number in a `REG_DWORD`; `None` for anything else.
pub(crate) fn dword(hive: &Hive, key: &str, name: &str) -> Result<Option<u32>, Corruption> {
    Ok(value(hive, key, name)?
        .filter(|data| data.value_type == diskmend_hive::ValueType::DWORD)
        .and_then(|data| Some(u32::from_le_bytes(data.bytes.try_into().ok()?))))
}
