//! Editing a hive while noting what changes, so that it can be verified, shown and reversed.

use std::borrow::Cow;
use std::cmp::Ordering;

use diskmend_hive::name::NameBuf;
use diskmend_hive::{
    Corruption, EditError, Edited, Editor, Expectation, Expected, Key, Outcome, ValueType,
    components,
};

use crate::documents::{ChangedKey, ChangedValue};
use crate::run::JournalChange;
use crate::value_data::ValueData;

/// Most changes that are noted one by one; beyond that a run can be undone by restoring its bytes
/// only.
const MAX_CHANGES: usize = 50_000;
/// Most bytes of data that are noted.
const MAX_BYTES: usize = 8 << 20;

/// Edits a hive and notes each change. Paths are those of [`Editor`].
pub struct Recorder {
    editor: Editor,
    changes: Vec<JournalChange>,
    bytes: usize,
    reversible: bool,
}

/// What an edit came to.
pub(crate) struct Recorded {
    pub(crate) edited: Edited,
    pub(crate) changes: Vec<JournalChange>,
    /// Whether the changes tell everything that is needed to reverse them.
    pub(crate) reversible: bool,
}

impl Recorder {
    pub(crate) fn new(editor: Editor) -> Self {
        Self {
            editor,
            changes: Vec::new(),
            bytes: 0,
            reversible: true,
        }
    }

    /// The key at a path as it is now.
    ///
    /// # Errors
    /// Where a structure on the way is corrupt.
    pub fn key(&self, path: &str) -> Result<Option<Key<'_>>, Corruption> {
        self.editor.key(path)
    }

    /// Creates a key and every key missing on the way to it.
    ///
    /// # Errors
    /// As [`Editor::create_key`].
    pub fn create_key(&mut self, path: &str) -> Result<Outcome, EditError> {
        let mut missing = Vec::new();
        let mut at = String::new();
        for component in components(path) {
            if !at.is_empty() {
                at.push('\\');
            }
            at.push_str(component);
            if !missing.is_empty() || self.editor.key(&at)?.is_none() {
                missing.push(at.clone());
            }
        }
        let outcome = self.editor.create_key(path)?;
        for key in missing {
            self.note(JournalChange::KeyCreated(ChangedKey { key }));
        }
        Ok(outcome)
    }

    /// Deletes a key with all that is in it.
    ///
    /// # Errors
    /// As [`Editor::delete_key`].
    pub fn delete_key(&mut self, path: &str) -> Result<Outcome, EditError> {
        let Some(key) = self.editor.key(path)? else {
            return self.editor.delete_key(path);
        };
        let path = components(path).collect::<Vec<_>>().join("\\");
        let content = self.content(&path, key)?;
        let outcome = self.editor.delete_key(&path)?;
        match content {
            Some(content) => content.into_iter().for_each(|change| self.note(change)),
            None => {
                self.reversible = false;
                self.changes
                    .retain(|change| !is_below(key_of(change), &path));
            }
        }
        self.note(JournalChange::KeyDeleted(ChangedKey { key: path }));
        Ok(outcome)
    }

    /// Sets a value of a key that exists.
    ///
    /// # Errors
    /// As [`Editor::set_value`].
    pub fn set_value(
        &mut self,
        path: &str,
        name: &str,
        value_type: ValueType,
        data: &[u8],
    ) -> Result<Outcome, EditError> {
        let old = self.value(path, name)?;
        let outcome = self.editor.set_value(path, name, value_type, data)?;
        if outcome == Outcome::Changed {
            let bytes = data.to_vec();
            let new = Some(ValueData { value_type, bytes });
            self.note_value(path, name, old, new);
        }
        Ok(outcome)
    }

    /// Deletes a value.
    ///
    /// # Errors
    /// As [`Editor::delete_value`].
    pub fn delete_value(&mut self, path: &str, name: &str) -> Result<Outcome, EditError> {
        let old = self.value(path, name)?;
        let outcome = self.editor.delete_value(path, name)?;
        if outcome == Outcome::Changed {
            self.note_value(path, name, old, None);
        }
        Ok(outcome)
    }

    /// The value as it is now.
    ///
    /// # Errors
    /// Where a structure on the way is corrupt.
    pub fn value(&self, path: &str, name: &str) -> Result<Option<ValueData>, Corruption> {
        let Some(key) = self.editor.key(path)? else {
            return Ok(None);
        };
        let Some(value) = key.value(name)? else {
            return Ok(None);
        };
        Ok(Some(ValueData {
            value_type: value.data_type(),
            bytes: value.data()?.into_owned(),
        }))
    }

    pub(crate) fn finish(self) -> Result<Recorded, EditError> {
        Ok(Recorded {
            edited: self.editor.finish()?,
            changes: self.changes,
            reversible: self.reversible,
        })
    }

    fn note_value(
        &mut self,
        path: &str,
        name: &str,
        old: Option<ValueData>,
        new: Option<ValueData>,
    ) {
        self.note(JournalChange::Value(ChangedValue {
            key: components(path).collect::<Vec<_>>().join("\\"),
            value: name.to_owned(),
            old,
            new,
        }));
    }

    fn note(&mut self, change: JournalChange) {
        self.bytes = self.bytes.saturating_add(weight(&change));
        self.changes.push(change);
        if self.changes.len() > MAX_CHANGES || self.bytes > MAX_BYTES {
            self.reversible = false;
        }
    }

    /// What deleting a key takes with it, in the order in which it goes; `None` if that is too
    /// much to note.
    fn content(&self, path: &str, key: Key<'_>) -> Result<Option<Vec<JournalChange>>, Corruption> {
        let mut changes = Vec::new();
        let mut bytes = self.bytes;
        let mut pending = vec![(path.to_owned(), key)];
        let mut visited = 0;
        while let Some((path, key)) = pending.pop() {
            visited += 1;
            if visited > MAX_CHANGES {
                return Ok(None);
            }
            if visited > 1 {
                changes.push(JournalChange::KeyDeleted(ChangedKey { key: path.clone() }));
            }
            for value in key.values()? {
                let value = value?;
                changes.push(JournalChange::Value(ChangedValue {
                    key: path.clone(),
                    value: value.name().to_string(),
                    old: Some(ValueData {
                        value_type: value.data_type(),
                        bytes: value.data()?.into_owned(),
                    }),
                    new: None,
                }));
                bytes = bytes.saturating_add(value.data_len());
                if changes.len() > MAX_CHANGES || bytes > MAX_BYTES {
                    return Ok(None);
                }
            }
            for child in key.subkeys()? {
                let child = child?;
                pending.push((format!("{path}\\{}", child.name().in_path()), child));
            }
        }
        // A key goes after all that is in it.
        changes.reverse();
        Ok(Some(changes))
    }
}

fn weight(change: &JournalChange) -> usize {
    let data = |data: &Option<ValueData>| data.as_ref().map_or(0, |data| data.bytes.len());
    match change {
        JournalChange::Value(value) => data(&value.old) + data(&value.new),
        JournalChange::KeyCreated(_) | JournalChange::KeyDeleted(_) => 0,
    }
}

pub(crate) fn key_of(change: &JournalChange) -> &str {
    match change {
        JournalChange::KeyCreated(key) | JournalChange::KeyDeleted(key) => &key.key,
        JournalChange::Value(value) => &value.key,
    }
}

/// Whether a key is another, or lies below it.
fn is_below(key: &str, above: &str) -> bool {
    let mut components = key.split('\\');
    above.split('\\').all(|wanted| {
        components
            .next()
            .is_some_and(|name| crate::names::same_name(name, wanted))
    })
}

/// The last word of the changes on every key and value.
pub(crate) fn expected(changes: &[JournalChange]) -> Vec<Expectation<'_>> {
    let mut last: Vec<Last<'_>> = changes.iter().enumerate().map(Last::new).collect();
    // The latest first among equals, which is the one that stays.
    last.sort_by(|a, b| a.place_cmp(b).then(b.index.cmp(&a.index)));
    last.dedup_by(|later, first| later.place_cmp(first) == Ordering::Equal);
    last.into_iter().map(|last| last.expectation).collect()
}

/// What a change leaves behind, and where.
struct Last<'a> {
    key: NameBuf,
    /// Absent where the change is about the key itself.
    value: Option<NameBuf>,
    index: usize,
    expectation: Expectation<'a>,
}

impl<'a> Last<'a> {
    fn new((index, change): (usize, &'a JournalChange)) -> Self {
        let key = key_of(change);
        let (value, expected) = match change {
            JournalChange::KeyCreated(_) => (None, Expected::Key),
            JournalChange::KeyDeleted(_) => (None, Expected::NoKey),
            JournalChange::Value(change) => {
                let name = Cow::Borrowed(change.value.as_str());
                let expected = match &change.new {
                    None => Expected::NoValue { name },
                    Some(new) => Expected::Value {
                        name,
                        data_type: new.value_type,
                        data: Cow::Borrowed(&new.bytes),
                    },
                };
                (Some(NameBuf::new(&change.value)), expected)
            }
        };
        Self {
            key: NameBuf::new(key),
            value,
            index,
            expectation: Expectation {
                key: Cow::Borrowed(key),
                expected,
            },
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

    fn value(key: &str, name: &str, new: Option<u32>) -> JournalChange {
        JournalChange::Value(ChangedValue {
            key: key.to_owned(),
            value: name.to_owned(),
            old: None,
            new: new.map(ValueData::dword),
        })
    }

    #[test]
    fn the_last_change_of_a_value_is_what_must_be_found() {
        let changes = [
            JournalChange::KeyCreated(ChangedKey { key: "A".into() }),
            value("A", "x", Some(1)),
            value("B", "x", Some(5)),
            value("a", "X", Some(2)),
            value("A", "y", Some(3)),
            value("A", "y", None),
        ];
        let expected = expected(&changes);
        let shown: Vec<String> = expected
            .iter()
            .map(|e| match &e.expected {
                Expected::Key => format!("{}", e.key),
                Expected::NoKey => format!("no {}", e.key),
                Expected::Value { name, data, .. } => format!("{} {name}={data:?}", e.key),
                Expected::NoValue { name } => format!("{} no {name}", e.key),
            })
            .collect();
        assert_eq!(
            shown,
            ["A", "a X=[2, 0, 0, 0]", "A no y", "B x=[5, 0, 0, 0]"]
        );
    }

    #[test]
    fn a_key_is_below_another_by_whole_components() {
        assert!(is_below(r"A\B\C", r"a\b"));
        assert!(is_below(r"A\B", r"A\B"));
        assert!(!is_below(r"A\Bc", r"A\B"));
        assert!(!is_below("A", r"A\B"));
    }
}
