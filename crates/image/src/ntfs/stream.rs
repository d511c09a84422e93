//! The value of an attribute, wherever it is: in the record, in clusters, or described by several
//! records.

use diskmend_base::bytes;
use diskmend_base::count::{to_u64, to_usize};

use super::attribute::Attribute;
use super::compressed;
use super::disk::Disk;
use super::error::VolumeError;
use super::format::{AttributeHeader, NonResidentHeader};
use super::layout::{Builder, Layout};
use super::place::FileId;
use super::record::Record;
use super::records::Records;

/// The value of an attribute.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    id: FileId,
    record: u64,
    flags: u16,
    parts: Vec<Part>,
    content: Content,
}

/// An attribute that describes a value, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The record that contains it.
    pub(crate) record: u64,
    /// The number that distinguishes it in that record.
    pub(crate) instance: u16,
}

/// The place of a value.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// In the record: a copy of it.
    Resident(Vec<u8>),
    /// In clusters.
    Clusters(Layout),
}

impl Stream {
    /// The value of the attribute of a type and name; `None` if the file has none.
    pub(crate) fn of(
        disk: &Disk,
        records: &Records,
        kind: u32,
        name: &str,
    ) -> Result<Option<Self>, VolumeError> {
        let mut parts: Vec<_> = records.all(kind, name).collect();
        let lowest =
            |header: Option<&NonResidentHeader>| header.map_or(0, |it| it.lowest_vcn.get());
        parts.sort_by_key(|(_, attribute)| lowest(attribute.non_resident()));
        let Some((record, first)) = parts.first().copied() else {
            return Ok(None);
        };
        let content = match first.resident() {
            Some(value) if parts.len() == 1 => Content::Resident(value.to_vec()),
            Some(_) => {
                let actual = parts.len().to_string();
                let place = first.place();
                return Err(record
                    .corruption("resident attributes", place, "one", actual)
                    .into());
            }
            None => {
                let mut builder = Builder::new(&disk.geometry);
                for (record, part) in &parts {
                    builder.add(record, part.place())?;
                }
                Content::Clusters(builder.finish(record, first.place())?)
            }
        };
        Ok(Some(Self {
            id: records.base().id(),
            record: record.number(),
            flags: first.flags(),
            parts: parts
                .iter()
                .map(|(record, part)| Part {
                    record: record.number(),
                    instance: part.instance(),
                })
                .collect(),
            content,
        }))
    }

    /// The record that contains the attribute, or its first part.
    pub(crate) fn record(&self) -> u64 {
        self.record
    }

    /// The attributes that describe it, in the order of their clusters.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// True if this attribute of a record describes it.
    pub(crate) fn is_told_by(&self, record: &Record, attribute: &Attribute<'_>) -> bool {
        let part = Part {
            record: record.number(),
            instance: attribute.instance(),
        };
        self.parts.contains(&part)
    }

    /// The place of the value.
    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    /// Its clusters, if it is not resident.
    pub(crate) fn layout(&self) -> Option<&Layout> {
        match &self.content {
            Content::Resident(_) => None,
            Content::Clusters(layout) => Some(layout),
        }
    }

    /// Adopts the bytes that were written to a resident value.
    pub(crate) fn set_resident(&mut self, data: &[u8], offset: u64) {
        if let (Content::Resident(value), Ok(at)) = (&mut self.content, usize::try_from(offset))
            && let Some(place) = bytes::slice_mut(value, at, data.len())
        {
            place.copy_from_slice(data);
        }
    }

    /// The length of the value in bytes.
    pub(crate) fn len(&self) -> u64 {
        match &self.content {
            Content::Resident(value) => to_u64(value.len()),
            Content::Clusters(layout) => layout.len,
        }
    }

    /// True if it is compressed.
    pub(crate) fn is_compressed(&self) -> bool {
        self.flags & AttributeHeader::MASK_COMPRESSED != 0
    }

    /// True if it is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.flags & AttributeHeader::FLAG_ENCRYPTED != 0
    }

    /// Refuses values that can't be read here.
    pub(crate) fn check_readable(&self) -> Result<(), VolumeError> {
        if self.is_encrypted() {
            let advice = "only its owner can decrypt it, in Windows: cipher /d FILE";
            return Err(self.transformed("encrypted (EFS)", advice));
        }
        Ok(())
    }

    /// Refuses values that are stored in other bytes than programs read.
    pub(crate) fn check_writable(&self) -> Result<(), VolumeError> {
        // A resident value is never compressed, even if the flags request it for later.
        if self.layout().is_some() {
            self.check_uncompressed()?;
        }
        self.check_readable()
    }

    /// Refuses values that are compressed, or will be when they are in clusters.
    pub(crate) fn check_uncompressed(&self) -> Result<(), VolumeError> {
        if self.is_compressed() {
            let advice = "uncompress it in Windows, or on the volume's drive: compact /u FILE";
            return Err(self.transformed("compressed", advice));
        }
        Ok(())
    }

    /// Refuses values that have holes, or may get some.
    pub(crate) fn check_whole(&self) -> Result<(), VolumeError> {
        self.check_writable()?;
        let has_holes = self
            .layout()
            .is_some_and(|layout| layout.runs().iter().any(|run| run.lcn.is_none()));
        if has_holes || self.flags & AttributeHeader::FLAG_SPARSE != 0 {
            return Err(self.transformed("sparse", "copy it to an ordinary file in Windows"));
        }
        Ok(())
    }

    fn transformed(&self, how: &'static str, advice: &'static str) -> VolumeError {
        let id = self.id;
        VolumeError::Transformed { id, how, advice }
    }

    /// Fills `buf` from `offset` on.
    pub(crate) fn read(&self, disk: &Disk, buf: &mut [u8], offset: u64) -> Result<(), VolumeError> {
        self.check_readable()?;
        match &self.content {
            Content::Clusters(layout) => match layout.compressed_unit {
                Some(unit) => compressed::read(disk, layout, unit, buf, offset),
                None => layout.read(disk, buf, offset),
            },
            Content::Resident(value) => {
                let found = usize::try_from(offset)
                    .ok()
                    .and_then(|at| bytes::slice(value, at, buf.len()));
                let Some(found) = found else {
                    return Err(VolumeError::OutOfRange {
                        offset,
                        len: buf.len(),
                        file_len: self.len(),
                    });
                };
                buf.copy_from_slice(found);
                Ok(())
            }
        }
    }

    /// The whole value, if it has at most `max` bytes.
    pub(crate) fn read_all(&self, disk: &Disk, max: u64) -> Result<Vec<u8>, VolumeError> {
        let out_of_range = || VolumeError::OutOfRange {
            offset: 0,
            len: to_usize(max),
            file_len: self.len(),
        };
        let len = usize::try_from(self.len()).map_err(|_| out_of_range())?;
        if self.len() > max {
            return Err(out_of_range());
        }
        let mut data = vec![0; len];
        self.read(disk, &mut data, 0)?;
        Ok(data)
    }
}
