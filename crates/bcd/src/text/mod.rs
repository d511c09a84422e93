//! A store as text: readable, and lossless. What is exported and imported again is the same
//! store, every key with its spelling and every value with its bytes, whether or not it is what a
//! store should hold. Times of keys and security descriptors are not part of the text.
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
//! An element's line begins with the name of its key, then `bcdedit`'s name; either is enough.
//! What is no element of the right kind stands as `raw`, a registry type, and its bytes. A key
//! that does not belong into a store has a section `[key "..." "..."]` of its own.

mod literal;
mod parse;
mod tree;
mod write;

use diskmend_hive::{Corruption, EditError, Key};

use diskmend_hive::Editor;
pub use parse::ParseError;
use tree::Node;

/// Longest text that is read, in bytes.
pub const MAX_TEXT_LEN: usize = 256 << 20;

const FIRST_LINE: &str = "diskmend-bcd 1";

#[cfg(test)]
mod tests;

/// A whole store, apart from any hive.
///
/// [`Document::parse`] reads its text, its `Display` writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    root: Node,
}

/// Why a store can't be exported or imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The hive is corrupt.
    #[error(transparent)]
    Corrupt(#[from] Corruption),
    /// The hive can't be edited.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// More than any store has.
    #[error("more than {limit} {what}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The most that is read.
        limit: usize,
    },
    /// Two keys or values of one key have the same name.
    #[error("name \"{name}\" twice in one key")]
    Duplicate {
        /// The name, escaped for display.
        name: String,
    },
    /// A name that no registry editor can make.
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
    /// Where the hive is corrupt, or larger or deeper than any store.
    pub fn export(root: &Key<'_>) -> Result<Self, TextError> {
        let mut root = Node::read(root)?;
        // A hive's root can't be renamed, so that its name is not part of the store.
        root.name = diskmend_hive::name::NameBuf::new("");
        Ok(Self { root })
    }

    /// Reads a store's text.
    ///
    /// # Errors
    /// Where the text is wrong, with the line.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::parse(text).map(|root| Self { root })
    }

    /// Makes a hive hold this store and nothing else. What is as wanted is not touched.
    ///
    /// # Errors
    /// See [`TextError`]; the hive in memory may be half changed then.
    pub fn import(&self, editor: &mut Editor) -> Result<(), TextError> {
        self.root.write(editor, "")
    }
}
