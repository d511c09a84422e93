//! What must be found in a hive after its changes.

use std::cmp::Ordering;

use diskmend_base::escape::Visible;

use crate::edit::{Change, ValueContent};
use crate::error::Corruption;
use crate::hive::Hive;
use crate::key::Key;
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
    /// The key exists and has this security descriptor.
    Descriptor(&'a [u8]),
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
    /// The final state of every key, security descriptor and value after the changes.
    #[must_use]
    pub fn of_all(changes: &'a [Change]) -> Vec<Self> {
        let mut last: Vec<Last<'a>> = changes.iter().enumerate().map(Last::new).collect();
        // The latest first among equals; only the latest is kept.
        last.sort_by(|a, b| a.place_cmp(b).then(b.index.cmp(&a.index)));
        last.dedup_by(|later, first| later.place_cmp(first) == Ordering::Equal);
        // A key that was deleted, and perhaps created again, has lost the descriptor that it got
        // before. The key itself comes before its descriptor.
        let mut key: Option<(usize, NameBuf)> = None;
        last.retain(|last| {
            if last.place == Place::Key {
                key = Some((last.index, last.key.clone()));
            }
            let is_lost = |(index, name): &(usize, NameBuf)| {
                *index > last.index && name.as_name().eq_ignore_case(last.key.as_name())
            };
            last.place != Place::Descriptor || !key.as_ref().is_some_and(is_lost)
        });
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
            Expected::Descriptor(wanted) => {
                let found = key.as_ref().map(Key::security_descriptor).transpose()?;
                let words = || format!("another descriptor of key {}", Visible(self.key));
                return Ok((found != Some(wanted)).then(words));
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
    place: Place,
    index: usize,
    expectation: Expectation<'a>,
}

/// What a change is about.
#[derive(PartialEq, Eq)]
enum Place {
    /// The key itself.
    Key,
    /// Its security descriptor.
    Descriptor,
    /// A value of it.
    Value(NameBuf),
}

impl<'a> Last<'a> {
    fn new((index, change): (usize, &'a Change)) -> Self {
        let key = change.key();
        let (place, expected) = match change {
            Change::KeyCreated { .. } => (Place::Key, Expected::Key),
            Change::KeyDeleted { .. } => (Place::Key, Expected::NoKey),
            Change::Descriptor { new, .. } => (Place::Descriptor, Expected::Descriptor(new)),
            Change::Value { name, new, .. } => {
                let expected = match new {
                    None => Expected::NoValue { name },
                    Some(content) => Expected::Value { name, content },
                };
                (Place::Value(NameBuf::new(name)), expected)
            }
        };
        Self {
            key: NameBuf::new(key),
            place,
            index,
            expectation: Expectation { key, expected },
        }
    }

    fn place_cmp(&self, other: &Self) -> Ordering {
        let places = match (&self.place, &other.place) {
            (Place::Value(a), Place::Value(b)) => a.as_name().cmp_ignore_case(b.as_name()),
            (a, b) => a.rank().cmp(&b.rank()),
        };
        self.key
            .as_name()
            .cmp_ignore_case(other.key.as_name())
            .then(places)
    }
}

impl Place {
    /// The order of the places of a key.
    fn rank(&self) -> u8 {
        match self {
            Self::Key => 0,
            Self::Descriptor => 1,
            Self::Value(_) => 2,
        }
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

    fn descriptor(key: &str, new: u8) -> Change {
        Change::Descriptor {
            key: key.to_owned(),
            old: Vec::new(),
            new: vec![new],
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
            descriptor("A", 1),
            descriptor("a", 2),
            descriptor("C", 3),
            Change::KeyDeleted {
                key: "c".into(),
                state: None,
            },
            descriptor("D", 4),
            Change::KeyDeleted {
                key: "D".into(),
                state: None,
            },
            Change::KeyCreated { key: "D".into() },
            descriptor("D", 5),
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
                Expected::Descriptor(bytes) => format!("{} {bytes:?}", e.key),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "A", "a [2]", "a X=[2]", "A no y", "B x=[5]", "no c", "D", "D [5]"
            ]
        );
    }
}
