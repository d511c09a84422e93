//! Walks the keys of a hive from top to bottom, even if the hive is damaged.

use std::collections::HashSet;

use diskmend_hive::name::Name;
use diskmend_hive::{CellOffset, Corruption, Key, MAX_DEPTH, Subkeys};

/// Converts a name to a part of a path.
pub(crate) type Naming = fn(Name<'_>) -> String;

/// A key and everything below it, each key before its subkeys, in the order of the hive.
///
/// The walk skips keys below a key that it has already visited, and keys deeper than Windows loads,
/// so that it ends even for a hostile hive.
pub(crate) struct Walk<'a> {
    naming: Naming,
    start: Option<(String, Key<'a>)>,
    levels: Vec<(String, Subkeys<'a>)>,
    entered: HashSet<CellOffset>,
    unreadable: Option<Unreadable>,
}

/// Subkeys that can't be read.
pub(crate) struct Unreadable {
    /// The path of their parent key.
    pub(crate) parent: String,
    /// The reason.
    pub(crate) error: Corruption,
}

impl<'a> Walk<'a> {
    /// Starts at `key`. The path of the key below the root is `path`.
    pub(crate) fn new(path: String, key: Key<'a>, naming: Naming) -> Self {
        Self {
            naming,
            start: Some((path, key)),
            levels: Vec::new(),
            entered: HashSet::new(),
            unreadable: None,
        }
    }

    fn enter(&mut self, path: String, key: Key<'a>) -> (String, Key<'a>) {
        let refuse = |expected: &'static str| {
            let actual = key.name().escaped().to_string();
            Corruption::new("subkey", key.cell(), expected, actual)
        };
        let subkeys = if self.levels.len() > MAX_DEPTH {
            Err(refuse("at most 511 levels of keys"))
        } else if !self.entered.insert(key.cell()) {
            Err(refuse("a key with a single parent"))
        } else {
            key.subkeys()
        };
        match subkeys {
            Ok(subkeys) => self.levels.push((path.clone(), subkeys)),
            Err(error) => {
                let parent = path.clone();
                self.unreadable = Some(Unreadable { parent, error });
            }
        }
        (path, key)
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<(String, Key<'a>), Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(unreadable) = self.unreadable.take() {
            return Some(Err(unreadable));
        }
        if let Some((path, key)) = self.start.take() {
            return Some(Ok(self.enter(path, key)));
        }
        loop {
            let (parent, subkeys) = self.levels.last_mut()?;
            match subkeys.next() {
                Some(Ok(key)) => {
                    let path = join(parent, &(self.naming)(key.name()));
                    return Some(Ok(self.enter(path, key)));
                }
                Some(Err(error)) => {
                    let parent = parent.clone();
                    return Some(Err(Unreadable { parent, error }));
                }
                None => self.levels.pop(),
            };
        }
    }
}

/// The path of a subkey.
pub(crate) fn join(parent: &str, name: &str) -> String {
    match parent {
        "" => name.to_owned(),
        _ => format!("{parent}\\{name}"),
    }
}
