//! Changes to a store as data: what is wanted, and the registry edits that bring it about.

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

/// A wanted change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The element shall have this value.
    SetElement {
        /// Whose element; the object must exist.
        object: Guid,
        /// Which element.
        element: ElementId,
        /// Its value, of the format that the id demands.
        value: ElementValue,
    },
    /// The object shall not have this element.
    DeleteElement {
        /// Whose element; the object may be missing.
        object: Guid,
        /// Which element.
        element: ElementId,
    },
    /// The object shall exist; a new one has no elements.
    CreateObject {
        /// Its GUID.
        object: Guid,
        /// Its type; an existing object must have it already.
        object_type: ObjectType,
    },
    /// A new object shall have the type and the elements of another.
    CopyObject {
        /// The object to copy.
        from: Guid,
        /// GUID of the new object, which must not exist.
        to: Guid,
        /// What the boot menu shows for it, where it is not the same.
        description: Option<String>,
    },
    /// The object shall not exist.
    DeleteObject {
        /// Its GUID.
        object: Guid,
        /// Whether elements of other objects shall no longer name it either.
        references: bool,
    },
}

/// An edit of the hive. Paths are relative to its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// The key and those above it shall exist.
    CreateKey {
        /// Path of the key.
        path: String,
    },
    /// The key and all below it shall not exist.
    DeleteKey {
        /// Path of the key.
        path: String,
    },
    /// The value shall be this; its key exists by then.
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

/// Why a change is refused or could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The object does not exist.
    #[error("object {object} does not exist")]
    NoObject {
        /// The object.
        object: Guid,
    },
    /// The object exists already.
    #[error("object {object} exists already")]
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
    /// The value is of another format than the element's id demands.
    #[error("element {element} takes a value of type {expected}, not {}",
        .found.map_or("data of an unknown format".to_owned(), |format| format.to_string()))]
    Format {
        /// The element.
        element: ElementId,
        /// What its id demands.
        expected: Format,
        /// What the value is.
        found: Option<Format>,
    },
    /// The string can't be stored as one.
    #[error("string for element {element} with U+0000 at character {index}")]
    Nul {
        /// The element.
        element: ElementId,
        /// Place in characters.
        index: usize,
    },
    /// The data are no device.
    #[error("device for element {element} of {len} bytes holds no device descriptor")]
    Device {
        /// The element.
        element: ElementId,
        /// Length of the data in bytes.
        len: usize,
    },
    /// The value is longer than is read again.
    #[error("value of {len} bytes for element {element}: expected at most {limit}")]
    TooLong {
        /// The element.
        element: ElementId,
        /// Length of the data in bytes.
        len: usize,
        /// Longest allowed, in bytes.
        limit: usize,
    },
    /// The store can't be read where the change has to.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The hive can't be edited.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl Change {
    /// The edits that bring the change about; none where all is as wanted.
    ///
    /// An element counts as equal where its value is, however it is stored.
    ///
    /// # Errors
    /// Where the change is refused or the store can't be read; see [`ChangeError`].
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
    /// See [`ChangeError`]; after [`ChangeError::Edit`] the hive in memory may be half changed.
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
    pub fn apply(&self, editor: &mut Editor) -> Result<Outcome, EditError> {
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
