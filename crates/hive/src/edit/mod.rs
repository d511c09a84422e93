//! Edits a hive in memory: keys and values, with every list, count, hash and maximum kept correct.
//! Nothing is written to disk here.

mod changes;
mod copy;
mod data;
mod descriptor;
mod free_map;
mod heap;
mod keys;
mod largest;
mod security;
mod state;
mod subkeys;
mod values;

use diskmend_base::escape::Visible;

use crate::error::Corruption;
use crate::format::KeyNode;
use crate::hive::Hive;
use crate::key::Key;
use crate::key::components;
use crate::name::{NameBuf, NameError};
use crate::offset::CellOffset;
use crate::time::Filetime;
use crate::value_type::ValueType;

use changes::plain;
pub use changes::{Change, Changes, ValueContent};
pub use descriptor::NewDescriptor;
use heap::Heap;
pub use state::KeyState;

#[cfg(test)]
mod tests;

/// The depth of the deepest key that Windows loads, counted from the root.
pub const MAX_DEPTH: usize = 511;

/// The reason why an edit was refused or could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The hive is corrupt in a place that the edit has to read or change.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// A name that no key or value can have.
    #[error("name \"{}\"", Visible(name))]
    Name {
        /// The name as given.
        name: String,
        /// The problem with it.
        source: NameError,
    },
    /// The key does not exist.
    #[error("key \"{}\" does not exist", Visible(path))]
    NoSuchKey {
        /// Path below the root.
        path: String,
    },
    /// The root, or a key that is marked as not deletable.
    #[error("key \"{}\" can't be deleted", Visible(path))]
    NotDeletable {
        /// Path below the root.
        path: String,
    },
    /// A key that has no values or subkeys of its own.
    #[error("key \"{}\" is {kind}", Visible(path))]
    Unsupported {
        /// Path below the root.
        path: String,
        /// The kind of key.
        kind: &'static str,
    },
    /// The path has more components than Windows loads.
    #[error("key \"{}\" is deeper than {MAX_DEPTH} levels", Visible(path))]
    TooDeep {
        /// Path below the root.
        path: String,
    },
    /// A key has more in it than the record of the changes can hold: 50,000 keys and values, or 8
    /// MiB of data.
    #[error("key \"{}\" has too much in it to be copied", Visible(path))]
    CopyTooLarge {
        /// Path below the root.
        path: String,
    },
    /// A security descriptor that no key can have.
    #[error("security descriptor: expected {expected}, found {found}")]
    Descriptor {
        /// What a descriptor has.
        expected: &'static str,
        /// What was given.
        found: String,
    },
    /// A class name that no key can have.
    #[error("a class name of {len} bytes")]
    Class {
        /// Its length in bytes.
        len: usize,
    },
    /// The data are longer than the format allows.
    #[error("data of {len} bytes are longer than {max}")]
    DataTooLong {
        /// The length of the data in bytes.
        len: usize,
        /// The maximum length in bytes.
        max: usize,
    },
    /// A key already has as many values as Windows accepts: a longer list would not fit one cell.
    #[error("a key of {count} values can't have more")]
    TooManyValues {
        /// The number of its values.
        count: usize,
    },
    /// A structure does not fit the largest cell that Windows accepts, 1 MiB.
    #[error("{len} bytes do not fit one cell")]
    CellTooLong {
        /// Length in bytes.
        len: usize,
    },
    /// The hive would grow past 2 GiB.
    #[error("the hive can't grow past 2 GiB")]
    Full,
    /// There is no memory for the hive to grow.
    #[error("no memory for {len} bytes of hive bins")]
    OutOfMemory {
        /// The length of the hive bins in bytes.
        len: usize,
    },
    /// An earlier edit failed half way; the hive in memory must be dropped.
    #[error("an earlier edit failed, nothing more can be done with this copy of the hive")]
    Poisoned,
}

/// Whether an edit had anything to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was already as desired; no byte has changed.
    Unchanged,
    /// The hive in memory has changed.
    Changed,
}

/// A hive that is being edited in memory.
///
/// Paths are relative to the root, components are separated by `\`, case does not matter. After an
/// error that is not about its arguments, the hive may be half changed: every further edit, and
/// [`Editor::finish`], is then refused.
pub struct Editor {
    heap: Heap,
    now: Filetime,
    new_descriptor: NewDescriptor,
    changes: Changes,
    poisoned: bool,
}

/// An edited hive that has not been checked yet.
pub struct Edited {
    pub(crate) hive: Hive,
    pub(crate) changes: Changes,
}

impl Editor {
    /// Starts editing. `now` becomes the last-written time of each key that changes.
    #[must_use]
    pub fn new(hive: Hive, now: Filetime) -> Self {
        Self {
            heap: Heap::new(hive.image),
            now,
            new_descriptor: |_| None,
            changes: Changes::default(),
            poisoned: false,
        }
    }

    /// The root of the hive in its current state, for reading.
    ///
    /// # Errors
    /// If its cell is not a key node.
    pub fn root(&self) -> Result<Key<'_>, Corruption> {
        Key::at(self.heap.bins(), self.root_cell())
    }

    /// The key at a path in its current state.
    ///
    /// # Errors
    /// If a structure on the way is corrupt.
    pub fn key(&self, path: &str) -> Result<Option<Key<'_>>, Corruption> {
        self.root()?.descendant(path)
    }

    /// The current content of a value; `None` if there is no such value or key.
    ///
    /// # Errors
    /// If a structure on the way is corrupt.
    pub fn value(&self, path: &str, name: &str) -> Result<Option<ValueContent>, Corruption> {
        let value = match self.key(path)? {
            Some(key) => key.value(name)?,
            None => None,
        };
        value.as_ref().map(ValueContent::of).transpose()
    }

    /// Creates a key and every missing key above it.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn create_key(&mut self, path: &str) -> Result<Outcome, EditError> {
        let names = components(path)
            .map(|name| checked(name, NameBuf::key_name(name)))
            .collect::<Result<Vec<_>, _>>()?;
        if names.len() > MAX_DEPTH {
            return Err(EditError::TooDeep { path: path.into() });
        }
        self.attempt(|editor| {
            let mut at = editor.root_cell();
            let mut outcome = Outcome::Unchanged;
            for (depth, name) in (1..).zip(&names) {
                let key = Key::at(editor.heap.bins(), at)?;
                at = match key.find(name.as_name())? {
                    Ok(child) => child.cell(),
                    Err(position) => {
                        refuse_special(&key, path)?;
                        outcome = Outcome::Changed;
                        let own = editor.descriptor_below(&key)?;
                        let cell = keys::create(&mut editor.heap, at, position, name, editor.now)?;
                        if let Some(own) = own {
                            descriptor::set(&mut editor.heap, cell, &own)?;
                        }
                        let above: Vec<_> = components(path).take(depth).collect();
                        let key = above.join("\\");
                        editor.changes.note(Change::KeyCreated { key });
                        cell
                    }
                };
            }
            Ok(outcome)
        })
    }

    /// Deletes a key with all its values and subkeys; a missing key is [`Outcome::Unchanged`].
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn delete_key(&mut self, path: &str) -> Result<Outcome, EditError> {
        self.attempt(|editor| {
            let Some(key) = editor.key(path)? else {
                return Ok(Outcome::Unchanged);
            };
            let flags = key.node().flags.get();
            if key.cell() == editor.root_cell()
                || flags & (KeyNode::FLAG_NO_DELETE | KeyNode::FLAG_HIVE_ENTRY) != 0
            {
                return Err(EditError::NotDeletable { path: path.into() });
            }
            let cell = key.cell();
            let parent = editor.parent_of(path)?;
            let path = editor.stored_path(path)?;
            let content = editor.changes.content_of(&path, key)?;
            let state = KeyState::of(&key).ok().map(Box::new);
            keys::delete(&mut editor.heap, parent, cell, editor.now)?;
            editor.changes.note_deleted(path, state, content);
            Ok(Outcome::Changed)
        })
    }

    /// Gives a key the state that it or another key had, except for the last-written time, which
    /// the next edit would change again: [`set_last_written`](Self::set_last_written) is for that.
    ///
    /// # Errors
    /// If the state is one that no key can have, and see [`EditError`].
    pub fn restore_key(&mut self, path: &str, state: &KeyState) -> Result<Outcome, EditError> {
        state.check()?;
        self.attempt(|editor| {
            let key = editor.existing(path)?;
            let parent = editor.parent_of(path)?;
            if key == editor.root_cell() {
                return Err(EditError::NotDeletable { path: path.into() });
            }
            state::restore(&mut editor.heap, (parent, key), state)?;
            Ok(Outcome::Changed)
        })
    }

    /// Sets the last-written time of a key; a missing key is [`Outcome::Unchanged`].
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn set_last_written(&mut self, path: &str, time: Filetime) -> Result<Outcome, EditError> {
        self.attempt(|editor| {
            let Some(key) = editor.key(path)? else {
                return Ok(Outcome::Unchanged);
            };
            let key = key.cell();
            keys::touch(&mut editor.heap, key, time)?;
            Ok(Outcome::Changed)
        })
    }

    /// Sets a value's type and data. The key must exist; the value is created if it is missing. An
    /// empty name is the default value.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn set_value(
        &mut self,
        path: &str,
        name: &str,
        value_type: ValueType,
        data: &[u8],
    ) -> Result<Outcome, EditError> {
        let stored = checked(name, NameBuf::value_name(name))?;
        self.attempt(|editor| {
            let key = editor.existing(path)?;
            let old = editor.content(key, &stored)?;
            let outcome = values::set(&mut editor.heap, key, &stored, value_type, data)?;
            if outcome == Outcome::Changed {
                keys::touch(&mut editor.heap, key, editor.now)?;
                let bytes = data.to_vec();
                let new = Some(ValueContent { value_type, bytes });
                editor.note_value(path, name, old, new);
            }
            Ok(outcome)
        })
    }

    /// Deletes a value; a missing value or key is [`Outcome::Unchanged`].
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn delete_value(&mut self, path: &str, name: &str) -> Result<Outcome, EditError> {
        let stored = NameBuf::new(name);
        self.attempt(|editor| {
            let Some(key) = editor.key(path)? else {
                return Ok(Outcome::Unchanged);
            };
            let Some((_, value)) = key.find_value(stored.as_name())? else {
                return Ok(Outcome::Unchanged);
            };
            let (key, old) = (key.cell(), ValueContent::of(&value)?);
            // If it comes back, it has the letters in upper and lower case that it had.
            let name = value.name().to_string();
            let outcome = values::delete(&mut editor.heap, key, &stored)?;
            if outcome == Outcome::Changed {
                keys::touch(&mut editor.heap, key, editor.now)?;
                editor.note_value(path, &name, Some(old), None);
            }
            Ok(outcome)
        })
    }

    /// The changes so far.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Ends the editing.
    ///
    /// # Errors
    /// [`EditError::Poisoned`] after an edit that failed half way, [`EditError::Corrupt`] if a
    /// security cell that no key uses any more can't be removed from its ring.
    pub fn finish(mut self) -> Result<Edited, EditError> {
        if self.poisoned {
            return Err(EditError::Poisoned);
        }
        security::settle(&mut self.heap)?;
        Ok(Edited {
            hive: Hive {
                image: self.heap.image,
            },
            changes: self.changes,
        })
    }

    /// Runs one edit; if it fails for a reason other than its arguments, further edits are refused.
    fn attempt(
        &mut self,
        edit: impl FnOnce(&mut Self) -> Result<Outcome, EditError>,
    ) -> Result<Outcome, EditError> {
        if self.poisoned {
            return Err(EditError::Poisoned);
        }
        let result = edit(self);
        match &result {
            Ok(_)
            | Err(
                EditError::NoSuchKey { .. }
                | EditError::NotDeletable { .. }
                | EditError::Unsupported { .. }
                | EditError::DataTooLong { .. }
                | EditError::TooManyValues { .. },
            ) => {}
            Err(_) => self.poisoned = true,
        }
        result
    }

    fn root_cell(&self) -> CellOffset {
        CellOffset::new(self.heap.image.base_block().root_cell.get())
    }

    fn existing(&self, path: &str) -> Result<CellOffset, EditError> {
        let key = self
            .key(path)?
            .ok_or_else(|| EditError::NoSuchKey { path: path.into() })?;
        refuse_special(&key, path)?;
        Ok(key.cell())
    }

    /// The path of an existing key with the names as they are stored.
    fn stored_path(&self, path: &str) -> Result<String, EditError> {
        let mut key = self.root()?;
        let mut names = Vec::new();
        for component in components(path) {
            key = key
                .subkey(component)?
                .ok_or_else(|| EditError::NoSuchKey { path: path.into() })?;
            names.push(key.name().in_path().to_string());
        }
        Ok(names.join("\\"))
    }

    fn parent_of(&self, path: &str) -> Result<CellOffset, EditError> {
        let components: Vec<_> = components(path).collect();
        let above = components.split_last().map_or(&[][..], |(_, above)| above);
        let mut key = self.root()?;
        for component in above {
            key = key
                .subkey(component)?
                .ok_or_else(|| EditError::NoSuchKey { path: path.into() })?;
        }
        Ok(key.cell())
    }

    /// The current content of a key's value.
    fn content(&self, key: CellOffset, name: &NameBuf) -> Result<Option<ValueContent>, EditError> {
        let key = Key::at(self.heap.bins(), key)?;
        let found = key.find_value(name.as_name())?;
        Ok(found
            .map(|(_, value)| ValueContent::of(&value))
            .transpose()?)
    }

    fn note_value(
        &mut self,
        path: &str,
        name: &str,
        old: Option<ValueContent>,
        new: Option<ValueContent>,
    ) {
        self.changes.note(Change::Value {
            key: plain(path),
            name: name.to_owned(),
            old,
            new,
        });
    }
}

fn checked(name: &str, result: Result<NameBuf, NameError>) -> Result<NameBuf, EditError> {
    result.map_err(|source| EditError::Name {
        name: name.into(),
        source,
    })
}

/// Refuses keys that have no values and subkeys of their own.
fn refuse_special(key: &Key<'_>, path: &str) -> Result<(), EditError> {
    let kind = if key.has_predefined_handle() {
        "a predefined handle"
    } else if key.node().layered & 3 == KeyNode::LAYERED_TOMBSTONE {
        "the tombstone of a layered key"
    } else {
        return Ok(());
    };
    Err(EditError::Unsupported {
        path: path.into(),
        kind,
    })
}
