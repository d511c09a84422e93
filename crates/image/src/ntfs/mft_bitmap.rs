//! The `$BITMAP` of `$MFT`: the map of used records (Linux-NTFS, $MFT).

use diskmend_base::count::to_usize;

use super::claims;
use super::error::{Corruption, VolumeError};
use super::format::{attribute_type, system};
use super::mft::Mft;
use super::open::check_place;
use super::place::Extent;
use super::records::Records;
use super::stream::Stream;

/// The map of used records, one bit each.
pub(crate) struct MftBitmap<'a> {
    mft: &'a Mft,
    stream: Stream,
}

impl<'a> MftBitmap<'a> {
    /// Finds the map, and checks that no other file has its clusters.
    pub(crate) fn open(mft: &'a Mft) -> Result<Self, VolumeError> {
        let records = Records::read_system(mft, system::MFT)?;
        let stream = Stream::of(mft.disk(), &records, attribute_type::BITMAP, "")?;
        let stream = stream.ok_or_else(|| records.lacks("$BITMAP of $MFT"))?;
        stream.check_whole()?;
        if let Some(layout) = stream.layout() {
            check_place(mft, layout)?;
            let extents: Vec<Extent> = layout.extents().collect();
            claims::check(mft, system::MFT, &extents, |record, attribute| {
                stream.is_told_by(record, attribute)
            })?;
        }
        Ok(Self { mft, stream })
    }

    /// Refuses a record that is not marked as used.
    pub(crate) fn check_used(&self, record: u64) -> Result<(), VolumeError> {
        let (at, mask) = place(record);
        let mut byte = [0];
        self.stream.read(self.mft.disk(), &mut byte, at)?;
        let [found] = byte;
        if found & mask != 0 {
            return Ok(());
        }
        let layout = self.stream.layout();
        let offset = layout.and_then(|layout| layout.position(at)).unwrap_or(at);
        let expected = format!("record {record} in use");
        let wrong = Corruption::new("$BITMAP of $MFT", offset, expected, "a free one");
        Err(wrong.into())
    }

    /// Marks a record as free.
    pub(crate) fn give_back(&self, record: u64) -> Result<(), VolumeError> {
        let (at, mask) = place(record);
        if let Some(layout) = self.stream.layout() {
            let mut byte = [0];
            layout.read(self.mft.disk(), &mut byte, at)?;
            let [found] = byte;
            return layout.write(self.mft.disk(), &[found & !mask], at);
        }
        let mut holder = self.mft.read_any(self.stream.record())?;
        let offset = holder.offset();
        let lost = || Corruption::new("$BITMAP of $MFT", offset, "one with the record", "none");
        let value = holder.find(attribute_type::BITMAP, "").map(|it| it.place());
        let value = value.and_then(|value| holder.value_mut(value));
        let byte = value.and_then(|value| value.get_mut(to_usize(at)));
        *byte.ok_or_else(lost)? &= !mask;
        self.mft.write(&mut holder)
    }
}

/// The byte of a record, and its bit in it.
fn place(record: u64) -> (u64, u8) {
    (record / 8, 1 << (record % 8))
}
