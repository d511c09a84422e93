//! What may be written on a volume: everything, or only the bytes of files, in place.
//!
//! On a volume that Windows did not dismount, or that it will check at its next start, nothing of the
//! volume's structure is changed, because Windows changes it then: it replays the journal, and chkdsk
//! repairs it. The bytes of a file can be changed in place, if neither the file's records nor its
//! clusters are what Windows will change.
//!
//! The device of the volume enforces this: [`Permits`] knows the clusters of the files that were
//! checked, and nothing else can be written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diskmend_base::count::to_usize;

use super::error::VolumeError;
use super::extents::Extents;
use super::format::attribute_type;
use super::journal::{Journal, Touches};
use super::layout::{Builder, Layout};
use super::mft::Mft;
use super::place::{Extent, FileId};
use super::records::Records;
use super::stream::Stream;

/// What may be written on a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// Everything.
    All,
    /// Only the bytes of files that the journal does not touch, where they are: no file gets another
    /// length or name, other permissions or other clusters, and none is created or removed.
    InPlace,
}

/// The clusters of a volume that may be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permits(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What will be changed when the journal is replayed, if it is to be replayed.
    journal: Option<Arc<Journal>>,
    /// `None` until the state of the volume was looked at.
    writes: Option<Writes>,
    /// The clusters of checked files, if only these may be written.
    checked: Option<Extents>,
}

impl Permits {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What may be written; `None` if nobody has looked at the volume yet.
    pub(crate) fn writes(&self) -> Option<Writes> {
        self.state().writes
    }

    /// Decides what may be written. `journal` will be replayed.
    pub(crate) fn set(&self, writes: Writes, journal: Option<Arc<Journal>>) {
        let mut state = self.state();
        if state.writes != Some(writes) {
            state.checked = None;
        }
        state.writes = Some(writes);
        state.journal = journal;
    }

    fn journal(&self) -> Option<Arc<Journal>> {
        self.state().journal.clone()
    }

    /// Allows to write the clusters of a file that was checked.
    pub(crate) fn add(&self, extents: impl Iterator<Item = Extent>) {
        let mut state = self.state();
        let before = state.checked.take();
        let before = before.iter().flat_map(Extents::iter);
        let all = Extents::of(before.chain(extents));
        state.checked = Some(all);
    }

    /// True if these clusters may be written.
    pub(crate) fn allow(&self, extent: &Extent) -> bool {
        let state = self.state();
        match state.writes {
            None | Some(Writes::All) => true,
            Some(Writes::InPlace) => {
                let checked = state.checked.as_ref();
                extent.len == 0 || checked.is_some_and(|checked| checked.contain(extent))
            }
        }
    }
}

/// Checks that the bytes of a file can be changed in place on a volume on which nothing else may be
/// changed, and allows it.
///
/// # Errors
/// [`VolumeError::OnlyInPlace`], [`VolumeError::Touched`], or a damaged record.
pub(crate) fn permit(mft: &Mft, id: FileId, stream: &Stream) -> Result<(), VolumeError> {
    let layout = in_clusters(id, stream)?;
    let permits = mft.disk().permits();
    if let Some(journal) = permits.journal() {
        check_untouched(mft, id, layout, &journal.touches)?;
    }
    permits.add(layout.extents());
    Ok(())
}

/// Refuses a file if replaying the journal changes one of its records, the content of one of its
/// clusters, or to whom they belong.
fn check_untouched(
    mft: &Mft,
    id: FileId,
    layout: &Layout,
    touches: &Touches,
) -> Result<(), VolumeError> {
    let touched = |what: String| VolumeError::Touched { id, what };
    let records = Records::read(mft, id)?;
    for number in records.numbers() {
        if touches.record(number) {
            return Err(touched(format!("its FILE record {number}")));
        }
    }
    let list = records.base().find(attribute_type::ATTRIBUTE_LIST, "");
    let mut of_list = Vec::new();
    if let Some(list) = list
        && list.non_resident().is_some()
    {
        let mut builder = Builder::new(&mft.disk().geometry);
        builder.add(records.base(), list.place())?;
        of_list.extend(builder.so_far().into_iter().flat_map(Layout::extents));
    }
    for extent in layout.extents().chain(of_list) {
        let clusters = || extent.start.0..extent.end();
        let of = || format!("{} to {}", extent.start.0, extent.end().saturating_sub(1));
        if touches.clusters(clusters()) {
            return Err(touched(format!("the content of its clusters {}", of())));
        }
        if touches.owners(clusters()) {
            return Err(touched(format!(
                "the bits of its clusters {} in $Bitmap",
                of()
            )));
        }
    }
    Ok(())
}

/// Checks that a file of this length has all of `wanted` (offsets and lengths in bytes), so that
/// writing there changes nothing but these bytes.
///
/// # Errors
/// [`VolumeError::OnlyInPlace`].
pub(crate) fn check_in_place(
    id: FileId,
    stream: &Stream,
    len: u64,
    wanted: &[(u64, u64)],
) -> Result<(), VolumeError> {
    let refused = |why| VolumeError::OnlyInPlace { id, why };
    if len != stream.len() {
        return Err(refused("it would get another length"));
    }
    let layout = in_clusters(id, stream)?;
    for (offset, part_len) in wanted {
        if offset.saturating_add(*part_len) > layout.initialized {
            return Err(refused("bytes that were never written would be written"));
        }
        let mut pieces = layout.pieces(*offset, to_usize(*part_len));
        if pieces.any(|piece| piece.offset.is_none()) {
            return Err(refused("clusters would have to be allocated for its holes"));
        }
    }
    Ok(())
}

fn in_clusters(id: FileId, stream: &Stream) -> Result<&Layout, VolumeError> {
    let why = "its data are in its record, which would change";
    stream.layout().ok_or(VolumeError::OnlyInPlace { id, why })
}
