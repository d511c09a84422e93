//! Changes to a store as data, and the registry edits that make them.

mod edits;

use diskmend_base::Guid;
use diskmend_hive::{EditError, Outcome, ValueType};

use crate::element_id::{ElementId, Format};
use crate::error::StoreError;
use crate::object_type::ObjectType;
use crate::store::Store;
use crate::value::ElementValue;
use diskmend_hive::Editor;

#[cfg(test)]
mod tests;

/// A desired change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The element gets this value.
    SetElement {
        /// The object with the element; it must exist.
        object: Guid,
        /// The element.
        element: ElementId,
        /// The value, in the format that the id requires.
        value: ElementValue,
    },
    /// The object must not have this element.
    DeleteElement {
        /// The object with the element; it may be missing.
        object: Guid,
        /// The element.
        element: ElementId,
    },
    /// The object must exist; a new object has no elements.
    CreateObject {
        /// Its GUID.
        object: Guid,
        /// Its type; an existing object must already have this type.
        object_type: ObjectType,
    },
    /// A new object gets the type and the elements of another.
    CopyObject {
        /// The object to copy.
        from: Guid,
        /// The GUID of the new object, which must not exist yet.
        to: Guid,
        /// The text for the boot menu, if it differs from that of the original.
        description: Option<String>,
    },
    /// The object must not exist.
    DeleteObject {
        /// Its GUID.
        object: Guid,
        /// True if references in other objects are removed too.
        references: bool,
    },
}

/// An edit of the hive. Paths are relative to its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// The key and its parents must exist.
    CreateKey {
        /// Path of the key.
        path: String,
    },
    /// The key and everything below it must not exist.
    DeleteKey {
        /// Path of the key.
        path: String,
    },
    /// The value must be this; its key exists by then.
    SetValue {
        /// Path of the key.
        path: String,
        /// Name of the value.
        name: &'static str,
        /// Type of the data.
        value_type: ValueType,
        /// The data as stored.
        data: Vec<u8>,
    },
}

/// The reason why a change is refused or could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The object does not exist.
    #[error("object {object} does not exist")]
    NoObject {
        /// The object.
        object: Guid,
    },
    /// The object already exists.
    #[error("object {object} already exists")]
    Exists {
        /// The object.
        object: Guid,
    },
    /// The object exists with another type.
    #[error("object {object} is of type {found}: expected {expected}")]
    ObjectType {
        /// The object.
        object: Guid,
        /// The type it shall have.
        expected: ObjectType,
        /// The type it has.
        found: ObjectType,
    },
    /// The value has another format than the element's id requires.
    #[error("element {element} takes a value of type {expected}, not {}",
        .found.map_or("data of an unknown format".to_owned(), |format| format.to_string()))]
    Format {
        /// The element.
        element: ElementId,
        /// The format that its id requires.
        expected: Format,
        /// The format of the value.
        found: Option<Format>,
    },
    /// The string can't be stored.
    #[error("string for element {element} with U+0000 at character {index}")]
    Nul {
        /// The element.
        element: ElementId,
        /// The position in characters.
        index: usize,
    },
    /// The data are not a device.
    #[error("device for element {element} of {len} bytes holds no device descriptor")]
    Device {
        /// The element.
        element: ElementId,
        /// Length of the data in bytes.
        len: usize,
    },
    /// The value is longer than the limit for reading.
    #[error("value of {len} bytes for element {element}: expected at most {limit}")]
    TooLong {
        /// The element.
        element: ElementId,
        /// Length of the data in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The part of the store that the change needs can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The hive can't be edited.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl Change {
    /// The edits that make the change; none if the store already is as desired.
    ///
    /// An element is compared by its value, not by the way in which the value is stored.
    ///
    /// # Errors
    /// If the change is refused or the store can't be read; see [`ChangeError`].
    pub fn edits(&self, store: &Store<'_>) -> Result<Vec<Edit>, ChangeError> {
        match self {
            Self::SetElement {
                object,
                element,
                value,
            } => edits::set_element(store, *object, *element, value),
            Self::DeleteElement { object, element } => {
                edits::delete_element(store, *object, *element)
            }
            Self::CreateObject {
                object,
                object_type,
            } => edits::create_object(store, *object, *object_type),
            Self::CopyObject {
                from,
                to,
                description,
            } => edits::copy_object(store, *from, *to, description.as_deref()),
            Self::DeleteObject { object, references } => {
                edits::delete_object(store, *object, *references)
            }
        }
    }

    /// Makes the change in a hive that is being edited.
    ///
    /// # Errors
    /// See [`ChangeError`]; after [`ChangeError::Edit`] the hive in memory may be partly changed.
    pub fn apply(&self, editor: &mut Editor) -> Result<Outcome, ChangeError> {
        let root = editor.key("").map_err(StoreError::from)?;
        let store = Store::new(root.ok_or(StoreError::NoObjects)?)?;
        let edits = self.edits(&store)?;
        let mut outcome = Outcome::Unchanged;
        for edit in &edits {
            if edit.apply(editor)? == Outcome::Changed {
                outcome = Outcome::Changed;
            }
        }
        Ok(outcome)
    }
}

impl Edit {
    /// Makes the edit.
    ///
    /// # Errors
    /// See [`EditError`].
    pub(crate) fn apply(&self, editor: &mut Editor) -> Result<Outcome, EditError> {
        match self {
            Self::CreateKey { path } => editor.create_key(path),
            Self::DeleteKey { path } => editor.delete_key(path),
            Self::SetValue {
                path,
                name,
                value_type,
                data,
            } => editor.set_value(path, name, *value_type, data),
        }
    }
}
