//! $ATTRIBUTE_LIST: the other records with attributes of a file (Linux-NTFS, Attribute list).

use diskmend_base::bytes;
use diskmend_base::count::to_usize;
use diskmend_base::utf16;

use super::attribute::AttributeAt;
use super::disk::Disk;
use super::error::{Corruption, VolumeError};
use super::format::{AttributeListEntry, attribute_type};
use super::layout::Builder;
use super::place::FileId;
use super::record::Record;

/// The longest list that Windows creates.
const MAX_LEN: u64 = 256 << 10;

/// An entry of the list.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Type of the attribute.
    pub(crate) kind: u32,
    /// Name of the attribute.
    pub(crate) name: Vec<u16>,
    /// First cluster that it describes.
    pub(crate) lowest_vcn: u64,
    /// The record that contains it.
    pub(crate) record: FileId,
    /// The number that distinguishes it in that record.
    pub(crate) instance: u16,
}

impl Entry {
    /// The error for the file with the base record `base` if the record can't be read: a record
    /// that does not exist means that the list is damaged, not that a file was removed.
    pub(crate) fn lost(&self, base: &Record, error: VolumeError) -> VolumeError {
        match error {
            VolumeError::Stale(_) => Corruption::new(
                "attribute list of the record",
                base.offset(),
                "records of $MFT",
                format!("record {}", self.record),
            )
            .into(),
            other => other,
        }
    }

    /// The attribute in its record, which must be `base` itself or an extension of it.
    pub(crate) fn find(&self, record: &Record, base: FileId) -> Result<AttributeAt, Corruption> {
        let owner = record.base().unwrap_or_else(|| record.id());
        if record.id() != self.record || owner != base || !record.is_in_use() {
            let state = if record.is_in_use() {
                ""
            } else {
                ", not in use"
            };
            return Err(Corruption::new(
                "record of an attribute",
                record.offset(),
                format!("{} of file {base}", self.record),
                format!("{} of file {owner}{state}", record.id()),
            ));
        }
        record
            .attributes()
            .find(|attribute| {
                let lowest = attribute.non_resident().map_or(0, |it| it.lowest_vcn.get());
                attribute.kind() == self.kind
                    && attribute.instance() == self.instance
                    && lowest == self.lowest_vcn
                    && attribute.name().eq(self.name.iter().copied())
            })
            .map(|attribute| attribute.place())
            .ok_or_else(|| {
                Corruption::new(
                    "attribute that the attribute list names",
                    record.offset(),
                    format!("type {:#x}, instance {}", self.kind, self.instance),
                    "none",
                )
            })
    }
}

/// All entries of the attribute list of the file with this base record; `None` if it has no list.
pub(crate) fn entries(disk: &Disk, base: &Record) -> Result<Option<Vec<Entry>>, VolumeError> {
    let Some(attribute) = base.find(attribute_type::ATTRIBUTE_LIST, "") else {
        return Ok(None);
    };
    let at = attribute.place();
    let data = match attribute.resident() {
        Some(value) => value.to_vec(),
        None => {
            let mut builder = Builder::new(&disk.geometry);
            builder.add(base, at)?;
            let layout = builder.finish(base, at)?;
            if layout.len > MAX_LEN {
                let expected = format!("at most {MAX_LEN} bytes");
                let actual = layout.len.to_string();
                return Err(base
                    .corruption("attribute list", at, expected, actual)
                    .into());
            }
            let mut data = vec![0; to_usize(layout.len)];
            layout.read(disk, &mut data, 0)?;
            data
        }
    };
    let mut rest = data.as_slice();
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (entry, len) = parse(rest).ok_or_else(|| {
            let actual = format!("another after {} of them", entries.len());
            base.corruption("attribute list", at, "whole entries", actual)
        })?;
        entries.push(entry);
        (_, rest) = rest.split_at(len);
    }
    Ok(Some(entries))
}

/// The entry at the start of `data`, and its length, which is not zero and not past the end.
fn parse(data: &[u8]) -> Option<(Entry, usize)> {
    let header = bytes::view::<AttributeListEntry>(data, 0)?;
    let len = usize::from(header.length.get());
    let entry = bytes::slice(data, 0, len)?;
    if len < size_of::<AttributeListEntry>() {
        return None;
    }
    let name_len = usize::from(header.name_length).checked_mul(2)?;
    let name = match name_len {
        0 => &[],
        _ => bytes::slice(entry, usize::from(header.name_offset), name_len)?,
    };
    let entry = Entry {
        kind: header.kind.get(),
        name: utf16::whole_units(name).collect(),
        lowest_vcn: header.lowest_vcn.get(),
        record: FileId::from_reference(header.record.get()),
        instance: header.instance.get(),
    };
    Some((entry, len))
}
