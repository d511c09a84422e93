//! The model, with keys in a sorted map and values in a list, and the files of the hive.

pub(crate) mod files;

use std::collections::BTreeMap;

use diskmend_hive::ValueType;

/// A key of the model.
#[derive(Default)]
pub(crate) struct Tree {
    /// The values in the order of their creation.
    pub(crate) values: Vec<Value>,
    /// The subkeys by their upper-cased names.
    pub(crate) keys: BTreeMap<Vec<u16>, (String, Tree)>,
}

/// A value of the model.
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) kind: ValueType,
    pub(crate) data: Vec<u8>,
}

/// The upper case of the letters in the test, written by hand from Unicode, so that it is
/// independent of the table under test.
fn upper(unit: u16) -> u16 {
    match unit {
        0x61..=0x7A | 0xE0..=0xF6 | 0xF8..=0xFE | 0x430..=0x44F => unit - 0x20,
        0xFF => 0x178,
        other => other,
    }
}

fn folded(name: &str) -> Vec<u16> {
    name.encode_utf16().map(upper).collect()
}

impl Tree {
    pub(crate) fn get_mut(&mut self, path: &[&str]) -> Option<&mut Tree> {
        path.iter().try_fold(self, |key, name| {
            key.keys.get_mut(&folded(name)).map(|(_, key)| key)
        })
    }

    /// Makes a key and its ancestors. Returns true if one was missing.
    pub(crate) fn create(&mut self, path: &[&str]) -> bool {
        let mut key = self;
        let mut missing = false;
        for name in path {
            let entry = key.keys.entry(folded(name));
            missing |= matches!(entry, std::collections::btree_map::Entry::Vacant(_));
            key = &mut entry.or_insert_with(|| ((*name).into(), Tree::default())).1;
        }
        missing
    }

    /// Deletes a key. Returns true if it existed.
    pub(crate) fn delete(&mut self, path: &[&str]) -> bool {
        let Some((last, above)) = path.split_last() else {
            return false;
        };
        let parent = self.get_mut(above);
        parent.is_some_and(|key| key.keys.remove(&folded(last)).is_some())
    }

    /// Sets a value. Returns true if that changed anything.
    pub(crate) fn set(&mut self, name: &str, kind: ValueType, data: Vec<u8>) -> bool {
        let wanted = folded(name);
        let found = self
            .values
            .iter_mut()
            .find(|value| folded(&value.name) == wanted);
        match found {
            Some(value) if value.kind == kind && value.data == data => false,
            Some(value) => {
                value.kind = kind;
                value.data = data;
                true
            }
            None => {
                let name = name.into();
                self.values.push(Value { name, kind, data });
                true
            }
        }
    }

    /// Deletes a value. Returns true if it existed.
    pub(crate) fn unset(&mut self, name: &str) -> bool {
        let wanted = folded(name);
        let before = self.values.len();
        self.values.retain(|value| folded(&value.name) != wanted);
        self.values.len() < before
    }
}
