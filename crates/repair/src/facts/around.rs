//! What surrounds a value of the registry: its key, and the disk.

use diskmend_hive::Corruption;

use super::Facts;
use crate::hive_on_disk::HiveOnDisk;
use crate::reading;
use crate::value_data::ValueData;

/// The surroundings of a value of a key in a hive.
pub(crate) struct Around<'a, 'f> {
    pub(crate) hive: &'a HiveOnDisk,
    pub(crate) facts: &'a Facts<'f>,
    pub(crate) key: &'a str,
}

impl Around<'_, '_> {
    /// Another value of the key.
    ///
    /// # Errors
    /// If the hive is corrupt.
    pub(crate) fn value(&self, name: &str) -> Result<Option<ValueData>, Corruption> {
        reading::value(&self.hive.hive, self.key, name)
    }

    /// True if the program that these data name is surely not on the disk.
    pub(crate) fn is_program_missing(&self, data: &ValueData) -> bool {
        self.facts.named_files().is_program_missing(data)
    }

    /// True if these data name a drive that the Windows surely doesn't know.
    pub(crate) fn is_drive_missing(&self, data: &ValueData) -> bool {
        self.facts.drives().is_missing(data)
    }

    /// True if the data are a path to this folder or to one above it, or may be.
    pub(crate) fn may_cover(&self, data: &ValueData, folder: &[&str]) -> bool {
        self.facts.named_files().may_cover(data, folder)
    }
}
