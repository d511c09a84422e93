//! What a change needs of a hive that is being edited.

use diskmend_hive::{Corruption, EditError, Editor, Key, Outcome, ValueType};

/// A hive that is being edited: the editor itself, or what notes each of its edits.
///
/// Paths are those of [`Editor`]; the empty one is the root's.
pub trait HiveEdit {
    /// The key at a path as it is now.
    ///
    /// # Errors
    /// Where a structure on the way is corrupt.
    fn key(&self, path: &str) -> Result<Option<Key<'_>>, Corruption>;

    /// Creates a key and every key missing on the way to it.
    ///
    /// # Errors
    /// As [`Editor::create_key`].
    fn create_key(&mut self, path: &str) -> Result<Outcome, EditError>;

    /// Deletes a key with all below it.
    ///
    /// # Errors
    /// As [`Editor::delete_key`].
    fn delete_key(&mut self, path: &str) -> Result<Outcome, EditError>;

    /// Sets a value of a key that exists.
    ///
    /// # Errors
    /// As [`Editor::set_value`].
    fn set_value(
        &mut self,
        path: &str,
        name: &str,
        value_type: ValueType,
        data: &[u8],
    ) -> Result<Outcome, EditError>;

    /// Deletes a value.
    ///
    /// # Errors
    /// As [`Editor::delete_value`].
    fn delete_value(&mut self, path: &str, name: &str) -> Result<Outcome, EditError>;
}

impl HiveEdit for Editor {
    fn key(&self, path: &str) -> Result<Option<Key<'_>>, Corruption> {
        Self::key(self, path)
    }

    fn create_key(&mut self, path: &str) -> Result<Outcome, EditError> {
        Self::create_key(self, path)
    }

    fn delete_key(&mut self, path: &str) -> Result<Outcome, EditError> {
        Self::delete_key(self, path)
    }

    fn set_value(
        &mut self,
        path: &str,
        name: &str,
        value_type: ValueType,
        data: &[u8],
    ) -> Result<Outcome, EditError> {
        Self::set_value(self, path, name, value_type, data)
    }

    fn delete_value(&mut self, path: &str, name: &str) -> Result<Outcome, EditError> {
        Self::delete_value(self, path, name)
    }
}
