//! A store as text: readable, and lossless. Importing an exported text restores the store, every
//! key with its spelling and every value with its bytes, even if a store should not contain them.
//! The text does not contain times of keys and security descriptors.
//!
//! ```text
//! diskmend-bcd 1
//!
//! [store]
//! "KeyName" = REG_SZ "BCD00000000"
//!
//! # {bootmgr}: Windows Boot Manager
//! [object {9dea862c-5cdd-4e70-acc1-f32b344d4795}]
//! type = 0x10100002
//! 12000004 description = string "Windows Boot Manager"
//! 23000003 default = object {1b67bffd-e290-11eb-8ffa-f459a0d9b879}
//! 25000004 timeout = integer 30
//! 26000020 displaybootmenu = boolean yes
//! ```
//!
//! The line of an element starts with the name of its key, then `bcdedit`'s name; one of them is
//! enough. A value that is not valid for its element is written as `raw`, a registry type, and its
//! bytes. A key that does not belong in a store has its own section `[key "..." "..."]`.

mod literal;
mod parse;
mod tree;
mod write;

use diskmend_hive::{Corruption, EditError, Key};

use diskmend_hive::Editor;
pub use parse::ParseError;
use tree::Node;

use crate::store::{ELEMENTS, OBJECTS, object_guid};

/// The maximum length of a text to read, in bytes.
pub const MAX_TEXT_LEN: usize = 256 << 20;

const FIRST_LINE: &str = "diskmend-bcd 1";

#[cfg(test)]
mod tests;

/// A whole store, independent of a hive.
///
/// [`Document::parse`] parses its text, its `Display` writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    root: Node,
}

/// The reason why a store can't be exported or imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The hive is corrupt.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// The hive can't be edited.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// There is more of something than any store has.
    #[error("more than {limit} {what}")]
    TooMany {
        /// The things that are too many.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Two keys or values of one key have equal names.
    #[error("name \"{name}\" twice in one key")]
    Duplicate {
        /// The name, escaped for display.
        name: String,
    },
    /// A name that no registry editor can create.
    #[error("name \"{name}\" can't be written")]
    Name {
        /// The name, escaped for display.
        name: String,
    },
}

impl Document {
    /// Reads all keys and values of a hive.
    ///
    /// # Errors
    /// If the hive is corrupt, or exceeds the limits for a store.
    pub fn export(root: &Key<'_>) -> Result<Self, TextError> {
        let mut root = Node::read(root)?;
        // A hive's root can't be renamed, so its name is not part of the store.
        root.name = diskmend_hive::name::NameBuf::new("");
        Ok(Self { root })
    }

    /// The number of objects.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.object_nodes().count()
    }

    /// The number of elements of all objects.
    #[must_use]
    pub fn elements(&self) -> usize {
        let elements = self.object_nodes().filter_map(|node| node.get(ELEMENTS));
        elements.map(|node| node.children.len()).sum()
    }

    fn object_nodes(&self) -> impl Iterator<Item = &Node> {
        let objects = self.root.get(OBJECTS).into_iter();
        objects
            .flat_map(|node| &node.children)
            .filter(|node| object_guid(node.name.as_name()).is_some())
    }

    /// Reads a store's text.
    ///
    /// # Errors
    /// If the text is wrong, with the line.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::parse(text).map(|root| Self { root })
    }

    /// Makes a hive contain exactly this store. Keys and values that are already right are not
    /// touched.
    ///
    /// # Errors
    /// See [`TextError`]; the hive in memory may then be partly changed.
    pub fn import(&self, editor: &mut Editor) -> Result<(), TextError> {
        self.root.write(editor, "")
    }
}
