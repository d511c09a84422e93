//! The changes of an editor, in the registry's terms: enough to show them, to look them up again
//! and to reverse them.

use std::fmt;

use crate::error::Corruption;
use crate::key::Key;
use crate::key::components;
use crate::name::NameBuf;
use crate::value::Value;
use crate::value_type::ValueType;

use super::KeyState;

/// One change of a hive. Paths are below the root, as in [`crate::Hive::key`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A key was created.
    KeyCreated {
        /// Its path.
        key: String,
    },
    /// A key was deleted, after everything in it.
    KeyDeleted {
        /// Its path.
        key: String,
        /// Its state; `None` if it could not be read.
        state: Option<Box<KeyState>>,
    },
    /// A key got another security descriptor.
    Descriptor {
        /// Its path.
        key: String,
        /// The old descriptor, self-relative (MS-DTYP 2.4.6).
        old: Vec<u8>,
        /// The new descriptor.
        new: Vec<u8>,
    },
    /// A value was created, deleted or changed.
    Value {
        /// Path of its key.
        key: String,
        /// Its name, empty for the default value.
        name: String,
        /// The old content; `None` if there was no value.
        old: Option<ValueContent>,
        /// The new content; `None` if there is no value.
        new: Option<ValueContent>,
    },
}

/// The content of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueContent {
    /// Its type.
    pub value_type: ValueType,
    /// Its data, as stored.
    pub bytes: Vec<u8>,
}

impl ValueContent {
    /// The content of a value in a hive.
    ///
    /// # Errors
    /// If its data can't be read.
    pub fn of(value: &Value<'_>) -> Result<Self, Corruption> {
        Ok(Self {
            value_type: value.data_type(),
            bytes: value.data()?.into_owned(),
        })
    }
}

impl fmt::Display for ValueContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 16;
        let Self { value_type, bytes } = self;
        write!(f, "{value_type} of {} bytes", bytes.len())?;
        for byte in bytes.iter().take(SHOWN) {
            write!(f, " {byte:02x}")?;
        }
        if bytes.len() > SHOWN {
            f.write_str(" ...")?;
        }
        Ok(())
    }
}

/// The changes of an edit, in order.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    list: Vec<Change>,
    bytes: usize,
    too_many: bool,
}

impl Change {
    /// The path of the changed key.
    #[must_use]
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::KeyCreated { key }
            | Self::KeyDeleted { key, .. }
            | Self::Descriptor { key, .. }
            | Self::Value { key, .. } => key,
        }
    }

    /// The number of bytes of data that it contains.
    fn weight(&self) -> usize {
        let data =
            |content: &Option<ValueContent>| content.as_ref().map_or(0, |held| held.bytes.len());
        match self {
            Self::Value { old, new, .. } => data(old).saturating_add(data(new)),
            Self::KeyDeleted { state, .. } => state.as_ref().map_or(0, |state| state.weight()),
            Self::Descriptor { old, new, .. } => old.len().saturating_add(new.len()),
            Self::KeyCreated { .. } => 0,
        }
    }
}

impl Changes {
    /// The maximum number of changes that can be reversed one by one.
    pub const MAX: usize = 50_000;
    /// The maximum number of bytes of data that are recorded.
    pub(super) const MAX_BYTES: usize = 8 << 20;

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// True if nothing was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The changes, in order.
    #[must_use]
    pub fn list(&self) -> &[Change] {
        &self.list
    }

    /// True if the changes contain everything that is needed to reverse them. If there are more
    /// than [`Changes::MAX`] changes or 8 MiB of data, they do not.
    #[must_use]
    pub fn are_reversible(&self) -> bool {
        !self.too_many
    }

    pub(super) fn note(&mut self, change: Change) {
        self.bytes = self.bytes.saturating_add(change.weight());
        self.list.push(change);
        if self.list.len() > Self::MAX || self.bytes > Self::MAX_BYTES {
            self.too_many = true;
        }
    }

    /// Records that a key was deleted, preceded by its content; `None` if the content is too large
    /// to record.
    pub(super) fn note_deleted(
        &mut self,
        key: String,
        state: Option<Box<KeyState>>,
        content: Option<Vec<Change>>,
    ) {
        match content {
            Some(content) => content.into_iter().for_each(|change| self.note(change)),
            None => {
                self.too_many = true;
                self.list.retain(|change| !is_below(change.key(), &key));
            }
        }
        self.note(Change::KeyDeleted { key, state });
    }

    /// The deletions that deleting a key implies, in order; `None` if they are too large to record.
    pub(super) fn content_of(
        &self,
        path: &str,
        key: Key<'_>,
    ) -> Result<Option<Vec<Change>>, Corruption> {
        let mut changes = Vec::new();
        let mut bytes = self.bytes;
        let mut pending = vec![(path.to_owned(), key)];
        let mut visited = 0;
        while let Some((path, key)) = pending.pop() {
            visited += 1;
            if visited > Self::MAX {
                return Ok(None);
            }
            if visited > 1 {
                let state = KeyState::of(&key).ok().map(Box::new);
                let key = path.clone();
                let change = Change::KeyDeleted { key, state };
                bytes = bytes.saturating_add(change.weight());
                if bytes > Self::MAX_BYTES {
                    return Ok(None);
                }
                changes.push(change);
            }
            for value in key.values()? {
                let value = value?;
                changes.push(Change::Value {
                    key: path.clone(),
                    name: value.name().to_string(),
                    old: Some(ValueContent::of(&value)?),
                    new: None,
                });
                bytes = bytes.saturating_add(value.data_len());
                if changes.len() > Self::MAX || bytes > Self::MAX_BYTES {
                    return Ok(None);
                }
            }
            for child in key.subkeys()? {
                let child = child?;
                pending.push((format!("{path}\\{}", child.name().in_path()), child));
            }
        }
        // A key is deleted after everything in it.
        changes.reverse();
        Ok(Some(changes))
    }
}

/// A path with one `\` between its components.
pub(super) fn plain(path: &str) -> String {
    components(path).collect::<Vec<_>>().join("\\")
}

/// True if a key equals another, or is below it.
fn is_below(key: &str, above: &str) -> bool {
    let same = |a: &str, b: &str| {
        a == b
            || NameBuf::new(a)
                .as_name()
                .eq_ignore_case(NameBuf::new(b).as_name())
    };
    let mut names = key.split('\\');
    above
        .split('\\')
        .all(|wanted| names.next().is_some_and(|name| same(name, wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_below_another_by_whole_components() {
        assert!(is_below(r"A\B\C", r"a\b"));
        assert!(is_below(r"A\B", r"A\B"));
        assert!(!is_below(r"A\Bc", r"A\B"));
        assert!(!is_below("A", r"A\B"));
    }
}
