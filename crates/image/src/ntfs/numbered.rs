//! Files by the numbers of their records, which is all that drivers reveal of a mounted volume.

use super::error::VolumeError;
use super::format::{attribute_type, system};
use super::names::Names;
use super::names::parse_key;
use super::records::Records;
use super::volume::Volume;

impl Volume {
    /// True if record `number` belongs to a system file of the volume, which is in no folder except
    /// the root.
    #[must_use]
    pub const fn is_own_record(number: u64) -> bool {
        number < system::FIRST_USER
    }

    /// The number of named streams of the file of record `file`.
    ///
    /// # Errors
    /// No such file, or a damaged record.
    pub fn named_streams(&self, file: u64) -> Result<usize, VolumeError> {
        let records = Records::read_system(&self.inner.mft, file)?;
        let mut names = std::collections::BTreeSet::new();
        for (_, attribute) in records.attributes() {
            if attribute.kind() == attribute_type::DATA && attribute.has_name() {
                names.insert(attribute.name().collect::<Vec<u16>>());
            }
        }
        Ok(names.len())
    }

    /// The number of all names of the file of record `file`, if that file is in the folder of
    /// record `folder` according to its own record, under a name for which `is_name` holds.
    ///
    /// # Errors
    /// No such file or folder, or a damaged record.
    pub fn lies_in(
        &self,
        folder: u64,
        file: u64,
        mut is_name: impl FnMut(&[u16]) -> bool,
    ) -> Result<Option<u64>, VolumeError> {
        let mft = &self.inner.mft;
        let folder = mft.read_system(folder)?.id();
        let records = Records::read_system(mft, file)?;
        let mut names = Names::default();
        let mut lies_there = false;
        for (_, attribute) in records.all(attribute_type::FILE_NAME, "") {
            let value = attribute.resident();
            names.add(value);
            let key = value.and_then(parse_key);
            lies_there |= key.is_some_and(|(parent, name)| parent == folder && is_name(&name));
        }
        Ok(lies_there.then(|| names.count()))
    }
}
