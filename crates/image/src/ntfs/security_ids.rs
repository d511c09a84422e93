//! The keys of security descriptors in the records of many files.

use super::error::VolumeError;
use super::format::{StandardInformation, attribute_type};
use super::mft::check_base;
use super::place::FileId;
use super::volume::Volume;
use crate::bytes;

impl Volume {
    /// Gives each file the security descriptor of a key in $Secure. Durable only after the next
    /// [`Self::sync`]; to be written after $Secure has the key durably.
    ///
    /// All records are checked before the first is written. `ids` are best in the order of their
    /// records.
    ///
    /// # Errors
    /// [`VolumeError::Stale`], a record that has no place for a key, or what the device reports.
    pub fn set_security_ids(&self, ids: &[(FileId, u32)]) -> Result<(), VolumeError> {
        let _writing = self.inner.writing();
        let mft = &self.inner.mft;
        let numbers: Vec<u64> = ids.iter().map(|(id, _)| id.record).collect();
        let mut problem = None;
        mft.visit(&numbers, |index, record| {
            if let (Some((id, _)), None) = (ids.get(index), &problem) {
                problem = record
                    .and_then(|record| {
                        check_base(record, *id)?;
                        let value = record.resident(attribute_type::STANDARD_INFORMATION, "");
                        value
                            .and_then(place)
                            .map(drop)
                            .ok_or_else(|| lacks(record.offset()))
                    })
                    .err();
            }
        });
        if let Some(problem) = problem {
            return Err(problem);
        }
        mft.update(&numbers, |index, record| {
            let Some((id, key)) = ids.get(index) else {
                return Ok(false);
            };
            check_base(record, *id)?;
            let offset = record.offset();
            let place = record
                .resident_mut(attribute_type::STANDARD_INFORMATION, "")
                .and_then(|value| {
                    bytes::view_mut::<[u8; 4]>(value, StandardInformation::SECURITY_ID)
                })
                .ok_or_else(|| lacks(offset))?;
            let key = key.to_le_bytes();
            let changes = *place != key;
            *place = key;
            Ok(changes)
        })
    }
}

fn place(value: &[u8]) -> Option<&[u8; 4]> {
    bytes::view(value, StandardInformation::SECURITY_ID)
}

fn lacks(offset: u64) -> VolumeError {
    let expected = "one of NTFS 3.0 or later";
    super::Corruption::new("standard information", offset, expected, "an older one").into()
}
