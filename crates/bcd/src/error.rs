//! Why a store, or a part of it, can't be read.

use diskmend_base::Guid;
use diskmend_hive::{Corruption, ValueType};

use crate::element_id::ElementId;
use crate::value::ValueError;

/// Why a hive is not read as a boot store, or not further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The hive is corrupt where the store lies.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// The hive holds no store.
    #[error("no key Objects below the root: this hive is no boot store")]
    NoObjects,
    /// More keys of a kind than any real store has.
    #[error("more than {limit} {what}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The most that is read.
        limit: usize,
    },
    /// A key of `Objects` that is named otherwise than objects are.
    #[error("key Objects\\{name} is named by no GUID")]
    ObjectName {
        /// The key's name, escaped for display.
        name: String,
    },
    /// An object without a type.
    #[error("object {object} has no {what}")]
    Missing {
        /// The object.
        object: Guid,
        /// Which key or value is missing.
        what: &'static str,
    },
    /// An object whose type is no number.
    #[error("type of object {object} is {found} of {len} bytes: expected REG_DWORD of 4")]
    ObjectType {
        /// The object.
        object: Guid,
        /// The registry type that is stored.
        found: ValueType,
        /// Stored length in bytes.
        len: usize,
    },
    /// A key of `Elements` that is named otherwise than elements are.
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
    /// An element whose data don't fit its format.
    #[error("element {element} of {object}")]
    Value {
        /// The object.
        object: Guid,
        /// The element.
        element: ElementId,
        /// What is wrong with the data.
        source: ValueError,
    },
}
