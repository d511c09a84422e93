//! The position of a file's data, and whether they may be written there.

use std::sync::Mutex;

use diskmend_base::bytes;

use super::attribute::AttributeAt;
use super::bitmap::Bitmap;
use super::claims;
use super::error::{Corruption, VolumeError};
use super::extents::{self, Extents};
use super::format::{attribute_type, system};
use super::layout::Layout;
use super::metadata::WOF;
use super::mft::Mft;
use super::place::{Extent, FileId, Lcn};
use super::record::Record;
use super::records::Records;
use super::runs::Run;
use super::second;
use super::stream::Stream;
use super::writes::{self, Writes};

/// What all open handles of one file share.
#[derive(Debug)]
pub(crate) struct Shared {
    id: FileId,
    pub(crate) open: Mutex<Open>,
}

/// Clusters for a file that are not allocated yet.
#[derive(Clone, Debug)]
pub(crate) struct Allocation {
    /// The clusters.
    pub(crate) extents: Vec<Extent>,
    /// The clusters that fill holes.
    pub(crate) filled: Vec<Run>,
    /// The layout of the data afterwards.
    pub(crate) layout: Layout,
    /// This layout as mapping pairs.
    pub(crate) pairs: Vec<u8>,
}

/// The position of the data.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) stream: Stream,
    /// The clusters that the file gets with the next change that needs any.
    pub(crate) promised: Option<Allocation>,
    /// Two readers agree on the position.
    agreed: bool,
}

impl Shared {
    pub(crate) fn open(mft: &Mft, id: FileId) -> Result<Self, VolumeError> {
        mft.claims().opened(id.record);
        Ok(Self {
            id,
            open: Mutex::new(Open::read(mft, id)?),
        })
    }

    pub(crate) fn id(&self) -> FileId {
        self.id
    }
}

impl Open {
    /// Reads the position of a file's data.
    pub(crate) fn read(mft: &Mft, id: FileId) -> Result<Self, VolumeError> {
        let records = Records::read(mft, id)?;
        // The data on disk are not what programs read through the filter of the reparse point.
        if let Some((_, reparse)) = records.all(attribute_type::REPARSE_POINT, "").next() {
            let tag = reparse.resident().and_then(|value| bytes::view(value, 0));
            let (how, advice) = match tag.copied().map(u32::from_le_bytes) {
                Some(WOF) => (
                    "compressed by Windows (WOF, as compact /exe and CompactOS do it)",
                    "uncompress it in Windows, or on the volume's drive: compact /u /exe FILE",
                ),
                _ => (
                    "behind a reparse point",
                    "replace it by an ordinary file in Windows",
                ),
            };
            return Err(VolumeError::Transformed { id, how, advice });
        }
        let stream = Stream::of(mft.disk(), &records, attribute_type::DATA, "")?;
        Ok(Self {
            stream: stream.ok_or(VolumeError::NoData(id))?,
            promised: None,
            agreed: false,
        })
    }

    /// Reads the record that describes the data, and finds the data's attribute in it. Other
    /// changes of the record may have moved the attribute.
    pub(crate) fn record(&self, mft: &Mft) -> Result<(Record, AttributeAt), VolumeError> {
        let record = mft.read_any(self.stream.record())?;
        let instance = self.stream.parts().first().map(|part| part.instance);
        let at = record
            .attributes()
            .find(|it| it.kind() == attribute_type::DATA && Some(it.instance()) == instance)
            .filter(|it| it.is_named(""))
            .map(|it| it.place())
            .ok_or_else(|| Corruption::new("$DATA of a file", record.offset(), "one", "none"))?;
        Ok((record, at))
    }

    /// Makes sure that the data may be written at the position that this reader found.
    pub(crate) fn make_sure(&mut self, mft: &Mft, id: FileId) -> Result<(), VolumeError> {
        if id.record < system::FIRST_USER {
            return Err(VolumeError::Transformed {
                id,
                how: "one of the volume's own files",
                advice: "only Windows changes these",
            });
        }
        self.stream.check_writable()?;
        if self.agreed {
            return Ok(());
        }
        if let Some(layout) = self.stream.layout() {
            check_place(mft, layout)?;
            let extents: Vec<Extent> = layout.extents().collect();
            claims::check(mft, id.record, &extents, |record, attribute| {
                self.stream.is_told_by(record, attribute)
            })?;
        }
        second::agree(mft, id, &self.stream)?;
        if mft.disk().permits().writes() == Some(Writes::InPlace) {
            writes::permit(mft, id, &self.stream)?;
        }
        self.agreed = true;
        Ok(())
    }
}

/// Refuses data at a position at which no file's data can be.
pub(crate) fn check_place(mft: &Mft, layout: &Layout) -> Result<(), VolumeError> {
    check_extents(mft, layout.extents().collect())
}

/// Refuses clusters of one file that can't be those of a file.
pub(crate) fn check_extents(mft: &Mft, mut extents: Vec<Extent>) -> Result<(), VolumeError> {
    let bitmap = Bitmap::open(mft)?;
    check_foreign(mft, &bitmap, &extents)?;
    for extent in &extents {
        if !bitmap.are_used(*extent)? {
            return Err(misplaced(mft, *extent, "a cluster that is not used").into());
        }
    }
    match extents::first_overlap(&mut extents) {
        Some(extent) => Err(misplaced(mft, extent, "a cluster that it has already").into()),
        None => Ok(()),
    }
}

/// Refuses clusters that belong to the volume's own structures.
pub(crate) fn check_foreign(
    mft: &Mft,
    bitmap: &Bitmap<'_>,
    extents: &[Extent],
) -> Result<(), VolumeError> {
    let boot = Extent {
        start: Lcn(0),
        len: 1,
    };
    let own = [mft.layout(), mft.mirror()?]
        .into_iter()
        .chain(bitmap.stream().layout())
        .flat_map(Layout::extents)
        .chain([boot]);
    let own = Extents::of(own);
    for extent in extents {
        if own.overlap(extent) {
            return Err(misplaced(mft, *extent, "a cluster of the volume's own structures").into());
        }
    }
    Ok(())
}

fn misplaced(mft: &Mft, extent: Extent, actual: &'static str) -> Corruption {
    let offset = mft.disk().geometry.place(extent.start);
    Corruption::new("cluster of a file", offset, "one of its own", actual)
}
