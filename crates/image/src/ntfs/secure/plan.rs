//! Plans what is written for new descriptors, and in which order.
//!
//! First come writes to which nothing refers yet: clusters, the bytes of `$SDS`, new blocks of the
//! indexes. Then `$SII`, then `$SDH`: the sizes, the bits of the new blocks and the root change at
//! once in the record of the root, then the blocks that are changed in place. Each is durable
//! before the next begins, and the bits of replaced blocks are cleared last. A crash in between
//! leaves bytes or blocks to which nothing refers, or an id that only `$SII` knows. A crash within
//! the write of a block or of a record may leave it torn, if more than one of its sectors changes:
//! only the caller's record of the old bytes can repair this.

use diskmend_base::count::to_u64;
use std::sync::Arc;

use super::error::SecurityError;
use super::index::Index;
use super::key::{ByHash, ById, Key};
use super::sds::Append;
use super::store::{IndexBlocks, Store, View};
use crate::ntfs::bitmap::Bitmap;
use crate::ntfs::claims;
use crate::ntfs::edit::Edit;
use crate::ntfs::error::{Corruption, VolumeError};
use crate::ntfs::extents;
use crate::ntfs::fixup;
use crate::ntfs::format::{IndexBlock, attribute_type, system};
use crate::ntfs::growth::{Growth, Value};
use crate::ntfs::index;
use crate::ntfs::layout::Layout;
use crate::ntfs::mft::Mft;
use crate::ntfs::place::Extent;
use crate::ntfs::record::{NoRoom, Record};

/// `$SII` of a volume.
pub(super) type ByIdIndex = Index<ById, Arc<IndexBlocks>>;
/// `$SDH` of a volume.
pub(super) type ByHashIndex = Index<ByHash, Arc<IndexBlocks>>;

/// Everything that is to be written.
pub(super) struct Plan<'a> {
    append: &'a Append,
    sds: Growth,
    by_id: IndexPlan<'a, ById>,
    by_hash: IndexPlan<'a, ByHash>,
}

/// The part of the plan for one index.
struct IndexPlan<'a, K> {
    view: &'a View,
    index: &'a Index<K, Arc<IndexBlocks>>,
    allocation: Option<Growth>,
    /// `$BITMAP`, if it is not resident.
    bitmap: Option<Growth>,
    /// Its new value, with replaced blocks and without.
    bits: [Vec<u8>; 2],
}

impl<'a> Plan<'a> {
    /// Finds clusters for everything that grows; nothing is written.
    pub(super) fn new(
        mft: &Mft,
        store: &'a Store,
        append: &'a Append,
        (by_id, by_hash): (&'a ByIdIndex, &'a ByHashIndex),
    ) -> Result<Self, SecurityError> {
        let mut bitmap = Bitmap::open(mft)?;
        let plan = Self {
            append,
            sds: Growth::plan(mft, &mut bitmap, store.sds.value(), append.len)?,
            by_id: IndexPlan::new(mft, &mut bitmap, &store.by_id, by_id)?,
            by_hash: IndexPlan::new(mft, &mut bitmap, &store.by_hash, by_hash)?,
        };
        check_apart(mft, plan.growths().map(|growth| &growth.layout))?;
        let extents: Vec<Extent> = plan
            .growths()
            .flat_map(|growth| growth.layout.extents())
            .collect();
        claims::check(mft, system::SECURE, &extents, |record, attribute| {
            let file = record.base().map_or(record.number(), |base| base.record);
            file == system::SECURE && plan.growths().any(|growth| growth.is_of(attribute))
        })?;
        Ok(plan)
    }

    fn growths(&self) -> impl Iterator<Item = &Growth> {
        let by_id = [&self.by_id.allocation, &self.by_id.bitmap];
        let by_hash = [&self.by_hash.allocation, &self.by_hash.bitmap];
        let indexes = by_id.into_iter().chain(by_hash).flatten();
        std::iter::once(&self.sds).chain(indexes)
    }

    /// Writes everything, or tries whether the records have room for it.
    pub(super) fn carry_out(&self, edit: &mut Edit<'_>) -> Result<(), SecurityError> {
        let extents: Vec<Extent> = self
            .growths()
            .flat_map(|growth| growth.extents.iter().copied())
            .collect();
        edit.take(&extents)?;
        for (at, bytes) in &self.append.writes {
            edit.write(&self.sds.layout, bytes, *at)?;
        }
        self.by_id.write_new(edit)?;
        self.by_hash.write_new(edit)?;
        edit.sync()?;

        // Changes that need room in a record come after those that free room.
        self.by_id.put_root(edit, true)?;
        let at_once = self.by_id.view.record == self.by_hash.view.record
            && self.by_id.index.changed_blocks().next().is_none();
        if at_once {
            self.by_hash.put_root(edit, true)?;
        }
        put_growth(&self.sds, edit)?;
        self.by_id.put(edit)?;
        if at_once {
            self.by_hash.put(edit)?;
        }
        edit.write_records(self.by_id.view.record)?;
        edit.sync()?;
        self.by_id.write_changed(edit)?;
        edit.sync()?;
        if !at_once {
            self.by_hash.put(edit)?;
            edit.write_records(self.by_hash.view.record)?;
            edit.sync()?;
        }
        self.by_hash.write_changed(edit)?;
        edit.sync()?;
        self.by_id.give_back(edit)?;
        self.by_hash.give_back(edit)?;
        Ok(edit.write_records(self.by_id.view.record)?)
    }
}

impl<'a, K: Key> IndexPlan<'a, K> {
    fn new(
        mft: &Mft,
        bitmap: &mut Bitmap<'_>,
        view: &'a View,
        index: &'a Index<K, Arc<IndexBlocks>>,
    ) -> Result<Self, SecurityError> {
        index.check()?;
        let mut plan = Self {
            view,
            index,
            allocation: None,
            bitmap: None,
            bits: [view.blocks.bits.clone(), view.blocks.bits.clone()],
        };
        let is_new = index.new_blocks().next().is_some();
        if is_new || index.changed_blocks().next().is_some() {
            let allocation = view.allocation::<K>();
            plan.check_attributes(mft, &allocation, is_new)?;
            plan.allocation = Some(Growth::plan(mft, bitmap, allocation, index.end())?);
        }
        if !is_new {
            return Ok(plan);
        }
        for bits in &mut plan.bits {
            for number in index.new_numbers() {
                index::set_bit(bits, number, true);
            }
        }
        let [_, after] = &mut plan.bits;
        for number in index.replaced() {
            index::set_bit(after, *number, false);
        }
        if let Some(value) = view.bitmap_in_clusters::<K>() {
            let [bits, _] = &plan.bits;
            let len = to_u64(bits.len());
            plan.bitmap = Some(Growth::plan(mft, bitmap, value, len)?);
        }
        Ok(plan)
    }

    /// Refuses a change that would need an attribute list.
    fn check_attributes(
        &self,
        mft: &Mft,
        allocation: &Value,
        is_new: bool,
    ) -> Result<(), SecurityError> {
        let lacks = allocation.layout.is_none() || self.view.blocks.bitmap.is_none();
        if is_new && lacks && self.view.is_spread {
            let record = mft.read_any(self.view.record)?;
            return Err(VolumeError::CannotGrow {
                id: record.base().unwrap_or_else(|| record.id()),
                len: self.index.end(),
                why: "its attributes are spread over several records: set the descriptor in Windows",
            }
            .into());
        }
        Ok(())
    }

    /// Writes the new blocks, to which nothing refers yet.
    fn write_new(&self, edit: &mut Edit<'_>) -> Result<(), SecurityError> {
        self.write_blocks(edit, self.index.new_blocks())
    }

    /// Writes the blocks that are changed in place.
    fn write_changed(&self, edit: &mut Edit<'_>) -> Result<(), SecurityError> {
        self.write_blocks(edit, self.index.changed_blocks())
    }

    fn write_blocks<'b>(
        &self,
        edit: &mut Edit<'_>,
        blocks: impl Iterator<Item = (u64, &'b [u8])>,
    ) -> Result<(), SecurityError> {
        let Some(allocation) = &self.allocation else {
            return Ok(());
        };
        for (at, bytes) in blocks {
            let mut bytes = bytes.to_vec();
            let offset = allocation.layout.position(at).unwrap_or(at);
            fixup::protect(&mut bytes, IndexBlock::MAGIC, offset).map_err(VolumeError::from)?;
            edit.write(&allocation.layout, &bytes, at)?;
        }
        Ok(())
    }

    /// Puts the root into its record, in memory; with `only_shorter`, only if it gets shorter.
    fn put_root(&self, edit: &mut Edit<'_>, only_shorter: bool) -> Result<(), SecurityError> {
        if !self.index.root_changed() {
            return Ok(());
        }
        let root = self.index.root();
        let record = edit.record(self.view.record)?;
        let put = |record: &mut Record| {
            let found = record.find(attribute_type::INDEX_ROOT, K::NAME);
            let found = found.ok_or(NoRoom)?;
            let len = found.resident().ok_or(NoRoom)?.len();
            if only_shorter && root.len() > len {
                return Ok(());
            }
            record.put_value(attribute_type::INDEX_ROOT, K::NAME, root)
        };
        put(record).map_err(|NoRoom| SecurityError::NoRoom { index: K::NAME })
    }

    /// Puts root, sizes and the bits of the new blocks into their records, in memory.
    fn put(&self, edit: &mut Edit<'_>) -> Result<(), SecurityError> {
        self.put_root(edit, true)?;
        for growth in [&self.allocation, &self.bitmap].into_iter().flatten() {
            put_growth(growth, edit)?;
        }
        let [bits, _] = &self.bits;
        if *bits != self.view.blocks.bits {
            self.put_bits(edit, bits)?;
        }
        self.put_root(edit, false)
    }

    /// Clears the bits of replaced blocks.
    fn give_back(&self, edit: &mut Edit<'_>) -> Result<(), SecurityError> {
        let [before, after] = &self.bits;
        if before == after {
            return Ok(());
        }
        self.put_bits(edit, after)
    }

    /// Writes the bits to clusters, or puts them into their record in memory.
    fn put_bits(&self, edit: &mut Edit<'_>, bits: &[u8]) -> Result<(), SecurityError> {
        if let Some(bitmap) = &self.bitmap {
            return Ok(edit.write(&bitmap.layout, bits, 0)?);
        }
        let stream = self.view.blocks.bitmap.as_ref();
        let record = edit.record(stream.map_or(self.view.record, |stream| stream.record()))?;
        let put = |record: &mut Record| {
            if record.find(attribute_type::BITMAP, K::NAME).is_none() {
                record.add_resident(attribute_type::BITMAP, K::NAME, bits.len())?;
            }
            record.put_value(attribute_type::BITMAP, K::NAME, bits)
        };
        put(record).map_err(|NoRoom| SecurityError::NoRoom { index: K::NAME })
    }
}

/// Writes the sizes and clusters of a value to its record, in memory.
fn put_growth(growth: &Growth, edit: &mut Edit<'_>) -> Result<(), SecurityError> {
    let index = growth.name();
    growth
        .put(edit)?
        .map_err(|NoRoom| SecurityError::NoRoom { index })
}

/// Refuses values that have clusters in common.
fn check_apart<'a>(
    mft: &Mft,
    layouts: impl Iterator<Item = &'a Layout>,
) -> Result<(), SecurityError> {
    let mut extents: Vec<Extent> = layouts.flat_map(Layout::extents).collect();
    let Some(extent) = extents::first_overlap(&mut extents) else {
        return Ok(());
    };
    let offset = mft.disk().geometry.place(extent.start);
    let actual = "one that another part of $Secure has, too";
    Err(Corruption::new("cluster of $Secure", offset, "one of its own", actual).into())
}
