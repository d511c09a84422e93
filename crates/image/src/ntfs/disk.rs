//! The device of a volume; errors contain the position.

use std::sync::Arc;

use diskmend_base::count::{to_u64, to_usize};

use super::boot::Geometry;
use super::error::VolumeError;
use super::place::{Extent, Lcn};
use super::writes::Permits;
use crate::device::Device;

/// The number of bytes that are taken into a record at once.
const KEPT_AT_ONCE: usize = 1 << 20;

/// The bytes of a volume and their geometry.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    device: Arc<dyn Device>,
    permits: Permits,
    /// The sizes and positions of the volume.
    pub(crate) geometry: Geometry,
}

impl Disk {
    /// Reads the boot sector of a volume.
    pub(crate) fn new(device: Arc<dyn Device>) -> Result<Self, VolumeError> {
        let geometry = Geometry::read(&*device)?;
        Ok(Self {
            device,
            permits: Permits::default(),
            geometry,
        })
    }

    /// A volume without a boot sector.
    #[cfg(test)]
    pub(crate) fn with_geometry(device: Arc<dyn Device>, geometry: Geometry) -> Self {
        Self {
            device,
            permits: Permits::default(),
            geometry,
        }
    }

    /// The clusters that may be written.
    pub(crate) fn permits(&self) -> &Permits {
        &self.permits
    }

    /// The device itself.
    pub(crate) fn device(&self) -> &Arc<dyn Device> {
        &self.device
    }

    /// Fills `buf` from `offset` on.
    pub(crate) fn read(&self, buf: &mut [u8], offset: u64) -> Result<(), VolumeError> {
        self.device
            .read_exact_at(buf, offset)
            .map_err(VolumeError::device(offset))
    }

    /// Writes `data` at `offset`.
    ///
    /// # Errors
    /// [`VolumeError::NotPermitted`] if something else than the bytes of checked files would change
    /// on a volume on which only these may be written, or an error of the device.
    pub(crate) fn write(&self, data: &[u8], offset: u64) -> Result<(), VolumeError> {
        let cluster_len = self.geometry.cluster_len.get();
        let start = offset / cluster_len;
        let end = offset
            .saturating_add(to_u64(data.len()))
            .div_ceil(cluster_len);
        let clusters = Extent {
            start: Lcn(start),
            len: end.saturating_sub(start),
        };
        if !self.permits.allow(&clusters) {
            return Err(VolumeError::NotPermitted { offset });
        }
        self.device
            .write_all_at(data, offset)
            .map_err(VolumeError::device(offset))
    }

    /// Takes clusters that are given up into the record of changes, if there is one.
    pub(crate) fn keep(&self, extents: &[Extent]) -> Result<(), VolumeError> {
        let cluster = self.geometry.cluster_len.get();
        for extent in extents {
            let start = extent.start.0.saturating_mul(cluster);
            let mut left = extent.len.saturating_mul(cluster);
            let mut at = start;
            while left > 0 {
                let len = to_usize(left).min(KEPT_AT_ONCE);
                self.device.keep(at, len).map_err(VolumeError::device(at))?;
                at = at.saturating_add(len as u64);
                left = left.saturating_sub(len as u64);
            }
        }
        Ok(())
    }

    /// Returns when all that was written is durable.
    pub(crate) fn sync(&self) -> Result<(), VolumeError> {
        self.device.sync().map_err(VolumeError::device(0))
    }
}
