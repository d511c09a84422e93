//! The times of a file's last changes, in its `$STANDARD_INFORMATION`.

use diskmend_base::bytes;
use zerocopy::byteorder::little_endian::{U32, U64};

use super::format::{StandardInformation, attribute_type};
use super::record::Record;

/// Offset of `last_mft_change_time` in `$STANDARD_INFORMATION`, of every version.
const LAST_CHANGE: usize = 16;
/// `FILE_ATTRIBUTE_ARCHIVE`.
const ARCHIVE: u32 = 0x20;

/// Sets the time of the last change of a file or folder; `None` if its record has none.
pub(super) fn set_changed(record: &mut Record, now: u64) -> Option<()> {
    let at = record
        .find(attribute_type::STANDARD_INFORMATION, "")?
        .place();
    let value = record.value_mut(at)?;
    *bytes::view_mut(value, LAST_CHANGE)? = U64::new(now);
    Some(())
}

/// Sets the times of the last change, also of the content, of a file or folder; `None` if its record
/// has none.
pub(super) fn set_times(record: &mut Record, now: u64) -> Option<()> {
    let at = record
        .find(attribute_type::STANDARD_INFORMATION, "")?
        .place();
    let value = record.value_mut(at)?;
    *bytes::view_mut(value, StandardInformation::LAST_DATA_CHANGE)? = U64::new(now);
    *bytes::view_mut(value, LAST_CHANGE)? = U64::new(now);
    Some(())
}

/// Sets the times of a file with changed content, and its attribute that requests a backup; `None`
/// if its record has none.
pub(super) fn set_written(record: &mut Record, now: u64) -> Option<()> {
    set_times(record, now)?;
    let at = record
        .find(attribute_type::STANDARD_INFORMATION, "")?
        .place();
    let value = record.value_mut(at)?;
    let attributes: &mut U32 = bytes::view_mut(value, StandardInformation::FILE_ATTRIBUTES)?;
    *attributes = (attributes.get() | ARCHIVE).into();
    Some(())
}
