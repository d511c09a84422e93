//! Gives a file or a folder another name in the same folder.
//!
//! What is in a folder names it by the number of its record, so a folder is renamed like a file.
//!
//! The order makes a crash between two steps harmless: first the file's record gets the new name in
//! addition; then the index of the folder changes from the old names to the new one, all at once;
//! then the record loses the old names. A crash in between leaves a file with a name in its record
//! that the folder does not list: the file is found by its other name, and `chkdsk` makes both
//! agree.

use diskmend_base::bytes;
use diskmend_base::utf16;

use super::error::VolumeError;
use super::folder::Written;
use super::format::{FileName, attribute_type};
use super::metadata::Kind;
use super::place::FileId;
use super::record::{NoRoom, Record};
use super::records::Records;
use super::removable::Removable;
use super::remove::{plan_index, write_index};
use super::times::set_changed;
use super::volume::Volume;

/// The maximum length of a name, in UTF-16 units.
const MAX_NAME: usize = 255;
/// Characters that no name of Windows contains, besides those before the space.
const FORBIDDEN: &str = "\"*/:<>?\\|";

/// What is written for a new name.
struct Renaming {
    index: Written,
    /// The base record with old and new names, and with the new one alone.
    records: [Record; 2],
}

impl Volume {
    /// Checks that a file can get another name in its folder. `from` is spelled as on the disk.
    /// Nothing is written or reserved.
    ///
    /// # Errors
    /// [`VolumeError::NameExists`], [`VolumeError::CannotChange`] with the reason, or a damaged
    /// volume.
    pub fn can_rename(&self, folder: FileId, from: &[u16], to: &[u16]) -> Result<(), VolumeError> {
        let _writing = self.inner.writing();
        let plan = self.plan_renaming(folder, (Kind::File, from), to, 0);
        plan.map(|_| ())
    }

    /// Checks that a folder can get another name in the folder that it is in, as
    /// [`Self::can_rename`] does for a file.
    ///
    /// # Errors
    /// Those of [`Self::can_rename`].
    pub fn can_rename_folder(
        &self,
        folder: FileId,
        from: &[u16],
        to: &[u16],
    ) -> Result<(), VolumeError> {
        let _writing = self.inner.writing();
        let plan = self.plan_renaming(folder, (Kind::Folder, from), to, 0);
        plan.map(|_| ())
    }

    /// Gives a file another name in its folder, at the time `now` (a FILETIME). `from` is spelled
    /// as on the disk; the file's short name is removed. Everything is durable afterwards.
    ///
    /// # Errors
    /// Those of [`Self::can_rename`], before anything is written; an error of the device.
    pub fn rename(
        &self,
        folder: FileId,
        from: &[u16],
        to: &[u16],
        now: u64,
    ) -> Result<(), VolumeError> {
        self.rename_as(folder, (Kind::File, from), to, now)
    }

    /// Gives a folder another name in the folder that it is in, with everything in it, as
    /// [`Self::rename`] does for a file.
    ///
    /// # Errors
    /// Those of [`Self::can_rename`], before anything is written; an error of the device.
    pub fn rename_folder(
        &self,
        folder: FileId,
        from: &[u16],
        to: &[u16],
        now: u64,
    ) -> Result<(), VolumeError> {
        self.rename_as(folder, (Kind::Folder, from), to, now)
    }

    fn rename_as(
        &self,
        folder: FileId,
        from: (Kind, &[u16]),
        to: &[u16],
        now: u64,
    ) -> Result<(), VolumeError> {
        let _writing = self.inner.writing();
        let Renaming { index, records } = self.plan_renaming(folder, from, to, now)?;
        let mft = &self.inner.mft;
        let [mut both, mut new] = records;
        mft.write(&mut both)?;
        mft.disk().sync()?;
        write_index(mft, &index, folder, now)?;
        mft.write(&mut new)?;
        mft.disk().sync()
    }

    fn plan_renaming(
        &self,
        folder: FileId,
        (kind, from): (Kind, &[u16]),
        to: &[u16],
        now: u64,
    ) -> Result<Renaming, VolumeError> {
        let id = self.named(folder, from)?;
        let cannot = |why: &str| VolumeError::CannotChange {
            id,
            what: "renamed",
            why: why.to_owned(),
        };
        if !is_allowed(to) {
            return Err(cannot("the new name is not allowed on Windows"));
        }
        if !self.find_all(folder, to)?.is_empty() {
            return Err(VolumeError::NameExists(folder));
        }
        let inner = &self.inner;
        let file = Removable::check(inner, folder, (from, id), (kind, "renamed"))?;
        if file.records.is_spread() {
            return Err(cannot("its attributes are spread over several records"));
        }
        let key = new_key(&file.records, to).ok_or_else(|| cannot("its name can't be read"))?;
        let records = new_records(file.records.base(), &key, now);
        let records = records.map_err(|NoRoom| cannot("its record has no room for the name"))?;
        let index = plan_index(inner, folder, |tree| {
            for name in &file.names {
                tree.remove(name, id.reference())?;
            }
            tree.insert(id.reference(), &key)
        })?;
        Ok(Renaming { index, records })
    }
}

/// True if Windows allows a name.
fn is_allowed(name: &[u16]) -> bool {
    let is_forbidden = |unit: &u16| {
        let text = char::from_u32((*unit).into());
        *unit < 0x20 || text.is_some_and(|text| FORBIDDEN.contains(text))
    };
    let ends_well = !matches!(name.last(), None | Some(0x20 | 0x2E));
    name.len() <= MAX_NAME && ends_well && !name.iter().any(is_forbidden)
}

/// The `$FILE_NAME` of a file with another name, which has no rules but those of POSIX: Windows
/// gives such a name to a file without a short name.
fn new_key(records: &Records, name: &[u16]) -> Option<Vec<u8>> {
    let (_, old) = records.all(attribute_type::FILE_NAME, "").next()?;
    let mut key = old.resident()?.get(..size_of::<FileName>())?.to_vec();
    let header: &mut FileName = bytes::view_mut(&mut key, 0)?;
    header.namespace = FileName::NAMESPACE_POSIX;
    header.name_length = u8::try_from(name.len()).ok()?;
    key.extend(utf16::bytes(name.iter().copied()));
    Some(key)
}

/// The base record with all names, and with the new one alone.
fn new_records(base: &Record, key: &[u8], now: u64) -> Result<[Record; 2], NoRoom> {
    let mut both = base.clone();
    both.add_name(key)?;
    let mut new = both.clone();
    loop {
        let mut names = new.attributes();
        let old = names.find(|attribute| {
            attribute.kind() == attribute_type::FILE_NAME && attribute.resident() != Some(key)
        });
        let old = old.map(|attribute| attribute.place());
        drop(names);
        match old {
            Some(old) => new.remove(old).ok_or(NoRoom)?,
            None => break,
        }
    }
    for record in [&mut both, &mut new] {
        record.count_names().ok_or(NoRoom)?;
        // A file whose times can't be found keeps them.
        let _ = set_changed(record, now);
    }
    Ok([both, new])
}
