//! How many names a file has by its own record.

use diskmend_base::bytes;

use super::format::FileName;
use super::place::FileId;

/// The names that the `$FILE_NAME`s of a file tell of.
#[derive(Debug, Default)]
pub(super) struct Names {
    long: Vec<FileId>,
    short: Vec<FileId>,
}

impl Names {
    /// Takes one more `$FILE_NAME`.
    pub(super) fn add(&mut self, value: &[u8]) {
        let Some(name) = bytes::view::<FileName>(value, 0) else {
            return;
        };
        let folder = FileId::from_reference(name.parent.get());
        match name.namespace {
            FileName::NAMESPACE_DOS => self.short.push(folder),
            _ => self.long.push(folder),
        }
    }

    /// Their number. The short one for DOS stands beside a long one in the same folder, and is none
    /// of its own; elsewhere it would be a second place of the file.
    pub(super) fn count(mut self) -> u32 {
        self.long.sort_unstable();
        let is_alone = |folder: &&FileId| self.long.binary_search(folder).is_err();
        let alone = self.short.iter().filter(is_alone).count();
        u32::try_from(self.long.len().saturating_add(alone)).unwrap_or(u32::MAX)
    }
}
