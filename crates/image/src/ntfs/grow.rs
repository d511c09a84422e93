//! Changes the length of a file, and allocates clusters for its holes.
//!
//! The order makes a crash between two steps harmless: first the clusters are allocated in $Bitmap,
//! then zeros are written to them, and only then does the record describe them. A crash in between
//! leaves clusters that are marked as used and belong to no file; chkdsk frees them. A hole that is
//! filled reads as before; the data are written when that is durable. If more than one sector of a
//! record changes, a crash within its write may leave it torn.
//!
//! At the end, the copies of the sizes in the indexes of folders are updated. Windows lists files
//! that it has not opened yet by these copies. They are only copies: if an entry is not found, or a
//! crash comes before, the file is whole, and Windows corrects them when it opens the file.

use super::allocate::{self, set_sizes};
use super::attribute::AttributeAt;
use super::bitmap::Bitmap;
use super::error::{Corruption, VolumeError};
use super::folder::Folder;
use super::format::attribute_type;
use super::layout::Layout;
use super::mft::Mft;
use super::names;
use super::open::{Allocation, Open};
use super::place::FileId;
use super::record::{NoRoom, Record};
use super::records::Records;
use super::shared::Inner;
use super::stream::Content;
use super::writes::{self, Writes};
use diskmend_base::count::{to_u64, to_usize};

/// How the length of a file is changed.
enum Plan {
    /// The file already has this length.
    Nothing,
    /// The length of its value in the record changes.
    Resident { len: usize },
    /// Its clusters suffice.
    Sizes { layout: Layout },
    /// It gets more clusters, or its first.
    Allocate(Allocation),
}

/// Plans how to make a file `len` bytes long so that all of `wanted` can be written; nothing is
/// written.
fn plan(
    mft: &Mft,
    id: FileId,
    open: &mut Open,
    len: u64,
    wanted: &[(u64, u64)],
) -> Result<Plan, VolumeError> {
    if len == open.stream.len() && wanted.is_empty() {
        return Ok(Plan::Nothing);
    }
    open.make_sure(mft, id)?;
    if mft.disk().permits().writes() == Some(Writes::InPlace) {
        writes::check_in_place(id, &open.stream, len, wanted)?;
        return Ok(Plan::Nothing);
    }
    let resident = matches!(open.stream.content(), Content::Resident(_));
    if len == open.stream.len() && resident {
        return Ok(Plan::Nothing);
    }
    let (mut record, at) = open.record(mft)?;
    if resident
        && let Ok(len) = usize::try_from(len)
        && record.set_value_len(at, len).is_ok()
    {
        return Ok(Plan::Resident { len });
    }
    if let Some(allocation) = allocate::find(mft, id, open, len, wanted)? {
        return Ok(Plan::Allocate(allocation));
    }
    let Some(layout) = open.stream.layout() else {
        return Err(unchangeable(id, len));
    };
    let layout = resized(layout, open, len);
    set_sizes(&mut record, at, &layout).ok_or(no_sizes(&record, at))?;
    Ok(Plan::Sizes { layout })
}

fn unchangeable(id: FileId, len: u64) -> VolumeError {
    let why = "its data in its record is not laid out as Windows does it: copy it in Windows";
    VolumeError::CannotGrow { id, len, why }
}

fn no_sizes(record: &Record, at: AttributeAt) -> Corruption {
    record.corruption("$DATA", at, "all sizes of one in clusters", "fewer")
}

/// A layout with another length; the written part of the file stays.
fn resized(layout: &Layout, open: &Open, len: u64) -> Layout {
    // Data in the record have not been written to a cluster yet.
    let initialized = open.stream.layout().map_or(0, |old| old.initialized);
    let mut layout = layout.clone();
    layout.len = len;
    layout.initialized = initialized.min(len);
    layout
}

/// Checks that a file can be made `len` bytes long and that all of `wanted` can be written. The
/// needed clusters are reserved for it until it is closed.
pub(crate) fn check(
    inner: &Inner,
    id: FileId,
    open: &mut Open,
    len: u64,
    wanted: &[(u64, u64)],
) -> Result<(), VolumeError> {
    for (offset, part_len) in wanted {
        if offset.checked_add(*part_len).is_none_or(|end| end > len) {
            return Err(VolumeError::OutOfRange {
                offset: *offset,
                len: to_usize(*part_len),
                file_len: len,
            });
        }
    }
    // The lock prevents that another file gets these clusters.
    let _writing = inner.writing();
    let promises = inner.mft.promises();
    open.promised = None;
    promises.end(id.record);
    if let Plan::Allocate(allocation) = plan(&inner.mft, id, open, len, wanted)? {
        promises.make(id.record, &allocation.extents);
        open.promised = Some(allocation);
    }
    Ok(())
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
    if len == open.stream.len() {
        return Ok(());
    }
    let promised = open.promised.take_if(|it| len <= it.layout.allocated);
    let plan = match promised {
        Some(allocation) => Plan::Allocate(allocation),
        None => plan(mft, id, open, len, &[])?,
    };
    let (mut record, at) = open.record(mft)?;
    match plan {
        Plan::Nothing => return Ok(()),
        Plan::Allocate(allocation) => return allocate(inner, id, open, allocation, len),
        Plan::Resident { len: value_len } => record
            .set_value_len(at, value_len)
            .map_err(|NoRoom| unchangeable(id, len))?,
        Plan::Sizes { mut layout } => {
            if zero_up(mft, &mut layout)? {
                disk.sync()?;
            }
            set_sizes(&mut record, at, &layout).ok_or(no_sizes(&record, at))?;
        }
    }
    mft.write(&mut record)?;
    disk.sync()?;
    renew(inner, id, open)
}

/// Allocates clusters for the parts of `wanted` without clusters: those that were reserved for the
/// file, or otherwise free ones.
pub(crate) fn fill(
    inner: &Inner,
    id: FileId,
    open: &mut Open,
    wanted: (u64, u64),
) -> Result<(), VolumeError> {
    let _writing = inner.writing();
    let len = open.stream.len();
    if let Some(promised) = open.promised.take() {
        allocate(inner, id, open, promised, len)?;
    }
    match plan(&inner.mft, id, open, len, &[wanted])? {
        Plan::Allocate(allocation) => allocate(inner, id, open, allocation, len),
        _ => Ok(()),
    }
}

/// Allocates clusters for a file and makes it `len` bytes long.
fn allocate(
    inner: &Inner,
    id: FileId,
    open: &mut Open,
    mut allocation: Allocation,
    len: u64,
) -> Result<(), VolumeError> {
    let mft = &inner.mft;
    let disk = mft.disk();
    let (mut record, at) = open.record(mft)?;
    let grows = len != open.stream.len();
    allocation.layout = resized(&allocation.layout, open, len);
    let why = allocate::NO_ROOM;
    allocation
        .put(&mut record, at, open)
        .ok_or(VolumeError::CannotGrow { id, len, why })?;
    let layout = &mut allocation.layout;
    Bitmap::open(mft)?.take(&allocation.extents)?;
    disk.sync()?;
    if let Content::Resident(content) = open.stream.content() {
        layout.write_allocated(disk, content, 0)?;
        layout.initialized = to_u64(content.len()).min(len);
    }
    let cluster_len = u64::from(disk.geometry.cluster_len);
    for run in &allocation.filled {
        let start = run.vcn.saturating_mul(cluster_len);
        layout.zero(disk, start, run.end().saturating_mul(cluster_len))?;
    }
    if grows {
        zero_up(mft, layout)?;
    }
    disk.sync()?;
    set_sizes(&mut record, at, layout).ok_or(no_sizes(&record, at))?;
    mft.write(&mut record)?;
    disk.sync()?;
    renew(inner, id, open)
}

/// Reads the current position of a file, and writes its sizes to the indexes of folders.
fn renew(inner: &Inner, id: FileId, open: &mut Open) -> Result<(), VolumeError> {
    inner.mft.promises().end(id.record);
    *open = Open::read(&inner.mft, id)?;
    let allocated = match open.stream.layout() {
        Some(layout) if layout.sparse_unit.is_some() => layout.total_allocated(),
        Some(layout) => layout.allocated,
        None => open.stream.len().next_multiple_of(8),
    };
    write_copies(inner, id, allocated, open.stream.len())?;
    inner.mft.disk().sync()
}

/// Writes the sizes to the entries of all names of the file.
fn write_copies(inner: &Inner, id: FileId, allocated: u64, len: u64) -> Result<(), VolumeError> {
    let mft = &inner.mft;
    for (_, attribute) in Records::read(mft, id)?.all(attribute_type::FILE_NAME, "") {
        let Some((parent, name)) = attribute.resident().and_then(names::parse_key) else {
            continue;
        };
        let written = Folder::open(mft, parent).and_then(|folder| {
            let located = folder.find(inner.upcase()?, &name)?;
            match located.filter(|it| it.entry.id == id && it.entry.name == name) {
                Some(located) => folder.write_sizes(mft, &located, allocated, len),
                None => Ok(()),
            }
        });
        // A problem of a folder does not affect the file's new length.
        if let Err(error @ VolumeError::Device { .. }) = written {
            return Err(error);
        }
    }
    Ok(())
}

/// Writes zeros to the parts that were never written, up to the length; returns true if there were
/// any.
fn zero_up(mft: &Mft, layout: &mut Layout) -> Result<bool, VolumeError> {
    if layout.initialized >= layout.len {
        return Ok(false);
    }
    layout.zero(mft.disk(), layout.initialized, layout.len)?;
    layout.initialized = layout.len;
    Ok(true)
}
