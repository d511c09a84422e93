//! The unnamed data of a file: reads them, writes them in place, lengthens and shortens them.

use std::sync::{Arc, MutexGuard, PoisonError};

use diskmend_base::bytes;

use super::error::{Corruption, VolumeError};
use super::grow;
use super::layout::Layout;
use super::open::{Open, Shared};
use super::place::FileId;
use super::shared::Inner;
use super::stream::Content;
use super::times::set_written;
use super::volume::Volume;
use super::writes::{self, Writes};

/// The unnamed data of a file.
#[derive(Clone, Debug)]
pub struct File {
    inner: Arc<Inner>,
    shared: Arc<Shared>,
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

    /// Looks at the volume if nobody has done it: what may be written on it depends on that.
    fn decide(&self) -> Result<(), VolumeError> {
        if self.inner.mft.disk().permits().writes().is_none() {
            Volume {
                inner: Arc::clone(&self.inner),
            }
            .decide()?;
        }
        Ok(())
    }

    /// The file.
    #[must_use]
    pub(crate) fn id(&self) -> FileId {
        self.shared.id()
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
        self.decide()?;
        open.make_sure(mft, self.id())?;
        if mft.disk().permits().writes() == Some(Writes::InPlace) {
            let wanted = [(offset, end.saturating_sub(offset))];
            writes::check_in_place(self.id(), &open.stream, file_len, &wanted)?;
        }
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
        self.decide()?;
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
        self.decide()?;
        grow::check(&self.inner, self.id(), &mut self.open(), len, extents)
    }

    /// Notes that the content was changed at the time `now` (a FILETIME): sets the file's times, and
    /// its attribute that requests a backup.
    ///
    /// # Errors
    /// A damaged record, or an error of the device.
    pub fn touch(&self, now: u64) -> Result<(), VolumeError> {
        let _open = self.open();
        let _writing = self.inner.writing();
        let mft = &self.inner.mft;
        let mut record = mft.read(self.id())?;
        let offset = record.offset();
        let lost = || Corruption::new("$STANDARD_INFORMATION", offset, "a resident one", "none");
        set_written(&mut record, now).ok_or_else(lost)?;
        mft.write(&mut record)
    }

    /// Checks that the bytes of the file can be changed in place: all readers agree on their
    /// position, no other file has one of its clusters, and they are not compressed. Nothing is
    /// written.
    ///
    /// # Errors
    /// [`VolumeError::Transformed`], [`VolumeError::ReadersDisagree`], or a damaged volume.
    pub fn check_in_place(&self) -> Result<(), VolumeError> {
        self.decide()?;
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
