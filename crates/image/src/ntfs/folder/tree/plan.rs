//! Plans what is written for a changed index, and in which order.
//!
//! One node is written in place, and with that the whole change is made at once: all other changed
//! nodes are below it, and are written to free blocks before, to which nothing refers yet. The
//! blocks that they replace are marked as free at last. Therefore a crash between two writes leaves
//! the old or the new index, and at most some blocks or clusters that are marked as used in vain. A
//! crash within the write of a block or a record may leave it torn, if more than one of its sectors
//! changes: only the caller's record of the old bytes can repair this.

use std::collections::{BTreeMap, BTreeSet};

use diskmend_base::count::{to_u64, to_usize};

use super::node::{Child, Place};
use super::{ROOT, Tree};
use crate::ntfs::bitmap::Bitmap;
use crate::ntfs::claims;
use crate::ntfs::edit::Edit;
use crate::ntfs::error::{Corruption, VolumeError};
use crate::ntfs::extents;
use crate::ntfs::fixup;
use crate::ntfs::folder::INDEX;
use crate::ntfs::format::{IndexBlock, IndexRoot, attribute_type};
use crate::ntfs::growth::{Growth, Value};
use crate::ntfs::index;
use crate::ntfs::layout::Layout;
use crate::ntfs::mft::Mft;
use crate::ntfs::place::Extent;
use crate::ntfs::record::{NoRoom, Record};
use crate::ntfs::stream::{Part, Stream};

/// What is written for a change of an index.
pub(crate) struct Written {
    /// The record with `$INDEX_ROOT`.
    root_record: u64,
    /// The new value of `$INDEX_ROOT`, if it changes.
    root: Option<Vec<u8>>,
    /// The block that is written in place instead: its position in `$INDEX_ALLOCATION`.
    in_place: Option<(u64, Vec<u8>)>,
    /// New blocks by position.
    new: BTreeMap<u64, Vec<u8>>,
    /// `$INDEX_ALLOCATION`, if a block is written.
    allocation: Option<Growth>,
    /// `$BITMAP`, if it is not resident and gets new bits.
    bitmap: Option<Growth>,
    /// The record of `$BITMAP`.
    bitmap_record: u64,
    /// The value of `$BITMAP` now, with the new blocks, and without those that they replace.
    bits: [Vec<u8>; 3],
    /// The clusters of the blocks, if the index needs no blocks any more.
    unused: Option<Vec<Extent>>,
}

impl Tree<'_> {
    /// Finds places for everything that changed; nothing is written. `None` if nothing changed.
    pub(crate) fn plan(&self, mft: &Mft) -> Result<Option<Written>, VolumeError> {
        let mut touched = BTreeSet::new();
        let mut reached = BTreeSet::new();
        self.touch(ROOT, &mut touched, &mut reached)?;
        if touched.is_empty() {
            return Ok(None);
        }
        let top = self.top(&mut touched)?;
        let records = &self.folder.records;
        let root_record = records.all(attribute_type::INDEX_ROOT, INDEX).next();
        let (root_record, _) = root_record.ok_or_else(|| self.lost())?;
        let bitmap = self.bitmap.as_ref();
        let mut written = Written {
            root_record: root_record.number(),
            root: None,
            in_place: None,
            new: BTreeMap::new(),
            allocation: None,
            bitmap: None,
            bitmap_record: bitmap.map_or(root_record.number(), Stream::record),
            bits: std::array::from_fn(|_| self.bits.clone()),
            unused: None,
        };
        let numbers = self.number(&touched, &mut written)?;
        for (number, node) in self.nodes.iter().enumerate() {
            let is_replaced = touched.contains(&number) || !reached.contains(&number);
            if let (Place::Block(vcn), true) = (node.stored, is_replaced) {
                let ordinal = self.ordinal(vcn).ok_or_else(|| self.lost())?;
                let [_, _, after] = &mut written.bits;
                index::set_bit(after, ordinal, false);
            }
        }
        self.lay_out(top, &numbers, &mut written)?;
        let node = self.node(top)?;
        if node.stored == Place::Root && node.is_leaf() && self.folder.allocation.is_some() {
            written.unused = Some(self.unused(bitmap)?);
        } else {
            self.find_clusters(mft, bitmap, &mut written)?;
        }
        Ok(Some(written))
    }

    /// Collects the nodes that can be reached from a node, and those among them that change or are
    /// above such a node.
    fn touch(
        &self,
        number: usize,
        touched: &mut BTreeSet<usize>,
        reached: &mut BTreeSet<usize>,
    ) -> Result<bool, VolumeError> {
        if !reached.insert(number) {
            return Err(self.lost());
        }
        let node = self.node(number)?;
        let mut is_touched = node.changed;
        for slot in 0..=node.entries.len() {
            if let Some(Child::Loaded(child)) = node.child(slot) {
                is_touched |= self.touch(child, touched, reached)?;
            }
        }
        if is_touched {
            touched.insert(number);
        }
        Ok(is_touched)
    }

    /// The lowest node that has all changes in itself or below it; only those below it stay in
    /// `touched`.
    fn top(&self, touched: &mut BTreeSet<usize>) -> Result<usize, VolumeError> {
        let mut top = ROOT;
        loop {
            touched.remove(&top);
            let node = self.node(top)?;
            let children = (0..=node.entries.len()).filter_map(|slot| match node.child(slot) {
                Some(Child::Loaded(child)) if touched.contains(&child) => Some(child),
                _ => None,
            });
            let children: Vec<usize> = children.collect();
            match children.as_slice() {
                [only] if !node.changed => top = *only,
                _ => return Ok(top),
            }
        }
    }

    /// Finds free blocks for the changed nodes below the one that is written in place.
    fn number(
        &self,
        touched: &BTreeSet<usize>,
        written: &mut Written,
    ) -> Result<BTreeMap<usize, u64>, VolumeError> {
        let shape = self.folder.shape;
        let mut numbers = BTreeMap::new();
        let mut free = (0..).filter(|ordinal| !index::has_bit(&self.bits, *ordinal));
        for node in touched {
            let ordinal = free.next().ok_or_else(|| self.lost())?;
            let position = ordinal.checked_mul(shape.block_len.get());
            let position = position.ok_or_else(|| self.lost())?;
            numbers.insert(*node, shape.number(position));
            let [_, with, after] = &mut written.bits;
            index::set_bit(with, ordinal, true);
            index::set_bit(after, ordinal, true);
        }
        Ok(numbers)
    }

    /// Makes the bytes of all nodes that are written.
    fn lay_out(
        &self,
        top: usize,
        numbers: &BTreeMap<usize, u64>,
        written: &mut Written,
    ) -> Result<(), VolumeError> {
        let shape = self.folder.shape;
        let number_of = |child| match child {
            Child::Stored(vcn) => Some(vcn),
            Child::Loaded(number) => match numbers.get(&number) {
                Some(vcn) => Some(*vcn),
                None => match self.nodes.get(number)?.stored {
                    Place::Block(vcn) => Some(vcn),
                    Place::Root | Place::New => None,
                },
            },
        };
        let position = |vcn| shape.position(vcn).ok_or_else(|| self.lost());
        let node = self.node(top)?;
        match node.stored {
            Place::Root => {
                let value = node.lay_out(IndexRoot::NODE, None, number_of);
                written.root = Some(value.ok_or_else(|| self.lost())?);
            }
            Place::Block(vcn) => {
                let block = node.lay_out(IndexBlock::NODE, None, number_of);
                let block = block.ok_or_else(|| self.lost())?;
                written.in_place = Some((position(vcn)?, block));
            }
            Place::New => return Err(self.lost()),
        }
        for (number, vcn) in numbers {
            let new = Some((to_usize(shape.block_len), *vcn));
            let node = self.node(*number)?;
            let block = node.lay_out(IndexBlock::NODE, new, number_of);
            let block = block.ok_or_else(|| self.lost())?;
            written.new.insert(position(*vcn)?, block);
        }
        Ok(())
    }

    /// The clusters of `$INDEX_ALLOCATION` and `$BITMAP`, which the index needs no longer.
    fn unused(&self, bitmap: Option<&Stream>) -> Result<Vec<Extent>, VolumeError> {
        let records = &self.folder.records;
        if records.is_spread() {
            return Err(VolumeError::NoRoomInFolder {
                folder: records.base().id(),
                why: "its attributes are spread over several records",
            });
        }
        let streams = self.folder.allocation.iter().chain(bitmap);
        let layouts = streams.filter_map(Stream::layout);
        Ok(layouts.flat_map(Layout::extents).collect())
    }

    /// Finds clusters for what gets longer, and checks that no other file has those that are
    /// written.
    fn find_clusters(
        &self,
        mft: &Mft,
        bitmap: Option<&Stream>,
        written: &mut Written,
    ) -> Result<(), VolumeError> {
        let is_new = !written.new.is_empty();
        if !is_new && written.in_place.is_none() {
            return Ok(());
        }
        let records = &self.folder.records;
        let lacks = self.folder.allocation.is_none() || bitmap.is_none();
        if is_new && lacks && records.is_spread() {
            return Err(VolumeError::NoRoomInFolder {
                folder: records.base().id(),
                why: "its attributes are spread over several records",
            });
        }
        let mut clusters = Bitmap::open(mft)?;
        let allocation = self.folder.allocation.as_ref();
        let layout = allocation.and_then(Stream::layout);
        let block_len = self.folder.shape.block_len.get();
        let ends = written
            .new
            .keys()
            .map(|start| start.saturating_add(block_len));
        let end = ends.max().unwrap_or(0);
        if let Some(layout) = layout
            && end > layout.len
            && layout.initialized < layout.len
        {
            let place = records.base().offset();
            let (what, actual) = ("index allocation", layout.initialized.to_string());
            let expected = format!("{} initialized bytes", layout.len);
            return Err(Corruption::new(what, place, expected, actual).into());
        }
        let value = value(
            attribute_type::INDEX_ALLOCATION,
            allocation,
            written.root_record,
        );
        written.allocation = Some(Growth::plan(mft, &mut clusters, value, end)?);
        if is_new && bitmap.is_some_and(|bitmap| bitmap.layout().is_some()) {
            let value = value_of_bitmap(bitmap, written.root_record);
            let [_, with, _] = &written.bits;
            let len = to_u64(with.len());
            written.bitmap = Some(Growth::plan(mft, &mut clusters, value, len)?);
        }
        let growths = || [&written.allocation, &written.bitmap].into_iter().flatten();
        let mut extents: Vec<Extent> = growths()
            .flat_map(|growth| growth.layout.extents())
            .collect();
        if let Some(extent) = extents::first_overlap(&mut extents) {
            let offset = mft.disk().geometry.place(extent.start);
            let actual = "one that another part of the index has, too";
            let what = "cluster of an index";
            return Err(Corruption::new(what, offset, "one of its own", actual).into());
        }
        let folder = records.base().number();
        claims::check(mft, folder, &extents, |record, attribute| {
            let file = record.base().map_or(record.number(), |base| base.record);
            file == folder && growths().any(|growth| growth.is_of(attribute))
        })
    }
}

fn value_of_bitmap(stream: Option<&Stream>, root_record: u64) -> Value {
    value(attribute_type::BITMAP, stream, root_record)
}

fn value(kind: u32, stream: Option<&Stream>, root_record: u64) -> Value {
    Value {
        record: stream.map_or(root_record, Stream::record),
        kind,
        name: INDEX,
        layout: stream.and_then(Stream::layout).cloned(),
        last: stream.and_then(last_part),
    }
}

/// The attribute that describes the end of a value, if several describe it.
fn last_part(stream: &Stream) -> Option<Part> {
    match stream.parts() {
        [_, .., last] => Some(*last),
        _ => None,
    }
}

impl Written {
    /// Writes everything, or tries whether the records have room for it. `touch` changes the base
    /// record of the folder, `base`. Everything is durable afterwards.
    pub(crate) fn carry_out(
        &self,
        mft: &Mft,
        edit: &mut Edit<'_>,
        base: u64,
        touch: &dyn Fn(&mut Record),
    ) -> Result<Result<(), NoRoom>, VolumeError> {
        let growths = [&self.allocation, &self.bitmap].into_iter().flatten();
        let extents = growths.flat_map(|growth| growth.extents.iter().copied());
        let extents: Vec<Extent> = extents.collect();
        edit.take(&extents)?;
        if let Some(allocation) = &self.allocation {
            for (at, block) in &self.new {
                let mut block = block.clone();
                let offset = allocation.layout.position(*at).unwrap_or(*at);
                fixup::protect(&mut block, IndexBlock::MAGIC, offset)?;
                edit.write(&allocation.layout, &block, *at)?;
            }
            edit.sync()?;
        }
        if let Err(NoRoom) = self.put(edit)? {
            return Ok(Err(NoRoom));
        }
        if self.root.is_some() {
            touch(edit.record(base)?);
        }
        edit.write_records(self.root_record)?;
        edit.sync()?;
        if let (Some((at, block)), Some(allocation)) = (&self.in_place, &self.allocation) {
            let layout = &allocation.layout;
            let mut block = block.clone();
            let mut before = vec![0; block.len()];
            layout.read(mft.disk(), &mut before, *at)?;
            let offset = layout.position(*at).unwrap_or(*at);
            fixup::protect_over(&mut block, &before, IndexBlock::MAGIC, offset)?;
            edit.write(layout, &block, *at)?;
            edit.sync()?;
            touch(edit.record(base)?);
        }
        let [_, with, after] = &self.bits;
        if with != after
            && self.unused.is_none()
            && let Err(NoRoom) = self.put_bits(edit, after)?
        {
            return Ok(Err(NoRoom));
        }
        edit.write_records(self.root_record)?;
        edit.sync()?;
        if let Some(unused) = &self.unused {
            edit.give_back(unused)?;
            edit.sync()?;
        }
        Ok(Ok(()))
    }

    /// Puts the sizes, the bits of the new blocks and the root into their records, in memory.
    fn put(&self, edit: &mut Edit<'_>) -> Result<Result<(), NoRoom>, VolumeError> {
        if self.unused.is_some() {
            let record = edit.record(self.root_record)?;
            for kind in [attribute_type::INDEX_ALLOCATION, attribute_type::BITMAP] {
                let place = record.find(kind, INDEX).map(|found| found.place());
                if place.is_some_and(|place| record.remove(place).is_none()) {
                    return Ok(Err(NoRoom));
                }
            }
        }
        // Changes that need room in the record come after those that free room.
        if let Err(NoRoom) = self.put_root(edit, true)? {
            return Ok(Err(NoRoom));
        }
        for growth in [&self.allocation, &self.bitmap].into_iter().flatten() {
            if let Err(NoRoom) = growth.put(edit)? {
                return Ok(Err(NoRoom));
            }
        }
        let [before, with, _] = &self.bits;
        if before != with
            && let Err(NoRoom) = self.put_bits(edit, with)?
        {
            return Ok(Err(NoRoom));
        }
        self.put_root(edit, false)
    }

    /// Puts the root into its record, in memory; with `only_shorter`, only if it gets shorter.
    fn put_root(
        &self,
        edit: &mut Edit<'_>,
        only_shorter: bool,
    ) -> Result<Result<(), NoRoom>, VolumeError> {
        let Some(root) = &self.root else {
            return Ok(Ok(()));
        };
        let record = edit.record(self.root_record)?;
        let found = record.resident(attribute_type::INDEX_ROOT, INDEX);
        if only_shorter && found.is_some_and(|found| root.len() > found.len()) {
            return Ok(Ok(()));
        }
        Ok(record.put_value(attribute_type::INDEX_ROOT, INDEX, root))
    }

    /// Writes the bits to clusters, or puts them into their record in memory.
    fn put_bits(
        &self,
        edit: &mut Edit<'_>,
        bits: &[u8],
    ) -> Result<Result<(), NoRoom>, VolumeError> {
        if let Some(bitmap) = &self.bitmap {
            edit.write(&bitmap.layout, bits, 0)?;
            return Ok(Ok(()));
        }
        let record = edit.record(self.bitmap_record)?;
        if record.find(attribute_type::BITMAP, INDEX).is_none()
            && let Err(NoRoom) = record.add_resident(attribute_type::BITMAP, INDEX, bits.len())
        {
            return Ok(Err(NoRoom));
        }
        Ok(record.put_value(attribute_type::BITMAP, INDEX, bits))
    }
}
