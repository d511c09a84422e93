//! The keys and values of a store as a tree in memory, apart from any hive.

use std::cmp::Ordering;

use diskmend_hive::name::{Name, NameBuf};
use diskmend_hive::{EditError, Key, ValueType};

use super::TextError;
use diskmend_hive::Editor;

/// The maximum depth of keys below the root; an element's key has depth four.
pub(super) const MAX_DEPTH: usize = 16;
/// The maximum number of keys.
const MAX_KEYS: usize = 1 << 20;
/// The maximum size of the data of all values together, in bytes.
const MAX_DATA: usize = 64 << 20;

/// A key with everything below it. Children are in the order of their names, as in a hive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: NameBuf,
    pub(super) values: Vec<RawValue>,
    pub(super) children: Vec<Node>,
}

/// A value as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawValue {
    pub(super) name: NameBuf,
    pub(super) value_type: ValueType,
    pub(super) data: Vec<u8>,
}

impl Node {
    pub(super) fn new(name: NameBuf) -> Self {
        Self {
            name,
            values: Vec::new(),
            children: Vec::new(),
        }
    }

    /// The child with this name, ignoring case, or the place where it belongs.
    pub(super) fn find(&self, name: Name<'_>) -> Result<usize, usize> {
        self.children
            .binary_search_by(|child| child.name.as_name().cmp_ignore_case(name))
    }

    /// The child with exactly this name, which is created if it is missing; `None` if a child has a
    /// name that differs only in case.
    pub(super) fn child(&mut self, name: &NameBuf) -> Option<&mut Node> {
        let index = match self.find(name.as_name()) {
            Ok(index) => index,
            Err(index) => {
                self.children.insert(index, Node::new(name.clone()));
                index
            }
        };
        self.children
            .get_mut(index)
            .filter(|child| child.name == *name)
    }

    /// The child with this name, ignoring case.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        let index = self.find(NameBuf::new(name).as_name()).ok()?;
        self.children.get(index)
    }

    /// The child with exactly this name.
    pub(super) fn exact(&self, name: &str) -> Option<&Node> {
        let name = NameBuf::new(name);
        let index = self.find(name.as_name()).ok()?;
        self.children.get(index).filter(|child| child.name == name)
    }

    /// True if a value has this name, ignoring case.
    pub(super) fn has_value(&self, name: Name<'_>) -> bool {
        self.values
            .iter()
            .any(|value| value.name.as_name().cmp_ignore_case(name) == Ordering::Equal)
    }

    /// Reads a key of a hive with everything below it.
    pub(super) fn read(key: &Key<'_>) -> Result<Self, TextError> {
        let mut budget = Budget {
            keys: MAX_KEYS,
            data: MAX_DATA,
        };
        read(key, MAX_DEPTH, &mut budget)
    }

    /// Makes an existing key of a hive contain exactly what the node contains.
    pub(super) fn write(&self, editor: &mut Editor, path: &str) -> Result<(), TextError> {
        self.drop_others(editor, path)?;
        for value in &self.values {
            let name = value.name.to_string();
            editor.set_value(path, &name, value.value_type, &value.data)?;
        }
        for child in &self.children {
            let path = format!("{path}\\{}", child.name.as_name().in_path());
            editor.create_key(&path)?;
            child.write(editor, &path)?;
        }
        Ok(())
    }

    /// Deletes keys and values that the node does not have, or has with another spelling or order.
    fn drop_others(&self, editor: &mut Editor, path: &str) -> Result<(), TextError> {
        let no_key = || {
            TextError::Edit(EditError::NoSuchKey {
                path: path.to_owned(),
            })
        };
        let key = editor.key(path)?.ok_or_else(no_key)?;
        let mut keys = Vec::new();
        for child in key.subkeys()? {
            let name = child?.name().to_buf();
            let kept = self.find(name.as_name()).is_ok_and(|index| {
                self.children
                    .get(index)
                    .is_some_and(|node| node.name == name)
            });
            if !kept {
                keys.push(name.as_name().in_path().to_string());
            }
        }
        let mut values = Vec::new();
        for value in key.values()? {
            values.push(value?.name().to_buf());
        }
        for name in keys {
            editor.delete_key(&format!("{path}\\{name}"))?;
        }
        if !values
            .iter()
            .eq(self.values.iter().map(|value| &value.name))
        {
            for name in values {
                editor.delete_value(path, &name.to_string())?;
            }
        }
        Ok(())
    }
}

struct Budget {
    keys: usize,
    data: usize,
}

fn read(key: &Key<'_>, depth: usize, budget: &mut Budget) -> Result<Node, TextError> {
    let too_many = |what, limit| TextError::TooMany { what, limit };
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| too_many("levels of keys", MAX_DEPTH))?;
    budget.keys = budget
        .keys
        .checked_sub(1)
        .ok_or_else(|| too_many("keys", MAX_KEYS))?;
    let mut node = Node::new(key.name().to_buf());
    for value in key.values()? {
        let value = value?;
        budget.data = budget
            .data
            // The overhead of a value in addition to its data.
            .checked_sub(value.data_len().saturating_add(64))
            .ok_or_else(|| too_many("bytes of data", MAX_DATA))?;
        if node.has_value(value.name()) {
            return Err(TextError::Duplicate {
                name: value.name().escaped().to_string(),
            });
        }
        node.values.push(RawValue {
            name: value.name().to_buf(),
            value_type: value.data_type(),
            data: value.data()?.into_owned(),
        });
    }
    for child in key.subkeys()? {
        let child = child?;
        if child.name().check_key().is_err() {
            return Err(TextError::Name {
                name: child.name().escaped().to_string(),
            });
        }
        let child = read(&child, depth, budget)?;
        match node.find(child.name.as_name()) {
            Err(index) => node.children.insert(index, child),
            Ok(_) => {
                return Err(TextError::Duplicate {
                    name: child.name.as_name().escaped().to_string(),
                });
            }
        }
    }
    Ok(node)
}
