//! Giving a file another length.
//!
//! The order makes every crash harmless: first the clusters are taken in $Bitmap, then they hold
//! zeros, and only then does the record tell of them. A crash in between leaves clusters that are
//! marked as used and belong to no file, which chkdsk gives back.
//!
//! At last the copies of the sizes in the indexes of folders follow, by which Windows lists files
//! that it has not opened yet. They are no more than copies: where an entry is not found, or a
//! crash comes before, the file is whole, and Windows corrects them when it opens it.

use super::bitmap::{Bitmap, Extent};
use super::error::VolumeError;
use super::file::{Open, check_foreign, zero};
use super::folder::{self, Folder};
use super::format::attribute_type;
use super::layout::Layout;
use super::mft::Mft;
use super::place::{FileId, Lcn};
use super::record::Record;
use super::records::Records;
use super::runs;
use super::stream::Content;
use super::volume::Inner;

/// How a file gets another length.
pub(crate) enum Plan {
    /// It has it already.
    Nothing,
    /// Its value in the record changes its length.
    Resident { len: usize },
    /// Its clusters suffice.
    Sizes { layout: Layout },
    /// It gets more clusters, or its first.
    Allocate {
        extents: Vec<Extent>,
        layout: Layout,
        pairs: Vec<u8>,
        content: Vec<u8>,
    },
}

/// Finds out how to make a file `len` bytes long; nothing is written.
pub(crate) fn plan(mft: &Mft, id: FileId, open: &mut Open, len: u64) -> Result<Plan, VolumeError> {
    if len == open.stream.len() {
        return Ok(Plan::Nothing);
    }
    open.make_sure(mft, id)?;
    let cannot = |why| VolumeError::CannotGrow { id, len, why };
    let stream = &open.stream;
    let record = mft.read_any(stream.record())?;
    let content = match stream.content() {
        Content::Resident(value) => {
            let mut trial = record.clone();
            if let Ok(len) = usize::try_from(len)
                && trial.set_value_len(stream.place(), len).is_ok()
            {
                return Ok(Plan::Resident { len });
            }
            value.clone()
        }
        Content::Clusters(layout) if len <= layout.allocated => {
            let mut layout = layout.clone();
            layout.initialized = layout.initialized.min(len);
            layout.len = len;
            return Ok(Plan::Sizes { layout });
        }
        Content::Clusters(_) => Vec::new(),
    };
    if record.number() != id.record || has_list(&record) {
        return Err(cannot(
            "its attributes are spread over several records: copy it in Windows",
        ));
    }
    let cluster_len = u64::from(mft.disk().geometry.cluster_len);
    let old = match stream.layout() {
        Some(layout) => layout.clone(),
        None => Layout::empty(cluster_len),
    };
    let clusters = len.div_ceil(cluster_len).saturating_sub(old.clusters());
    let near = old
        .extents()
        .last()
        .and_then(|last| last.start.after(last.len));
    // Away from $MFT, which Windows lengthens into the clusters that follow it.
    let near = near.unwrap_or(Lcn(mft.disk().geometry.clusters / 8));
    let bitmap = Bitmap::open(mft)?;
    let Some(extents) = bitmap.find(near, clusters)? else {
        return Err(VolumeError::Full {
            needed: clusters.saturating_mul(cluster_len),
            free: bitmap.free()?.saturating_mul(cluster_len),
        });
    };
    check_foreign(mft, &bitmap, &extents)?;
    let mut layout = old
        .extended(&extents)
        .ok_or(cannot("it would be too long"))?;
    layout.len = len;
    let pairs = runs::encode(layout.runs()).map_err(|_| cannot("it would be too long"))?;
    let mut trial = record;
    change(&mut trial, open, &layout, &pairs).ok_or(cannot(
        "its record has no room to tell of more clusters: defragment it in Windows",
    ))?;
    Ok(Plan::Allocate {
        extents,
        layout,
        pairs,
        content,
    })
}

fn has_list(record: &Record) -> bool {
    record.find(attribute_type::ATTRIBUTE_LIST, "").is_some()
}

/// Lets the record tell of other clusters; `None` where it has no room.
fn change(record: &mut Record, open: &Open, layout: &Layout, pairs: &[u8]) -> Option<()> {
    let at = open.stream.place();
    let highest = layout.clusters().wrapping_sub(1);
    if open.stream.layout().is_none() {
        record.make_non_resident(at, pairs.len()).ok()?;
    }
    record.set_mapping_pairs(at, pairs, highest).ok()?;
    set_sizes(record, open, layout)
}

fn set_sizes(record: &mut Record, open: &Open, layout: &Layout) -> Option<()> {
    let header = record.non_resident_mut(open.stream.place())?;
    header.allocated_size = layout.allocated.into();
    header.data_size = layout.len.into();
    header.initialized_size = layout.initialized.into();
    Some(())
}

/// Makes a file `len` bytes long.
pub(crate) fn set_len(
    inner: &Inner,
    id: FileId,
    open: &mut Open,
    len: u64,
) -> Result<(), VolumeError> {
    let _writing = inner.writing();
    let mft = &inner.mft;
    let disk = mft.disk();
    let plan = plan(mft, id, open, len)?;
    let mut record = mft.read_any(open.stream.record())?;
    let changed = match plan {
        Plan::Nothing => return Ok(()),
        Plan::Resident { len } => record.set_value_len(open.stream.place(), len).ok(),
        Plan::Sizes { mut layout } => {
            zero_up(mft, &mut layout)?;
            set_sizes(&mut record, open, &layout)
        }
        Plan::Allocate {
            extents,
            mut layout,
            pairs,
            content,
        } => {
            Bitmap::open(mft)?.take(&extents)?;
            disk.sync()?;
            layout.write_allocated(disk, &content, 0)?;
            layout.initialized = layout
                .initialized
                .max(u64::try_from(content.len()).unwrap_or(u64::MAX));
            zero_up(mft, &mut layout)?;
            change(&mut record, open, &layout, &pairs)
        }
    };
    changed.ok_or(VolumeError::Stale(id))?;
    mft.write(&mut record)?;
    disk.sync()?;
    *open = Open::read(mft, id)?;
    let allocated = match open.stream.layout() {
        Some(layout) => layout.allocated,
        None => open.stream.len().next_multiple_of(8),
    };
    write_copies(inner, id, allocated, open.stream.len())?;
    disk.sync()
}

/// Writes the sizes into the entries of all names of the file.
fn write_copies(inner: &Inner, id: FileId, allocated: u64, len: u64) -> Result<(), VolumeError> {
    let mft = &inner.mft;
    for (_, attribute) in Records::read(mft, id)?.all(attribute_type::FILE_NAME, "") {
        let Some((parent, name)) = attribute.resident().and_then(folder::parse_key) else {
            continue;
        };
        let written = Folder::open(mft, parent).and_then(|folder| {
            let located = folder.find(inner.upcase()?, &name)?;
            match located.filter(|it| it.entry.id == id && it.entry.name == name) {
                Some(located) => folder.write_sizes(mft, &located, allocated, len),
                None => Ok(()),
            }
        });
        // What is wrong with a folder is no reason to call the file's new length in question.
        if let Err(error @ VolumeError::Device { .. }) = written {
            return Err(error);
        }
    }
    Ok(())
}

/// Writes zeros to what was never written, up to the length.
fn zero_up(mft: &Mft, layout: &mut Layout) -> Result<(), VolumeError> {
    if layout.initialized < layout.len {
        zero(mft, layout, layout.initialized, layout.len)?;
        mft.disk().sync()?;
        layout.initialized = layout.len;
    }
    Ok(())
}
