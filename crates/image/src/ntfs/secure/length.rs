//! How `$SDS` gets longer: its sizes, and more clusters where those that it has do not suffice.

use super::error::SecurityError;
use super::store::SdsStream;
use crate::ntfs::bitmap::{Bitmap, Extent};
use crate::ntfs::error::VolumeError;
use crate::ntfs::file::check_place;
use crate::ntfs::layout::Layout;
use crate::ntfs::mft::Mft;
use crate::ntfs::record::{AttributeAt, Record};
use crate::ntfs::runs;

/// Clusters and sizes that `$SDS` is to have.
pub(super) struct Length {
    pub(super) layout: Layout,
    /// New clusters, which are marked as used before anything else is written.
    extents: Vec<Extent>,
    /// Mapping pairs, where there are new clusters.
    pairs: Option<Vec<u8>>,
}

impl Length {
    /// Finds out how to make `$SDS` at least `len` bytes long; nothing is written.
    pub(super) fn plan(mft: &Mft, sds: &SdsStream, len: u64) -> Result<Self, SecurityError> {
        check_place(mft, &sds.layout)?;
        let old = &sds.layout;
        let mut new = Self {
            layout: old.clone(),
            extents: Vec::new(),
            pairs: None,
        };
        if len > old.allocated {
            new.allocate(mft, sds, len)?;
        }
        new.layout.len = old.len.max(len);
        new.layout.initialized = old.initialized.max(len);
        Ok(new)
    }

    fn allocate(&mut self, mft: &Mft, sds: &SdsStream, len: u64) -> Result<(), SecurityError> {
        let record = mft.read_any(sds.record)?;
        let id = record.base().unwrap_or_else(|| record.id());
        let cannot = |why| VolumeError::CannotGrow { id, len, why };
        let header = record
            .attribute(sds.at)
            .and_then(|attribute| attribute.non_resident());
        let told = header.map(|header| header.highest_vcn.get().wrapping_add(1));
        if told != Some(self.layout.clusters()) {
            let why = "$SDS of $Secure is told of in several parts: set the descriptor in Windows";
            return Err(cannot(why).into());
        }
        let cluster_len = u64::from(mft.disk().geometry.cluster_len);
        let clusters = len
            .div_ceil(cluster_len)
            .saturating_sub(self.layout.clusters());
        let last = self.layout.extents().last();
        let near = last.and_then(|last| last.start.after(last.len));
        let near = near.ok_or_else(|| cannot("it has no clusters"))?;
        let bitmap = Bitmap::open(mft)?;
        self.extents = match bitmap.find(near, clusters, &mft.promises().of_others(id.record))? {
            Some(extents) => extents,
            None => {
                return Err(VolumeError::Full {
                    needed: clusters.saturating_mul(cluster_len),
                    free: bitmap.free()?.saturating_mul(cluster_len),
                }
                .into());
            }
        };
        let layout = self.layout.extended(&self.extents);
        self.layout = layout.ok_or_else(|| cannot("it would be too long"))?;
        let pairs = runs::encode(self.layout.runs());
        self.pairs = Some(pairs.map_err(|_| cannot("it would be too long"))?);
        Ok(())
    }

    /// Marks the new clusters as used, and returns when that is durable.
    pub(super) fn take(&self, mft: &Mft) -> Result<(), SecurityError> {
        if !self.extents.is_empty() {
            Bitmap::open(mft)?.take(&self.extents)?;
            mft.disk().sync()?;
        }
        Ok(())
    }

    /// Puts the sizes and clusters into the record, in memory.
    pub(super) fn put(&self, record: &mut Record, at: AttributeAt) -> Result<(), SecurityError> {
        let no_room = || SecurityError::NoRoom { index: "$SDS" };
        if let Some(pairs) = &self.pairs {
            let highest = self.layout.clusters().wrapping_sub(1);
            let put = record.set_mapping_pairs(at, pairs, highest);
            put.map_err(|crate::ntfs::record::NoRoom| no_room())?;
        }
        let header = record.non_resident_mut(at).ok_or_else(no_room)?;
        header.allocated_size = self.layout.allocated.into();
        header.data_size = self.layout.len.into();
        header.initialized_size = self.layout.initialized.into();
        Ok(())
    }
}
