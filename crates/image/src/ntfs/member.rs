//! Checks whether a file is really in the folder that lists it.
//!
//! An index entry is a copy of data in the file's own record. A forged entry would make a repair of
//! a folder change a file elsewhere. Therefore the record decides, and system files of the volume
//! are in no folder at all.

use diskmend_base::escape::EscapedUnits;

use super::attribute::Attribute;
use super::error::{Corruption, VolumeError};
use super::format::{attribute_type, system};
use super::mft::{Mft, check_base};
use super::names::parse_key;
use super::place::FileId;
use super::record::Record;
use super::records::Records;

/// The name of the root folder in itself.
pub(crate) const SELF: [u16; 1] = [0x2E];

/// A file according to an entry of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// The folder.
    pub folder: FileId,
    /// The name in UTF-16 units, as spelled in the folder.
    pub name: &'a [u16],
    /// The file that the entry names.
    pub file: FileId,
}

impl Member<'_> {
    /// The root folder, which is in itself.
    #[must_use]
    pub fn root(root: FileId) -> Self {
        Self {
            folder: root,
            name: &SELF,
            file: root,
        }
    }

    /// Reads the record, and checks that its file is in the folder.
    pub(crate) fn read(&self, mft: &Mft) -> Result<Record, VolumeError> {
        let record = mft.read_any(self.file.record)?;
        self.check(mft, &record)?;
        Ok(record)
    }

    /// Checks that the file with this base record is in the folder.
    ///
    /// # Errors
    /// [`VolumeError::OwnFile`]; a damaged index, if the record belongs to another file or names
    /// another place.
    pub(crate) fn check(&self, mft: &Mft, record: &Record) -> Result<(), VolumeError> {
        if check_base(record, self.file).is_err() {
            return Err(self.lost(record.offset()));
        }
        if self.file.record == system::ROOT && *self == Member::root(self.file) {
            return Ok(());
        }
        if self.file.record < system::FIRST_USER {
            return Err(VolumeError::OwnFile(self.file));
        }
        let is_listed = record.find(attribute_type::ATTRIBUTE_LIST, "").is_some();
        let lies_there = record
            .attributes()
            .any(|attribute| self.is_told(&attribute))
            || is_listed
                && Records::of(mft, record.clone())?
                    .attributes()
                    .any(|(_, attribute)| self.is_told(&attribute));
        if lies_there {
            return Ok(());
        }
        let actual = format!(
            "file {}, which is elsewhere according to its own record",
            self.file
        );
        Err(self.wrong(record.offset(), "a file that lies there", actual))
    }

    /// True if this $FILE_NAME contains the folder and the name.
    fn is_told(&self, attribute: &Attribute<'_>) -> bool {
        attribute.kind() == attribute_type::FILE_NAME
            && attribute
                .resident()
                .and_then(parse_key)
                .is_some_and(|(folder, name)| folder == self.folder && name == self.name)
    }

    /// The error for a file that does not exist; `offset` is the place that showed it.
    pub(crate) fn lost(&self, offset: u64) -> VolumeError {
        let actual = format!("file {}, which does not exist", self.file);
        self.wrong(offset, "an existing file", actual)
    }

    fn wrong(&self, offset: u64, expected: &'static str, actual: String) -> VolumeError {
        let name = EscapedUnits::new(self.name.iter().copied());
        let expected = format!("{expected} for \"{name}\" in folder {}", self.folder);
        Corruption::new("entry of the folder", offset, expected, actual).into()
    }
}
