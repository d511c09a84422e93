//! The metadata of a file in its record.

use diskmend_base::bytes;
use diskmend_base::count::to_u64;
use zerocopy::byteorder::little_endian::U64;

use super::attribute::Attribute;
use super::error::{Corruption, VolumeError};
use super::format::{AttributeHeader, StandardInformation, attribute_type};
use super::mft::Mft;
use super::names::Names;
use super::record::Record;
use super::records::Records;

/// Bit of a reparse tag: the file means another name, like a link.
const NAME_SURROGATE: u32 = 0x2000_0000;

/// Reparse tag of a file that Windows has compressed with its overlay filter
/// ([MS-FSCC] 2.1.2.1, IO_REPARSE_TAG_WOF).
pub(crate) const WOF: u32 = 0x8000_0017;

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, a junction or a mounted volume.
    Link,
    /// Another reparse point, with data that its file system filter provides; or a system file of
    /// the volume without data.
    Other,
}

/// The metadata of a file, which are known without reading its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The kind.
    pub kind: Kind,
    /// The length of the unnamed data in bytes; 0 if there are none.
    pub len: u64,
    /// The number of names, without short names that belong to a long one.
    pub links: u64,
    /// `FILE_ATTRIBUTE_*` bits.
    pub attributes: u32,
    /// The data is compressed by NTFS itself.
    pub compressed: bool,
    /// The data is encrypted by NTFS itself (EFS).
    pub encrypted: bool,
    /// Key of the security descriptor in $Secure; 0 if there is none.
    pub security_id: u32,
    /// When the data were last changed (a FILETIME).
    pub modified: u64,
    /// Tag of a reparse point.
    pub(crate) reparse_tag: Option<u32>,
}

impl Metadata {
    /// The metadata in the records of a file.
    pub(crate) fn of(records: &Records) -> Result<Self, VolumeError> {
        Self::gather(
            records.base(),
            records.attributes().map(|(_, attribute)| attribute),
        )
    }

    /// The metadata of the file with a base record.
    pub(crate) fn of_base(mft: &Mft, base: &Record) -> Result<Self, VolumeError> {
        match base.find(attribute_type::ATTRIBUTE_LIST, "") {
            None => Self::gather(base, base.attributes()),
            Some(_) => Self::of(&Records::of(mft, base.clone())?),
        }
    }

    fn gather<'a>(
        base: &Record,
        attributes: impl Iterator<Item = Attribute<'a>>,
    ) -> Result<Self, VolumeError> {
        let mut found = Self {
            kind: Kind::Other,
            len: 0,
            links: 0,
            attributes: 0,
            compressed: false,
            encrypted: false,
            security_id: 0,
            modified: 0,
            reparse_tag: None,
        };
        let mut has_data = false;
        let mut names = Names::default();
        for attribute in attributes {
            let value = attribute.resident();
            let is_unnamed = !attribute.has_name();
            match attribute.kind() {
                attribute_type::STANDARD_INFORMATION => {
                    (found.attributes, found.security_id, found.modified) =
                        standard_information(base, value)?;
                }
                attribute_type::FILE_NAME => names.add(value),
                attribute_type::DATA if is_unnamed => {
                    has_data = true;
                    let flags = attribute.flags();
                    found.compressed |= flags & AttributeHeader::MASK_COMPRESSED != 0;
                    found.encrypted |= flags & AttributeHeader::FLAG_ENCRYPTED != 0;
                    match (value, attribute.non_resident()) {
                        (Some(value), _) => {
                            found.len = to_u64(value.len());
                        }
                        (None, Some(header)) if header.lowest_vcn.get() == 0 => {
                            found.len = header.data_size.get();
                        }
                        _ => {}
                    }
                }
                attribute_type::REPARSE_POINT => {
                    // A reparse point that is not resident is not examined, but treated as the kind
                    // that needs the most care.
                    let tag = value.and_then(|value| bytes::view(value, 0).copied());
                    found.reparse_tag = Some(tag.map_or(NAME_SURROGATE, u32::from_le_bytes));
                }
                _ => {}
            }
        }
        found.links = names.count();
        found.kind = match found.reparse_tag {
            Some(tag) if tag & NAME_SURROGATE != 0 => Kind::Link,
            // For users of Windows it is a file, but its content is not in its data.
            Some(WOF) if has_data => Kind::File,
            Some(_) => Kind::Other,
            None if base.is_folder() => Kind::Folder,
            None if has_data => Kind::File,
            None => Kind::Other,
        };
        Ok(found)
    }
}

/// The file's attributes, the id of its descriptor, which is 0 before NTFS 3.0, and the time of the
/// last change of its data. `value` is given if it is resident, as it must be.
fn standard_information(
    base: &Record,
    value: Option<&[u8]>,
) -> Result<(u32, u32, u64), Corruption> {
    let read = |value: &[u8]| {
        let attributes = bytes::u32_at(value, StandardInformation::FILE_ATTRIBUTES)?;
        let security_id = match value.len() {
            StandardInformation::OLD_LEN => 0,
            _ => bytes::u32_at(value, StandardInformation::SECURITY_ID)?,
        };
        let modified: &U64 = bytes::view(value, StandardInformation::LAST_DATA_CHANGE)?;
        Some((attributes, security_id, modified.get()))
    };
    value.and_then(read).ok_or_else(|| {
        let expected = format!("at least {} resident bytes", StandardInformation::OLD_LEN);
        let actual = match value {
            Some(value) => value.len().to_string(),
            None => "others".to_owned(),
        };
        let what = "$STANDARD_INFORMATION";
        Corruption::new(what, base.offset(), expected, actual)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{RecordBuilder, non_resident, resident};
    use super::*;

    fn gather(attribute: Vec<u8>) -> Result<Metadata, VolumeError> {
        let record = RecordBuilder::new(64).attribute(attribute);
        let base = Record::parse(64, 0, record.protected()).expect("sound");
        Metadata::gather(&base, base.attributes())
    }

    /// A file with attributes that can't be read must not count as a file without attributes or
    /// descriptor.
    /// without a descriptor.
    #[test]
    fn standard_information_that_cannot_be_read_is_corruption() {
        let mut value = [0; 72];
        value[32] = 0x20;
        value[52] = 7;
        value[8] = 9;
        let kind = attribute_type::STANDARD_INFORMATION;
        let found = gather(resident(kind, "", &value)).expect("whole");
        assert_eq!((found.attributes, found.security_id), (0x20, 7));
        assert_eq!(found.modified, 9);
        let found = gather(resident(kind, "", &value[..48])).expect("as before NTFS 3.0");
        assert_eq!((found.attributes, found.security_id), (0x20, 0));
        for len in [0, 35, 40, 50, 55] {
            let error = gather(resident(kind, "", &value[..len])).expect_err("cut off");
            assert!(
                error.to_string().contains("$STANDARD_INFORMATION"),
                "{error}"
            );
        }
        let outside = non_resident(kind, "", 1, &[0x11, 1, 40, 0]);
        gather(outside).expect_err("not in the record");
    }
}
