//! The errors for a store, or a part of it, that can't be read.

use diskmend_base::Guid;
use diskmend_hive::{Corruption, ValueType};

use crate::element_id::ElementId;
use crate::value::ValueError;

/// The reason why a hive can't be read as a boot store, or only partly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The part of the hive with the store is corrupt.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// The hive contains no store.
    #[error("no key Objects below the root: this hive is not a boot store")]
    NoObjects,
    /// There are more keys of a kind than in any real store.
    #[error("more than {limit} {what}")]
    TooMany {
        /// The kind.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A key of `Objects` does not have the name of an object.
    #[error("the name of key Objects\\{name} is not a GUID")]
    ObjectName {
        /// The key's name, escaped for display.
        name: String,
    },
    /// An object without a type.
    #[error("object {object} has no {what}")]
    Missing {
        /// The object.
        object: Guid,
        /// The missing key or value.
        what: &'static str,
    },
    /// The type of an object is not a number.
    #[error("type of object {object} is {found} of {len} bytes: expected REG_DWORD of 4")]
    ObjectType {
        /// The object.
        object: Guid,
        /// The registry type that is stored.
        found: ValueType,
        /// Stored length in bytes.
        len: usize,
    },
    /// A key of `Elements` does not have the name of an element.
    #[error("key {name} in Elements of {object}: expected eight hexadecimal digits")]
    ElementName {
        /// The object.
        object: Guid,
        /// The key's name, escaped for display.
        name: String,
    },
    /// An element's key without the value `Element`.
    #[error("element {element} of {object} has no value Element")]
    NoElementValue {
        /// The object.
        object: Guid,
        /// The element.
        element: ElementId,
    },
    /// The data of an element do not match its format.
    #[error("element {element} of {object}")]
    Value {
        /// The object.
        object: Guid,
        /// The element.
        element: ElementId,
        /// The problem with the data.
        source: ValueError,
    },
}
