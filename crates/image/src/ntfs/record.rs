//! A FILE record in memory, without its update sequence numbers (Linux-NTFS, FILE record).
//!
//! All attributes are checked when a record is read, so that walking them later can't fail; changes
//! keep them valid.

use diskmend_base::bytes;
use diskmend_base::count::{to_u64, to_usize};
use zerocopy::byteorder::little_endian::{U16, U32, U64};

use super::attribute::{self, ALIGN, Attribute, AttributeAt};
use super::error::Corruption;
use super::fixup;
use super::format::{
    AttributeHeader, FileRecordHeader, NonResidentHeader, ResidentHeader, attribute_type,
};
use super::place::FileId;

mod add;

/// A FILE record with checked attributes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    number: u64,
    offset: u64,
    /// Zeros until the record is read.
    header: FileRecordHeader,
    data: Vec<u8>,
}

/// The record has no room for what is to be written to it; it is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Record {
    /// Checks record `number`, which was read as `data` from `offset` of the volume.
    pub(crate) fn parse(number: u64, offset: u64, data: Vec<u8>) -> Result<Self, Corruption> {
        let mut record = Self {
            number,
            offset,
            header: FileRecordHeader::default(),
            data,
        };
        record.check()?;
        Ok(record)
    }

    /// Like [`Self::parse`], reusing the memory of the last record.
    pub(crate) fn refill(
        &mut self,
        number: u64,
        offset: u64,
        data: &[u8],
    ) -> Result<(), Corruption> {
        self.number = number;
        self.offset = offset;
        self.header = FileRecordHeader::default();
        self.data.clear();
        self.data.extend_from_slice(data);
        self.check()
    }

    fn check(&mut self) -> Result<(), Corruption> {
        fixup::unprotect(&mut self.data, FileRecordHeader::MAGIC, self.offset)?;
        let header = bytes::view::<FileRecordHeader>(&self.data, 0)
            .ok_or_else(|| self.wrong("FILE record", 0, "a header", self.data.len().to_string()))?
            .clone();
        let usa = usize::from(header.protected.usa_offset.get());
        if usa < FileRecordHeader::LEN_WITHOUT_NUMBER {
            let actual = usa.to_string();
            return Err(self.wrong("update sequence array", 4, "one after the header", actual));
        }
        let [a, b, c, d, ..] = self.number.to_le_bytes();
        let expected = u32::from_le_bytes([a, b, c, d]);
        if usa >= size_of::<FileRecordHeader>() && header.record_number.get() != expected {
            let actual = header.record_number.to_string();
            return Err(self.wrong("record number", 44, expected.to_string(), actual));
        }
        if to_usize(header.bytes_allocated) != self.data.len() {
            let actual = header.bytes_allocated.to_string();
            let expected = self.data.len().to_string();
            return Err(self.wrong("length of a FILE record", 28, expected, actual));
        }
        let usa_count = usize::from(header.protected.usa_count.get());
        let usa_end = usa.saturating_add(usa_count.saturating_mul(2));
        let first = usize::from(header.attributes_offset.get());
        let in_use = to_usize(header.bytes_in_use);
        let is_aligned = first >= usa_end && first.is_multiple_of(ALIGN);
        let Some(used) = self.data.get(..in_use).filter(|_| is_aligned) else {
            let actual = format!("{first} to {in_use}");
            let expected = format!("{usa_end} to {}, aligned to 8", self.data.len());
            return Err(self.wrong("bounds of the attributes", 20, expected, actual));
        };
        let mut at = first;
        loop {
            match bytes::view::<U32>(used, at).map(|kind| kind.get()) {
                Some(attribute_type::END) => break,
                Some(_) => {}
                None => {
                    let expected = "an end within the bytes in use";
                    return Err(self.wrong("attributes", at, expected, "none"));
                }
            }
            let len = attribute::check(used, at)
                .map_err(|problem| self.wrong("attribute", at, problem.expected, problem.actual))?;
            // Not an overflow: the attribute is within the record.
            at = at.saturating_add(len);
        }
        self.header = header;
        Ok(())
    }

    fn wrong(
        &self,
        what: &'static str,
        at: usize,
        expected: impl Into<std::borrow::Cow<'static, str>>,
        actual: impl Into<String>,
    ) -> Corruption {
        let at = to_u64(at);
        Corruption::new(what, self.offset.saturating_add(at), expected, actual)
    }

    /// Describes a problem in the record at `at`.
    pub(crate) fn corruption(
        &self,
        what: &'static str,
        at: AttributeAt,
        expected: impl Into<std::borrow::Cow<'static, str>>,
        actual: impl Into<String>,
    ) -> Corruption {
        self.wrong(what, at.0, expected, actual)
    }

    /// Its number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The position from which it was read, in bytes from the start of the volume.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Number and sequence number.
    pub(crate) fn id(&self) -> FileId {
        FileId {
            record: self.number,
            sequence: self.header.sequence_number.get(),
        }
    }

    /// True if it belongs to a file.
    pub(crate) fn is_in_use(&self) -> bool {
        self.header.flags.get() & FileRecordHeader::FLAG_IN_USE != 0
    }

    /// True if it is the record of a folder.
    pub(crate) fn is_folder(&self) -> bool {
        self.header.flags.get() & FileRecordHeader::FLAG_FOLDER != 0
    }

    /// The base record of an extension; `None` for a base record.
    pub(crate) fn base(&self) -> Option<FileId> {
        let base = self.header.base_record.get();
        (base != 0).then(|| FileId::from_reference(base))
    }

    /// All attributes in their order.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = Attribute<'_>> {
        let first = usize::from(self.header.attributes_offset.get());
        let mut next = Some(AttributeAt(first));
        std::iter::from_fn(move || {
            let attribute = self.attribute(next?)?;
            next = attribute.end();
            Some(attribute)
        })
    }

    /// The attribute at `at`, or `None` if the attributes end.
    pub(crate) fn attribute(&self, at: AttributeAt) -> Option<Attribute<'_>> {
        let used = self.data.get(..self.bytes_in_use())?;
        Attribute::at(used, at)
    }

    /// The first attribute of a type and name.
    pub(crate) fn find(&self, kind: u32, name: &str) -> Option<Attribute<'_>> {
        self.attributes()
            .find(|attribute| attribute.kind() == kind && attribute.is_named(name))
    }

    /// The value of a resident attribute of a type and name.
    pub(crate) fn resident(&self, kind: u32, name: &str) -> Option<&[u8]> {
        self.find(kind, name)?.resident()
    }

    /// The same, for writing.
    #[cfg(test)]
    pub(crate) fn resident_mut(&mut self, kind: u32, name: &str) -> Option<&mut [u8]> {
        let at = self.find(kind, name)?.place();
        self.value_mut(at)
    }

    /// The value of the resident attribute at `at`, for writing.
    pub(crate) fn value_mut(&mut self, at: AttributeAt) -> Option<&mut [u8]> {
        let (start, len) = self.attribute(at)?.resident_range()?;
        bytes::slice_mut(&mut self.data, at.0.checked_add(start)?, len)
    }

    /// The header of the attribute at `at`, which is not resident, for writing.
    pub(crate) fn non_resident_mut(&mut self, at: AttributeAt) -> Option<&mut NonResidentHeader> {
        self.attribute(at)?.non_resident()?;
        bytes::view_mut(&mut self.data, at.0)
    }

    /// The number of bytes that its attributes may still use.
    pub(crate) fn free_len(&self) -> usize {
        self.data.len().saturating_sub(self.bytes_in_use())
    }

    /// The number of allocated bytes of the attribute at `at`, if it has that number.
    pub(crate) fn total_allocated_mut(&mut self, at: AttributeAt) -> Option<&mut U64> {
        let pairs = self.attribute(at)?.non_resident()?.mapping_pairs_offset;
        let field = NonResidentHeader::TOTAL_ALLOCATED;
        let end = field.checked_add(size_of::<U64>())?;
        if usize::from(pairs.get()) < end {
            return None;
        }
        bytes::view_mut(&mut self.data, at.0.checked_add(field)?)
    }

    fn bytes_in_use(&self) -> usize {
        to_usize(self.header.bytes_in_use)
    }

    /// Changes the length of the resident value at `at`; new bytes are zero.
    pub(crate) fn set_value_len(&mut self, at: AttributeAt, len: usize) -> Result<(), NoRoom> {
        let attribute = self.attribute(at).ok_or(NoRoom)?;
        let (start, old) = attribute.resident_range().ok_or(NoRoom)?;
        // The bytes after the value would be overwritten.
        if attribute.name_end() > start {
            return Err(NoRoom);
        }
        let new_len = u32::try_from(len).map_err(|_| NoRoom)?;
        self.resize(at, start.checked_add(len).ok_or(NoRoom)?)?;
        let header = bytes::view_mut::<ResidentHeader>(&mut self.data, at.0).ok_or(NoRoom)?;
        header.value_length = new_len.into();
        if let Some(new) = self.value_mut(at).and_then(|value| value.get_mut(old..)) {
            new.fill(0);
        }
        Ok(())
    }

    /// Replaces the value of the resident attribute of a type and name.
    pub(crate) fn put_value(&mut self, kind: u32, name: &str, value: &[u8]) -> Result<(), NoRoom> {
        let at = self.find(kind, name).ok_or(NoRoom)?.place();
        self.set_value_len(at, value.len())?;
        let place = self.value_mut(at).ok_or(NoRoom)?;
        place.copy_from_slice(value);
        Ok(())
    }

    /// Marks it as unused, as if its file had been removed: whatever refers to the file then leads
    /// nowhere, because the next file in the record gets another sequence number.
    pub(crate) fn free(&mut self) -> Option<()> {
        let header = bytes::view_mut::<FileRecordHeader>(&mut self.data, 0)?;
        let flags = header.flags.get() & !FileRecordHeader::FLAG_IN_USE;
        header.flags = flags.into();
        header.link_count = 0.into();
        header.sequence_number = match header.sequence_number.get() {
            u16::MAX => 1,
            last => last.saturating_add(1),
        }
        .into();
        self.header = header.clone();
        Some(())
    }

    /// Replaces the mapping pairs of the attribute at `at`; its last cluster becomes `highest`.
    pub(crate) fn set_mapping_pairs(
        &mut self,
        at: AttributeAt,
        pairs: &[u8],
        highest: u64,
    ) -> Result<(), NoRoom> {
        let attribute = self.attribute(at).ok_or(NoRoom)?;
        let start = attribute.non_resident().ok_or(NoRoom)?.mapping_pairs_offset;
        let start = usize::from(start.get());
        if attribute.name_end() > start {
            return Err(NoRoom);
        }
        self.resize(at, start.checked_add(pairs.len()).ok_or(NoRoom)?)?;
        self.non_resident_mut(at).ok_or(NoRoom)?.highest_vcn = highest.into();
        let end = self.attribute(at).ok_or(NoRoom)?.len();
        let place = at.0.checked_add(start).ok_or(NoRoom)?;
        let place = bytes::slice_mut(&mut self.data, place, end.saturating_sub(start));
        let (to, padding) = place
            .and_then(|place| place.split_at_mut_checked(pairs.len()))
            .ok_or(NoRoom)?;
        to.copy_from_slice(pairs);
        padding.fill(0);
        Ok(())
    }

    /// Converts the resident attribute at `at`, which must be unnamed and not indexed, to an
    /// attribute with room for mapping pairs of `len` bytes; its sizes are zero.
    pub(crate) fn make_non_resident(&mut self, at: AttributeAt, len: usize) -> Result<(), NoRoom> {
        let attribute = self.attribute(at).ok_or(NoRoom)?;
        let old = bytes::view::<ResidentHeader>(&self.data, at.0).ok_or(NoRoom)?;
        let is_plain = attribute.resident().is_some()
            && !attribute.has_name()
            && attribute.flags() == 0
            && old.indexed == 0;
        let start = u16::try_from(size_of::<NonResidentHeader>()).map_err(|_| NoRoom)?;
        let end = usize::from(start)
            .checked_add(len)
            .filter(|_| is_plain && len > 0);
        let common = old.common.clone();
        self.resize(at, end.ok_or(NoRoom)?)?;
        let length = bytes::view::<AttributeHeader>(&self.data, at.0)
            .ok_or(NoRoom)?
            .length;
        let attribute = bytes::slice_mut(&mut self.data, at.0, to_usize(length)).ok_or(NoRoom)?;
        attribute.fill(0);
        let header = bytes::view_mut::<NonResidentHeader>(attribute, 0).ok_or(NoRoom)?;
        header.common = AttributeHeader {
            length,
            non_resident: 1,
            name_offset: start.into(),
            ..common
        };
        header.highest_vcn = u64::MAX.into();
        header.mapping_pairs_offset = start.into();
        Ok(())
    }

    /// Sets the length of the attribute at `at` to `len`, rounded up, and moves the following ones.
    fn resize(&mut self, at: AttributeAt, len: usize) -> Result<(), NoRoom> {
        let rest = self.attribute(at).ok_or(NoRoom)?.end().ok_or(NoRoom)?;
        let new = len.checked_next_multiple_of(ALIGN).ok_or(NoRoom)?;
        let new_len = u32::try_from(new).map_err(|_| NoRoom)?;
        self.move_rest(rest.0, at.0.checked_add(new).ok_or(NoRoom)?)?;
        bytes::view_mut::<AttributeHeader>(&mut self.data, at.0)
            .ok_or(NoRoom)?
            .length = new_len.into();
        Ok(())
    }

    /// Removes the attribute at `at`; `None` if there is none.
    pub(crate) fn remove(&mut self, at: AttributeAt) -> Option<()> {
        let rest = self.attribute(at)?.end()?;
        self.move_rest(rest.0, at.0).ok()
    }

    /// Moves the attributes from `from` on to `to`; bytes that are then unused are zero.
    fn move_rest(&mut self, from: usize, to: usize) -> Result<(), NoRoom> {
        let in_use = self.bytes_in_use();
        let new_in_use = in_use
            .checked_sub(from)
            .and_then(|rest| rest.checked_add(to))
            .filter(|end| *end <= self.data.len())
            .ok_or(NoRoom)?;
        let used = u32::try_from(new_in_use).map_err(|_| NoRoom)?;
        self.data.copy_within(from..in_use, to);
        for unused in [new_in_use..in_use, from..to] {
            if let Some(unused) = self.data.get_mut(unused) {
                unused.fill(0);
            }
        }
        let header = bytes::view_mut::<FileRecordHeader>(&mut self.data, 0).ok_or(NoRoom)?;
        header.bytes_in_use = used.into();
        self.header = header.clone();
        Ok(())
    }

    /// The bytes that belong on disk instead of `before`.
    pub(crate) fn protected(&self, before: &[u8]) -> Result<Vec<u8>, Corruption> {
        let mut data = Vec::with_capacity(self.data.len());
        self.protect_into(&mut data, before)?;
        Ok(data)
    }

    /// Adds the bytes that belong on disk instead of `before` to `data`.
    pub(crate) fn protect_into(&self, data: &mut Vec<u8>, before: &[u8]) -> Result<(), Corruption> {
        let start = data.len();
        data.extend_from_slice(&self.data);
        let (_, own) = data.split_at_mut(start);
        fixup::protect_over(own, before, FileRecordHeader::MAGIC, self.offset)
    }

    /// Adopts the update sequence number of the result of [`Self::protected`] after that is
    /// written.
    pub(crate) fn written(&mut self, protected: &[u8]) {
        let start = usize::from(self.header.protected.usa_offset.get());
        if let (Some(to), Some(from)) = (
            bytes::view_mut::<U16>(&mut self.data, start),
            bytes::view::<U16>(protected, start),
        ) {
            *to = *from;
        }
    }
}

#[cfg(test)]
mod tests;
