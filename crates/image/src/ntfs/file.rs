//! The unnamed data of a file: reads them, writes them in place, lengthens and shortens them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diskmend_base::bytes;

use super::allocate::Allocation;
use super::bitmap::{Bitmap, Extent};
use super::claims;
use super::error::{Corruption, VolumeError};
use super::extents::Extents;
use super::format::{attribute_type, system};
use super::grow;
use super::layout::Layout;
use super::metadata::WOF;
use super::mft::Mft;
use super::place::FileId;
use super::record::{AttributeAt, Record};
use super::records::Records;
use super::second;
use super::stream::{Content, Stream};
use super::volume::Inner;

/// The unnamed data of a file.
#[derive(Clone, Debug)]
pub struct File {
    inner: Arc<Inner>,
    shared: Arc<Shared>,
}

/// What all open handles of one file share.
#[derive(Debug)]
pub(crate) struct Shared {
    id: FileId,
    open: Mutex<Open>,
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
        self.agreed = true;
        Ok(())
    }
}

/// Refuses data at a position at which no file's data can be.
pub(crate) fn check_place(mft: &Mft, layout: &Layout) -> Result<(), VolumeError> {
    let bitmap = Bitmap::open(mft)?;
    let mut extents: Vec<Extent> = layout.extents().collect();
    check_foreign(mft, &bitmap, &extents)?;
    for extent in &extents {
        if !bitmap.are_used(*extent)? {
            return Err(misplaced(mft, *extent, "a cluster that is not used").into());
        }
    }
    extents.sort_by_key(|extent| extent.start);
    for pair in extents.windows(2) {
        if let [first, second] = pair
            && first.overlaps(second)
        {
            return Err(misplaced(mft, *second, "a cluster that it has already").into());
        }
    }
    Ok(())
}

/// Refuses clusters that belong to the volume's own structures.
pub(crate) fn check_foreign(
    mft: &Mft,
    bitmap: &Bitmap<'_>,
    extents: &[Extent],
) -> Result<(), VolumeError> {
    let boot = Extent {
        start: super::place::Lcn(0),
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

impl File {
    pub(crate) fn new(inner: Arc<Inner>, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.shared
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The file.
    #[must_use]
    pub fn id(&self) -> FileId {
        self.shared.id
    }

    /// Length in bytes.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "no caller asks for emptiness alone"
    )]
    pub fn len(&self) -> u64 {
        self.open().stream.len()
    }

    /// The length up to which the file can be lengthened without new clusters.
    #[must_use]
    pub fn allocated_len(&self) -> u64 {
        let open = self.open();
        open.stream
            .layout()
            .map_or(open.stream.len(), |layout| layout.allocated)
    }

    /// The number of bytes of the clusters that contain the data, or the length of data in the
    /// record: holes have no clusters.
    #[must_use]
    pub fn stored_len(&self) -> u64 {
        let open = self.open();
        let layout = open.stream.layout();
        layout.map_or(open.stream.len(), Layout::total_allocated)
    }

    /// The position of the data; `None` if they are in the record.
    #[cfg(all(test, target_os = "linux"))]
    pub(crate) fn layout(&self) -> Option<Layout> {
        self.open().stream.layout().cloned()
    }

    /// Fills `buf` from `offset` on.
    ///
    /// # Errors
    /// [`VolumeError::OutOfRange`], [`VolumeError::Transformed`], or an error of the device.
    pub fn read(&self, buf: &mut [u8], offset: u64) -> Result<(), VolumeError> {
        let open = self.open();
        open.stream.read(self.inner.mft.disk(), buf, offset)
    }

    /// Writes all of `data` at `offset`, within the length: in place, and in a sparse file to
    /// clusters that are allocated for its holes. The data are durable only after the next
    /// [`Self::sync`].
    ///
    /// # Errors
    /// [`VolumeError::OutOfRange`], [`VolumeError::Transformed`], [`VolumeError::ReadersDisagree`],
    /// [`VolumeError::CannotGrow`] or [`VolumeError::Full`] for holes, a damaged volume, or an
    /// error of the device. Unless the device fails, no data are written then, but clusters may
    /// have been allocated for holes.
    pub fn write(&self, data: &[u8], offset: u64) -> Result<(), VolumeError> {
        let mut open = self.open();
        let mft = &self.inner.mft;
        let file_len = open.stream.len();
        let end = u64::try_from(data.len())
            .ok()
            .and_then(|len| offset.checked_add(len));
        let Some(end) = end.filter(|end| *end <= file_len) else {
            let len = data.len();
            return Err(VolumeError::OutOfRange {
                offset,
                len,
                file_len,
            });
        };
        if data.is_empty() {
            return Ok(());
        }
        open.make_sure(mft, self.id())?;
        let has_holes = open.stream.layout().is_some_and(|layout| {
            let mut pieces = layout.pieces(offset, data.len());
            pieces.any(|piece| piece.offset.is_none())
        });
        if has_holes {
            grow::fill(&self.inner, self.id(), &mut open, (offset, end - offset))?;
        }
        match open.stream.content() {
            Content::Clusters(layout) if end <= layout.initialized => {
                layout.write(mft.disk(), data, offset)
            }
            Content::Clusters(layout) => {
                layout.zero(mft.disk(), layout.initialized, offset)?;
                layout.write_allocated(mft.disk(), data, offset)?;
                // The record must not describe data that are not written yet.
                mft.disk().sync()?;
                let _writing = self.inner.writing();
                let (mut record, at) = open.record(mft)?;
                let resident = record.corruption("$DATA", at, "one in clusters", "a resident one");
                let header = record.non_resident_mut(at).ok_or(resident)?;
                header.initialized_size = end.into();
                mft.write(&mut record)?;
                let promised = open.promised.take();
                *open = Open::read(mft, self.id())?;
                open.promised = promised;
                Ok(())
            }
            Content::Resident(_) => {
                let _writing = self.inner.writing();
                let (mut record, at) = open.record(mft)?;
                let expected = format!("a resident one of {file_len} bytes");
                let other = record.corruption("$DATA", at, expected, "another");
                let place = usize::try_from(offset)
                    .ok()
                    .zip(record.value_mut(at))
                    .and_then(|(at, value)| bytes::slice_mut(value, at, data.len()));
                place.ok_or(other)?.copy_from_slice(data);
                mft.write(&mut record)?;
                open.stream.set_resident(data, offset);
                Ok(())
            }
        }
    }

    /// Makes the file `len` bytes long; new bytes are zero. A file that is shortened keeps its
    /// clusters. The change is durable when this returns.
    ///
    /// # Errors
    /// Those of [`Self::check_write`], before anything is written, or an error of the device.
    pub fn set_len(&self, len: u64) -> Result<(), VolumeError> {
        grow::set_len(&self.inner, self.id(), &mut self.open(), len)
    }

    /// Checks that the file can be made `len` bytes long and that all of these extents, each an
    /// offset and a length in bytes, can be written. Nothing is written, but the needed clusters
    /// are reserved for the file as long as it is open.
    ///
    /// # Errors
    /// [`VolumeError::OutOfRange`], [`VolumeError::CannotGrow`], [`VolumeError::Full`],
    /// [`VolumeError::Transformed`], [`VolumeError::ReadersDisagree`], or a damaged volume.
    pub fn check_write(&self, len: u64, extents: &[(u64, u64)]) -> Result<(), VolumeError> {
        grow::check(&self.inner, self.id(), &mut self.open(), len, extents)
    }

    /// Checks that the bytes of the file can be changed in place: all readers agree on their
    /// position, no other file has one of its clusters, and they are not compressed. Nothing is
    /// written.
    ///
    /// # Errors
    /// [`VolumeError::Transformed`], [`VolumeError::ReadersDisagree`], or a damaged volume.
    pub fn check_in_place(&self) -> Result<(), VolumeError> {
        self.open().make_sure(&self.inner.mft, self.id())
    }

    /// Returns when everything that was written to the volume is durable.
    ///
    /// # Errors
    /// An error of the device.
    pub fn sync(&self) -> Result<(), VolumeError> {
        self.inner.mft.disk().sync()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if Arc::strong_count(&self.shared) == 1 {
            self.inner.mft.promises().end(self.id().record);
        }
    }
}
