//! Finds keys and values through `nt-hive`, by the rules of Windows.

use std::collections::{HashMap, HashSet};

use diskmend_hive::name::{Name, NameBuf};
use diskmend_hive::{Expectation, components};
use nt_hive::{Hive, KeyNode, KeyValue, NtHiveError, NtHiveNameString};

/// The reason why a key was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It does not exist.
    Absent,
    /// It is in its parent's list, at a place at which no search finds it.
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

/// A key of the hive as `nt-hive` reads it, or the reason why there is none.
type Found<'h> = Result<KeyNode<'h, &'h [u8]>, Missing>;

/// The wanted subkeys of a list that was read completely. `None` if the list could not be read.
type Listed<'h> = Option<HashMap<Vec<u16>, Found<'h>>>;

/// The upper-cased components of a path.
type Path = Vec<Vec<u16>>;

/// The reason why a lookup failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookupError {
    /// An error of `nt-hive`.
    #[error(transparent)]
    NtHive(#[from] NtHiveError),
    /// An earlier lookup has already tried.
    #[error("a list of subkeys that could not be read before")]
    Unreadable,
}

/// Finds the keys of all expectations.
///
/// If a search does not find a key, the key counts as absent only after the whole list was read.
/// Each list is read once, however many of its keys are looked up.
pub(super) struct Lookup<'h, 'e> {
    hive: &'h Hive<&'h [u8]>,
    expected: &'e [Expectation<'e>],
    /// The upper-cased paths of all expectations, sorted; empty until the first list is read.
    paths: Vec<Path>,
    /// The lists that were read, by the path of their key.
    lists: HashMap<Path, Listed<'h>>,
}

impl<'h, 'e> Lookup<'h, 'e> {
    pub(super) fn new(hive: &'h Hive<&'h [u8]>, expected: &'e [Expectation<'e>]) -> Self {
        Self {
            hive,
            expected,
            paths: Vec::new(),
            lists: HashMap::new(),
        }
    }

    /// The key at a path below the root.
    pub(super) fn key(&mut self, path: &str) -> Result<Found<'h>, LookupError> {
        let mut key = self.hive.root_key_node()?;
        let mut above = Vec::new();
        for component in components(path) {
            match self.subkey(&key, &above, component)? {
                Ok(subkey) => key = subkey,
                Err(missing) => return Ok(Err(missing)),
            }
            above.push(NameBuf::new(component).as_name().folded());
        }
        Ok(Ok(key))
    }

    /// The subkey with this name of the key at the upper-cased path `above`.
    fn subkey(
        &mut self,
        key: &KeyNode<'h, &'h [u8]>,
        above: &[Vec<u16>],
        name: &str,
    ) -> Result<Found<'h>, LookupError> {
        let wanted = NameBuf::new(name);
        if let Some(subkey) = key.subkey(name).transpose()?
            && is(&subkey.name()?, wanted.as_name())
        {
            return Ok(Ok(subkey));
        }
        if !self.lists.contains_key(above) {
            // This entry stays if reading ends in an error or a panic.
            self.lists.insert(above.to_vec(), None);
            let names = self.list(key, above)?;
            self.lists.insert(above.to_vec(), Some(names));
        }
        let names = self.lists.get(above).and_then(Option::as_ref);
        let names = names.ok_or(LookupError::Unreadable)?;
        let found = names.get(&wanted.as_name().folded());
        Ok(found.cloned().unwrap_or(Err(Missing::Absent)))
    }

    /// Reads a whole list of subkeys and keeps those that expectations name.
    fn list(
        &mut self,
        key: &KeyNode<'h, &'h [u8]>,
        above: &[Vec<u16>],
    ) -> Result<HashMap<Vec<u16>, Found<'h>>, LookupError> {
        let wanted = self.wanted_below(above);
        let mut found = HashMap::new();
        let mut is_in_order = true;
        let Some(subkeys) = key.subkeys().transpose()? else {
            return Ok(found);
        };
        let mut last: Option<KeyNode<'h, &'h [u8]>> = None;
        for subkey in subkeys {
            #[cfg(test)]
            super::tests::count();
            let subkey = subkey?;
            let name = subkey.name()?;
            if let Some(last) = &last {
                is_in_order &= in_order(&last.name()?, &name);
            }
            if let Some(name) = stored(&name).map(Name::folded)
                && wanted.contains(&name)
            {
                found.entry(name).or_insert_with(|| Ok(subkey.clone()));
            }
            last = Some(subkey);
        }
        if !is_in_order {
            found
                .values_mut()
                .for_each(|key| *key = Err(Missing::OutOfOrder));
        }
        // The list is in the order of Windows, which nt-hive's search does not use.
        Ok(found)
    }

    /// Upper-cased names of the keys directly below a path that expectations lead through.
    fn wanted_below(&mut self, above: &[Vec<u16>]) -> HashSet<Vec<u16>> {
        if self.paths.is_empty() {
            let path = |expectation: &Expectation<'_>| {
                components(expectation.key)
                    .map(|component| NameBuf::new(component).as_name().folded())
                    .collect()
            };
            self.paths = self.expected.iter().map(path).collect();
            self.paths.sort_unstable();
            self.paths.dedup();
        }
        let first = self.paths.partition_point(|path| path.as_slice() < above);
        let below = self.paths.iter().skip(first);
        below
            .map_while(|path| path.strip_prefix(above))
            .filter_map(|path| path.first().cloned())
            .collect()
    }
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
    stored(name).is_some_and(|name| name.is_same(wanted))
}

/// True if two names of a list are in order, by at least one of the tables.
fn in_order(first: &NtHiveNameString<'_>, second: &NtHiveNameString<'_>) -> bool {
    let (Some(first), Some(second)) = (stored(first), stored(second)) else {
        return false;
    };
    first.sorts_before(second)
}
