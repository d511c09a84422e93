//! Adds an attribute to a record: attributes are ordered by their types, then by their names
//! (Linux-NTFS, FILE record).

use diskmend_base::bytes;
use diskmend_base::utf16;
use zerocopy::IntoBytes;

use super::{ALIGN, NoRoom, Record};
use crate::ntfs::attribute::Attribute;
use crate::ntfs::format::{
    AttributeHeader, FileRecordHeader, NonResidentHeader, ResidentHeader, attribute_type,
};

impl Record {
    /// Adds an attribute with a resident value of `len` zeros; there must be none of this type and
    /// name.
    pub(crate) fn add_resident(&mut self, kind: u32, name: &str, len: usize) -> Result<(), NoRoom> {
        let (common, name) = start(kind, name, size_of::<ResidentHeader>())?;
        let value = size_of::<ResidentHeader>().checked_add(name.len());
        let value = value.and_then(|at| at.checked_next_multiple_of(ALIGN));
        let value = value.ok_or(NoRoom)?;
        let header = ResidentHeader {
            common,
            value_length: u32::try_from(len).map_err(|_| NoRoom)?.into(),
            value_offset: u16::try_from(value).map_err(|_| NoRoom)?.into(),
            indexed: 0,
            reserved: 0,
        };
        let end = value.checked_add(len).ok_or(NoRoom)?;
        self.add(kind, &name, header.as_bytes(), end)
    }

    /// Adds a `$FILE_NAME` to those that the file has, after them.
    pub(crate) fn add_name(&mut self, key: &[u8]) -> Result<(), NoRoom> {
        let value = size_of::<ResidentHeader>();
        let common = AttributeHeader {
            name_offset: u16::try_from(value).map_err(|_| NoRoom)?.into(),
            ..start(attribute_type::FILE_NAME, "", value)?.0
        };
        let header = ResidentHeader {
            common,
            value_length: u32::try_from(key.len()).map_err(|_| NoRoom)?.into(),
            value_offset: u16::try_from(value).map_err(|_| NoRoom)?.into(),
            indexed: 1,
            reserved: 0,
        };
        let names = self
            .attributes()
            .filter(|it| it.kind() == attribute_type::FILE_NAME);
        let last = names.last().and_then(|last| last.end()).ok_or(NoRoom)?;
        let attribute = [header.as_bytes(), key].concat();
        self.insert(last.0, attribute)
    }

    /// Sets the number of names to that of the `$FILE_NAME`s in this record.
    pub(crate) fn count_names(&mut self) -> Option<()> {
        let names = self
            .attributes()
            .filter(|it| it.kind() == attribute_type::FILE_NAME);
        let count = u16::try_from(names.count()).ok()?;
        let header = bytes::view_mut::<FileRecordHeader>(&mut self.data, 0)?;
        header.link_count = count.into();
        self.header = header.clone();
        Some(())
    }

    /// Adds an attribute without clusters, with room for mapping pairs of `len` bytes; there must
    /// be none of this type and name.
    pub(crate) fn add_non_resident(
        &mut self,
        kind: u32,
        name: &str,
        len: usize,
    ) -> Result<(), NoRoom> {
        let (common, name) = start(kind, name, size_of::<NonResidentHeader>())?;
        let pairs = size_of::<NonResidentHeader>().checked_add(name.len());
        let pairs = pairs.and_then(|at| at.checked_next_multiple_of(ALIGN));
        let pairs = pairs.ok_or(NoRoom)?;
        let header = NonResidentHeader {
            common: AttributeHeader {
                non_resident: 1,
                ..common
            },
            lowest_vcn: 0.into(),
            highest_vcn: u64::MAX.into(),
            mapping_pairs_offset: u16::try_from(pairs).map_err(|_| NoRoom)?.into(),
            compression_unit: 0,
            reserved: [0; 5],
            allocated_size: 0.into(),
            data_size: 0.into(),
            initialized_size: 0.into(),
        };
        let end = pairs.checked_add(len.max(1)).ok_or(NoRoom)?;
        self.add(kind, &name, header.as_bytes(), end)
    }

    /// Inserts header and name of an attribute of `len` bytes at its place; the rest is zero.
    fn add(&mut self, kind: u32, name: &[u8], header: &[u8], len: usize) -> Result<(), NoRoom> {
        let key = |attribute: &Attribute<'_>| (attribute.kind(), attribute.name().collect());
        let wanted: (u32, Vec<u16>) = (kind, utf16::whole_units(name).collect());
        let after = self.attributes().find(|other| key(other) >= wanted);
        let at = match after {
            Some(after) if key(&after) == wanted => return Err(NoRoom),
            Some(after) => after.place().0,
            None => {
                let last = self.attributes().last().and_then(|last| last.end());
                let first = usize::from(self.header.attributes_offset.get());
                last.map_or(first, |end| end.0)
            }
        };
        let mut attribute = [header, name].concat();
        attribute.resize(len, 0);
        self.insert(at, attribute)
    }

    /// Inserts an attribute at `at`; the ones from there on move.
    fn insert(&mut self, at: usize, mut attribute: Vec<u8>) -> Result<(), NoRoom> {
        let new = attribute
            .len()
            .checked_next_multiple_of(ALIGN)
            .ok_or(NoRoom)?;
        attribute.resize(new, 0);
        let in_use = self.bytes_in_use();
        let end = in_use.checked_add(new).ok_or(NoRoom)?;
        if end > self.data.len() {
            return Err(NoRoom);
        }
        let (instance, next) = self.new_instance()?;
        let place = bytes::view_mut::<AttributeHeader>(&mut attribute, 0).ok_or(NoRoom)?;
        place.length = u32::try_from(new).map_err(|_| NoRoom)?.into();
        place.instance = instance.into();
        let used = u32::try_from(end).map_err(|_| NoRoom)?;
        self.data
            .copy_within(at..in_use, at.checked_add(new).ok_or(NoRoom)?);
        let place = bytes::slice_mut(&mut self.data, at, new).ok_or(NoRoom)?;
        place.copy_from_slice(&attribute);
        let header = bytes::view_mut::<FileRecordHeader>(&mut self.data, 0).ok_or(NoRoom)?;
        header.bytes_in_use = used.into();
        header.next_attribute_instance = next.into();
        self.header = header.clone();
        Ok(())
    }

    /// An instance number that no attribute has, and the number for the next attribute.
    fn new_instance(&self) -> Result<(u16, u16), NoRoom> {
        let mut instance = self.header.next_attribute_instance.get();
        // A record has room for fewer attributes than there are numbers.
        for _ in 0..self.data.len() {
            let next = instance.wrapping_add(1);
            if self.attributes().all(|other| other.instance() != instance) {
                return Ok((instance, next));
            }
            instance = next;
        }
        Err(NoRoom)
    }
}

/// The start of an attribute, with its name after the header, and the name.
fn start(kind: u32, name: &str, header: usize) -> Result<(AttributeHeader, Vec<u8>), NoRoom> {
    let units: Vec<u16> = name.encode_utf16().collect();
    let common = AttributeHeader {
        kind: kind.into(),
        length: 0.into(),
        non_resident: 0,
        name_length: u8::try_from(units.len()).map_err(|_| NoRoom)?,
        name_offset: u16::try_from(header).map_err(|_| NoRoom)?.into(),
        flags: 0.into(),
        instance: 0.into(),
    };
    Ok((common, utf16::bytes(units)))
}
