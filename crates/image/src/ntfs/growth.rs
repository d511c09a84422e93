//! Lengthens `$SDS`, and `$INDEX_ALLOCATION` and `$BITMAP` of indexes: their sizes, and more
//! clusters if their clusters do not suffice.

use super::attribute::Attribute;
use super::bitmap::Bitmap;
use super::edit::Edit;
use super::error::VolumeError;
use super::layout::Layout;
use super::mft::Mft;
use super::open::{check_foreign, check_place};
use super::place::{Extent, Lcn};
use super::record::{NoRoom, Record};
use super::runs::{self, Run};
use super::stream::Part;

/// The number of bytes that are allocated in addition, if that needs no further run: values that
/// grow alternately would otherwise be scattered over many places, for which their record has no
/// room.
const SPARE: u64 = 64 << 10;

/// An attribute with its value in clusters.
pub(crate) struct Value {
    /// The record that describes it, or that will contain it.
    pub(crate) record: u64,
    pub(crate) kind: u32,
    pub(crate) name: &'static str,
    /// Its position; `None` if there is no such attribute yet.
    pub(crate) layout: Option<Layout>,
    /// The attribute that describes its end, if it is not the one with its sizes.
    pub(crate) last: Option<Part>,
}

/// The clusters and sizes that it will have.
pub(crate) struct Growth {
    value: Value,
    /// Its future layout.
    pub(crate) layout: Layout,
    /// New clusters, which are marked as used before anything else is written.
    pub(crate) extents: Vec<Extent>,
    /// Mapping pairs, if there are new clusters.
    pairs: Option<Vec<u8>>,
}

impl Growth {
    /// Plans how to make a value at least `len` bytes long; nothing is written.
    pub(crate) fn plan(
        mft: &Mft,
        bitmap: &mut Bitmap<'_>,
        value: Value,
        len: u64,
    ) -> Result<Self, VolumeError> {
        let old = match &value.layout {
            None => Layout::empty(mft.disk().geometry.cluster_len),
            Some(layout) => {
                check_place(mft, layout)?;
                layout.clone()
            }
        };
        let mut new = Self {
            value,
            layout: old,
            extents: Vec::new(),
            pairs: None,
        };
        if len > new.layout.allocated {
            new.allocate(mft, bitmap, len)?;
        }
        new.layout.len = new.layout.len.max(len);
        new.layout.initialized = new.layout.initialized.max(len);
        Ok(new)
    }

    /// True if this attribute, of the same file, grows.
    pub(crate) fn is_of(&self, attribute: &Attribute<'_>) -> bool {
        attribute.kind() == self.value.kind && attribute.is_named(self.value.name)
    }

    fn allocate(
        &mut self,
        mft: &Mft,
        bitmap: &mut Bitmap<'_>,
        len: u64,
    ) -> Result<(), VolumeError> {
        let record = mft.read_any(self.value.record)?;
        let id = record.base().unwrap_or_else(|| record.id());
        let cannot = |why| VolumeError::CannotGrow { id, len, why };
        let mut lowest = 0;
        if let Some(last) = self.value.last {
            let record = mft.read_any(last.record)?;
            let part = part_of(&record, &self.value, last);
            let header = part.and_then(|part| part.non_resident());
            lowest = header
                .map(|header| header.lowest_vcn.get())
                .ok_or_else(|| cannot("its last part is not where its list tells"))?;
        }
        let cluster_len = u64::from(mft.disk().geometry.cluster_len);
        let needed = len
            .div_ceil(cluster_len)
            .saturating_sub(self.layout.clusters());
        let last = self.layout.extents().last();
        let near = last.and_then(|last| last.start.after(last.len));
        // The search starts away from $MFT, which Windows lengthens into the clusters that follow
        // it.
        let near = near.unwrap_or(Lcn(mft.disk().geometry.clusters / 8));
        let wanted = needed.saturating_add(SPARE.div_ceil(cluster_len));
        let promised = mft.promises().of_others(id.record);
        let found = bitmap.find(near, wanted, &promised)?;
        let found = match found.filter(|extents| extents.len() == 1) {
            Some(extents) => Some(extents),
            None => bitmap.find(near, needed, &promised)?,
        };
        self.extents = match found {
            Some(extents) => extents,
            None => return Err(bitmap.why_none(id, len, needed, &promised)?),
        };
        check_foreign(mft, bitmap, &self.extents)?;
        bitmap.plan(&self.extents);
        let layout = self.layout.extended(&self.extents);
        self.layout = layout.ok_or_else(|| cannot("it would be too long"))?;
        let pairs = runs::encode(&runs_from(&self.layout, lowest));
        self.pairs = Some(pairs.map_err(|_| cannot("it would be too long"))?);
        Ok(())
    }

    /// The name of the attribute.
    pub(crate) fn name(&self) -> &'static str {
        self.value.name
    }

    /// Writes the sizes and clusters to the record, in memory, if that has room for them.
    pub(crate) fn put(&self, edit: &mut Edit<'_>) -> Result<Result<(), NoRoom>, VolumeError> {
        if self.value.layout.as_ref() == Some(&self.layout) {
            return Ok(Ok(()));
        }
        if let Some(last) = self.value.last
            && let Err(NoRoom) = self.put_end(edit.record(last.record)?, last)
        {
            return Ok(Err(NoRoom));
        }
        Ok(self.put_into(edit.record(self.value.record)?))
    }

    /// Writes the clusters to the record that describes the end.
    fn put_end(&self, record: &mut Record, last: Part) -> Result<(), NoRoom> {
        let Some(pairs) = &self.pairs else {
            return Ok(());
        };
        let at = part_of(record, &self.value, last).ok_or(NoRoom)?.place();
        let highest = self.layout.clusters().wrapping_sub(1);
        record.set_mapping_pairs(at, pairs, highest)
    }

    fn put_into(&self, record: &mut Record) -> Result<(), NoRoom> {
        let (kind, name) = (self.value.kind, self.value.name);
        let find = |record: &Record| record.find(kind, name).map(|found| found.place());
        if find(record).is_none() {
            let len = self.pairs.as_ref().map_or(0, Vec::len);
            record.add_non_resident(kind, name, len)?;
        }
        let at = find(record).ok_or(NoRoom)?;
        if let Some(pairs) = self.pairs.as_ref().filter(|_| self.value.last.is_none()) {
            record.set_mapping_pairs(at, pairs, self.layout.clusters().wrapping_sub(1))?;
        }
        let header = record.non_resident_mut(at).ok_or(NoRoom)?;
        header.allocated_size = self.layout.allocated.into();
        header.data_size = self.layout.len.into();
        header.initialized_size = self.layout.initialized.into();
        Ok(())
    }
}

/// The runs of a layout from the cluster `lowest` of the value on; only the rest of a run that
/// begins before it.
fn runs_from(layout: &Layout, lowest: u64) -> Vec<Run> {
    let from = |run: &Run| {
        let before = lowest.saturating_sub(run.vcn);
        Some(Run {
            vcn: run.vcn.saturating_add(before),
            lcn: match run.lcn {
                Some(lcn) => Some(lcn.after(before)?),
                None => None,
            },
            len: run.len.checked_sub(before).filter(|len| *len > 0)?,
        })
    };
    layout.runs().iter().filter_map(from).collect()
}

/// The attribute of a value that is this part of it.
fn part_of<'r>(record: &'r Record, value: &Value, part: Part) -> Option<Attribute<'r>> {
    record.attributes().find(|attribute| {
        attribute.kind() == value.kind
            && attribute.is_named(value.name)
            && attribute.instance() == part.instance
    })
}
