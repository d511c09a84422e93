//! Removes a file.
//!
//! The order makes a crash between two steps harmless: first the names disappear from the index of
//! the folder, all at once; then the records are marked as unused; and only when nothing refers to
//! the records and clusters any more, they are marked as free. A crash in between leaves a file
//! without a name, or records and clusters that are marked as used and belong to no file: `chkdsk`
//! frees them.

use super::edit::Edit;
use super::error::{Corruption, VolumeError};
use super::folder::{Folder, Tree, Written};
use super::metadata::Kind;
use super::mft::Mft;
use super::mft_bitmap::MftBitmap;
use super::place::{Extent, FileId};
use super::record::{NoRoom, Record};
use super::removable::Removable;
use super::shared::Inner;
use super::times::set_times;
use super::volume::Volume;

/// What is removed with a file.
struct Removal {
    /// What is written to the index of the folder.
    index: Written,
    /// The numbers of its records; the base record comes first.
    records: Vec<u64>,
    /// Its clusters.
    extents: Vec<Extent>,
}

impl Volume {
    /// Checks that a file can be removed from a folder. The name is spelled as on the disk. Nothing
    /// is written or reserved.
    ///
    /// # Errors
    /// [`VolumeError::CannotChange`] with the reason, or a damaged volume.
    pub fn can_remove(&self, folder: FileId, name: &[u16]) -> Result<(), VolumeError> {
        let _writing = self.inner.writing();
        plan(&self.inner, folder, self.named(folder, name)?, name).map(|_| ())
    }

    /// Removes a file from a folder, at the time `now` (a FILETIME). The name is spelled as on the
    /// disk; the file's short name is removed too. Everything is durable afterwards.
    ///
    /// # Errors
    /// Those of [`Self::can_remove`], before anything is written; an error of the device.
    pub fn remove(&self, folder: FileId, name: &[u16], now: u64) -> Result<(), VolumeError> {
        let _writing = self.inner.writing();
        let id = self.named(folder, name)?;
        let removal = plan(&self.inner, folder, id, name)?;
        let mft = &self.inner.mft;
        let mft_bitmap = MftBitmap::open(mft)?;
        // Somebody else may write to the clusters once they are free, and free them again.
        mft.disk().keep(&removal.extents)?;
        write_index(mft, &removal.index, folder, now)?;
        for number in &removal.records {
            let mut record = mft.read_any(*number)?;
            let lost = Corruption::new("FILE record", record.offset(), "a header", "none");
            record.free().ok_or(lost)?;
            mft.write(&mut record)?;
            mft.disk().sync()?;
        }
        for number in &removal.records {
            mft_bitmap.give_back(*number)?;
        }
        Edit::new(mft).give_back(&removal.extents)?;
        mft.disk().sync()
    }

    /// The file with a name in a folder, which is spelled exactly so on the disk.
    pub(super) fn named(&self, folder: FileId, name: &[u16]) -> Result<FileId, VolumeError> {
        let found = self.find(folder, name)?;
        let found = found.filter(|entry| entry.name == name);
        let lost = VolumeError::NoSuchName(folder);
        found.map(|entry| entry.id).ok_or(lost)
    }
}

fn plan(inner: &Inner, folder: FileId, id: FileId, name: &[u16]) -> Result<Removal, VolumeError> {
    let file = Removable::check(inner, folder, (name, id), (Kind::File, "removed"))?;
    let extents = file.extents(inner)?;
    let index = plan_index(inner, folder, |tree| {
        for name in &file.names {
            tree.remove(name, id.reference())?;
        }
        Ok(())
    })?;
    let mft_bitmap = MftBitmap::open(&inner.mft)?;
    let records: Vec<u64> = std::iter::once(id.record)
        .chain(file.records.extensions())
        .collect();
    for number in &records {
        mft_bitmap.check_used(*number)?;
    }
    Ok(Removal {
        index,
        records,
        extents,
    })
}

/// Plans a change of the index of a folder; nothing is written.
pub(super) fn plan_index(
    inner: &Inner,
    id: FileId,
    change: impl Fn(&mut Tree<'_>) -> Result<(), VolumeError>,
) -> Result<Written, VolumeError> {
    let mft = &inner.mft;
    let folder = Folder::open(mft, id)?;
    // If all that the root needs does not fit its record, the root's names move to a block.
    for root_room in [folder.root_room()?, 0] {
        let mut tree = Tree::open(&folder, inner.upcase()?, root_room)?;
        change(&mut tree)?;
        let written = tree.plan(mft)?;
        let written = written.ok_or(VolumeError::NoSuchName(id))?;
        let mut trial = Edit::trial(mft);
        let has_room = written.carry_out(mft, &mut trial, id.record, &|_| ())?;
        if has_room.is_ok() {
            return Ok(written);
        }
    }
    Err(VolumeError::NoRoomInFolder {
        folder: id,
        why: "its record is full",
    })
}

/// Writes the index of a folder that changes at the time `now`.
pub(super) fn write_index(
    mft: &Mft,
    index: &Written,
    folder: FileId,
    now: u64,
) -> Result<(), VolumeError> {
    let touch = |record: &mut Record| {
        // A folder whose times can't be found keeps them.
        let _ = set_times(record, now);
    };
    let written = index.carry_out(mft, &mut Edit::new(mft), folder.record, &touch)?;
    written.map_err(|NoRoom| VolumeError::NoRoomInFolder {
        folder,
        why: "its record is full",
    })
}
