//! What must be found in a hive after its changes.

use std::cmp::Ordering;

use diskmend_base::escape::Visible;

use crate::edit::{Change, ValueContent};
use crate::error::Corruption;
use crate::hive::Hive;
use crate::name::NameBuf;

/// What a hive must contain in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation<'a> {
    /// Path of the key below the root, as in [`Hive::key`].
    pub key: &'a str,
    /// What must be there.
    pub expected: Expected<'a>,
}

/// What a key must be or contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected<'a> {
    /// The key exists.
    Key,
    /// The key does not exist.
    NoKey,
    /// The key exists and has a value with this content.
    Value {
        /// The value's name, empty for the default value.
        name: &'a str,
        /// The content.
        content: &'a ValueContent,
    },
    /// The key has no value with this name, or does not exist.
    NoValue {
        /// The value's name, empty for the default value.
        name: &'a str,
    },
}

impl<'a> Expectation<'a> {
    /// The final state of every key and value after the changes.
    #[must_use]
    pub fn of_all(changes: &'a [Change]) -> Vec<Self> {
        let mut last: Vec<Last<'a>> = changes.iter().enumerate().map(Last::new).collect();
        // The latest first among equals; only the latest is kept.
        last.sort_by(|a, b| a.place_cmp(b).then(b.index.cmp(&a.index)));
        last.dedup_by(|later, first| later.place_cmp(first) == Ordering::Equal);
        last.into_iter().map(|last| last.expectation).collect()
    }

    /// Looks it up in a hive; if the hive contains something else, returns that in words.
    ///
    /// # Errors
    /// If a structure on the way is corrupt.
    pub fn differs(&self, hive: &Hive) -> Result<Option<String>, Corruption> {
        let key = hive.key(self.key)?;
        let (name, wanted) = match self.expected {
            Expected::Key | Expected::NoKey => {
                let right = key.is_some() == (self.expected == Expected::Key);
                let there = if key.is_some() { "there" } else { "missing" };
                let found = || format!("key {} {there}", Visible(self.key));
                return Ok((!right).then(found));
            }
            Expected::Value { name, content } => (name, Some(content)),
            Expected::NoValue { name } => (name, None),
        };
        let value = match key.filter(|key| !key.has_predefined_handle()) {
            Some(key) => key.value(name)?,
            None => None,
        };
        let found = value.as_ref().map(ValueContent::of).transpose()?;
        if found.as_ref() == wanted {
            return Ok(None);
        }
        let found = found.map_or("nothing".to_owned(), |found| found.to_string());
        let (key, name) = (Visible(self.key), Visible(name));
        Ok(Some(format!("{found} in value \"{name}\" of key {key}")))
    }
}

/// The last change of a place.
struct Last<'a> {
    key: NameBuf,
    /// `None` if the change is about the key itself.
    value: Option<NameBuf>,
    index: usize,
    expectation: Expectation<'a>,
}

impl<'a> Last<'a> {
    fn new((index, change): (usize, &'a Change)) -> Self {
        let key = change.key();
        let (value, expected) = match change {
            Change::KeyCreated { .. } => (None, Expected::Key),
            Change::KeyDeleted { .. } => (None, Expected::NoKey),
            Change::Value { name, new, .. } => {
                let expected = match new {
                    None => Expected::NoValue { name },
                    Some(content) => Expected::Value { name, content },
                };
                (Some(NameBuf::new(name)), expected)
            }
        };
        Self {
            key: NameBuf::new(key),
            value,
            index,
            expectation: Expectation { key, expected },
        }
    }

    fn place_cmp(&self, other: &Self) -> Ordering {
        let values = match (&self.value, &other.value) {
            (Some(a), Some(b)) => a.as_name().cmp_ignore_case(b.as_name()),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        self.key
            .as_name()
            .cmp_ignore_case(other.key.as_name())
            .then(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value_type::ValueType;

    fn value(key: &str, name: &str, new: Option<u8>) -> Change {
        Change::Value {
            key: key.to_owned(),
            name: name.to_owned(),
            old: None,
            new: new.map(|byte| ValueContent {
                value_type: ValueType::BINARY,
                bytes: vec![byte],
            }),
        }
    }

    #[test]
    fn the_last_change_of_a_value_is_what_must_be_found() {
        let changes = [
            Change::KeyCreated { key: "A".into() },
            value("A", "x", Some(1)),
            value("B", "x", Some(5)),
            value("a", "X", Some(2)),
            value("A", "y", Some(3)),
            value("A", "y", None),
        ];
        let shown: Vec<String> = Expectation::of_all(&changes)
            .iter()
            .map(|e| match &e.expected {
                Expected::Key => e.key.to_owned(),
                Expected::NoKey => format!("no {}", e.key),
                Expected::Value { name, content } => {
                    format!("{} {name}={:?}", e.key, content.bytes)
                }
                Expected::NoValue { name } => format!("{} no {name}", e.key),
            })
            .collect();
        assert_eq!(shown, ["A", "a X=[2]", "A no y", "B x=[5]"]);
    }
}
