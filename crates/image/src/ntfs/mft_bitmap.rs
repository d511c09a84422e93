//! The `$BITMAP` of `$MFT`: the map of used records (Linux-NTFS, $MFT).

use super::claims;
use super::error::{Corruption, VolumeError};
use super::format::{attribute_type, system};
use super::layout::Layout;
use super::mft::Mft;
use super::open::check_place;
use super::place::Extent;
use super::records::Records;
use super::stream::Stream;

/// The map of used records, one bit each.
pub(crate) struct MftBitmap<'a> {
    mft: &'a Mft,
    layout: Layout,
}

impl<'a> MftBitmap<'a> {
    /// Finds the map, and checks that no other file has its clusters.
    pub(crate) fn open(mft: &'a Mft) -> Result<Self, VolumeError> {
        let records = Records::read_system(mft, system::MFT)?;
        let stream = Stream::of(mft.disk(), &records, attribute_type::BITMAP, "")?;
        let stream = stream.ok_or_else(|| records.lacks("$BITMAP of $MFT"))?;
        stream.check_whole()?;
        let lacks = || records.lacks("$BITMAP of $MFT in clusters");
        let layout = stream.layout().ok_or_else(lacks)?.clone();
        check_place(mft, &layout)?;
        let extents: Vec<Extent> = layout.extents().collect();
        claims::check(mft, system::MFT, &extents, |record, attribute| {
            stream.is_told_by(record, attribute)
        })?;
        Ok(Self { mft, layout })
    }

    /// Refuses a record that is not marked as used.
    pub(crate) fn check_used(&self, record: u64) -> Result<(), VolumeError> {
        let (at, mask) = place(record);
        let mut byte = [0];
        self.layout.read(self.mft.disk(), &mut byte, at)?;
        let [found] = byte;
        if found & mask != 0 {
            return Ok(());
        }
        let offset = self.layout.position(at).unwrap_or(at);
        let expected = format!("record {record} in use");
        let wrong = Corruption::new("$BITMAP of $MFT", offset, expected, "a free one");
        Err(wrong.into())
    }

    /// Marks a record as free.
    pub(crate) fn give_back(&self, record: u64) -> Result<(), VolumeError> {
        let (at, mask) = place(record);
        let mut byte = [0];
        self.layout.read(self.mft.disk(), &mut byte, at)?;
        let [found] = byte;
        self.layout.write(self.mft.disk(), &[found & !mask], at)
    }
}

/// The byte of a record, and its bit in it.
fn place(record: u64) -> (u64, u8) {
    (record / 8, 1 << (record % 8))
}
