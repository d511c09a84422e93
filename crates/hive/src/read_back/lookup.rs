//! Finding keys and values through `nt-hive`, by the rules of Windows.

use std::cmp::Ordering;

use nt_hive::{Hive, KeyNode, KeyValue, NtHiveError, NtHiveNameString};

use crate::hive::components;
use crate::name::{Name, NameBuf};

/// Why a key was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// There is none.
    Absent,
    /// It is in its parent's list, at a place where no search finds it.
    OutOfOrder,
}

impl Missing {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Absent => "no key",
            Self::OutOfOrder => "a key that is not in its place in the subkey list",
        }
    }
}

/// The key at a path below the root.
pub(super) fn find_key<'h>(
    hive: &'h Hive<&'h [u8]>,
    path: &str,
) -> Result<Result<KeyNode<'h, &'h [u8]>, Missing>, NtHiveError> {
    let mut key = hive.root_key_node()?;
    for component in components(path) {
        match find_subkey(&key, component)? {
            Ok(subkey) => key = subkey,
            Err(missing) => return Ok(Err(missing)),
        }
    }
    Ok(Ok(key))
}

fn find_subkey<'h>(
    key: &KeyNode<'h, &'h [u8]>,
    name: &str,
) -> Result<Result<KeyNode<'h, &'h [u8]>, Missing>, NtHiveError> {
    let wanted = NameBuf::new(name);
    let wanted = wanted.as_name();
    if let Some(subkey) = key.subkey(name).transpose()?
        && is(&subkey.name()?, wanted)
    {
        return Ok(Ok(subkey));
    }
    let Some(subkeys) = key.subkeys().transpose()? else {
        return Ok(Err(Missing::Absent));
    };
    let mut found = None;
    let mut in_order = true;
    let mut last: Option<KeyNode<'h, &'h [u8]>> = None;
    for subkey in subkeys {
        let subkey = subkey?;
        let subkey_name = subkey.name()?;
        if let Some(last) = &last {
            let order = order(&last.name()?, &subkey_name);
            in_order &= order == Some(Ordering::Less);
        }
        if is(&subkey_name, wanted) {
            found.get_or_insert_with(|| subkey.clone());
        }
        last = Some(subkey.clone());
    }
    Ok(match found {
        None => Err(Missing::Absent),
        Some(_) if !in_order => Err(Missing::OutOfOrder),
        // The list is in the order of Windows, which nt-hive's search does not share.
        Some(subkey) => Ok(subkey),
    })
}

/// The value of a key with this name.
pub(super) fn find_value<'h>(
    key: &KeyNode<'h, &'h [u8]>,
    name: &str,
) -> Result<Option<KeyValue<'h, &'h [u8]>>, NtHiveError> {
    let wanted = NameBuf::new(name);
    let Some(values) = key.values().transpose()? else {
        return Ok(None);
    };
    for value in values {
        let value = value?;
        if is(&value.name()?, wanted.as_name()) {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn stored<'n>(name: &NtHiveNameString<'n>) -> Option<Name<'n>> {
    match name {
        NtHiveNameString::Latin1(bytes) => Name::stored(bytes, true).ok(),
        NtHiveNameString::Utf16LE(bytes) => Name::stored(bytes, false).ok(),
    }
}

fn is(name: &NtHiveNameString<'_>, wanted: Name<'_>) -> bool {
    stored(name).is_some_and(|name| name.eq_ignore_case(wanted))
}

fn order(first: &NtHiveNameString<'_>, second: &NtHiveNameString<'_>) -> Option<Ordering> {
    Some(stored(first)?.cmp_ignore_case(stored(second)?))
}
