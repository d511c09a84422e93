//! Files of a volume on a disk that isn't mounted.
//!
//! The run's folder is not on that volume, so nothing can be moved there. A file that is removed or
//! replaced is copied into the run before the journal names it. Then it is removed from the volume,
//! or gets its new content where it is; a file or folder that is renamed stays in its folder. The record of
//! sectors has all that these steps change and give up, so undo restores the disk itself. Only if
//! something else has changed these sectors since, the copies are needed.

use std::io;

use diskmend_disk::{Access, Dir};

use super::staged;
use crate::finding::FileChangeKind;
use crate::run::journal::longest_new_name;
use crate::site::Site;

/// Checks that the volume allows a change of a file, if the disk isn't mounted. Nothing of the
/// process may have the file open. `len` is the length of the content that takes its place.
///
/// # Errors
/// The reason why it doesn't, for display.
pub(crate) fn can_change(
    site: &Site,
    (folder, name): (&dyn Dir, &str),
    (change, len): (FileChangeKind, u64),
) -> Result<(), String> {
    if site.disk.is_none() {
        return Ok(());
    }
    is_ntfs(site)?;
    let checked = match change {
        FileChangeKind::Remove => folder.can_remove(name),
        FileChangeKind::Rename => folder.can_rename(name, &longest_new_name(name)),
        FileChangeKind::Copy => folder.open(name, Access::ReadWrite).and_then(|file| {
            file.check_in_place()?;
            file.check_room(len, &[(0, len)])
        }),
        FileChangeKind::Create => return Err("no file can be made there".to_owned()),
    };
    checked.map_err(|error| error.to_string())
}

/// Checks that the volume allows the renaming of a folder, if the disk isn't mounted.
///
/// # Errors
/// The reason why it doesn't, for display.
pub(super) fn can_rename_folder(
    site: &Site,
    (folder, name): (&dyn Dir, &str),
) -> Result<(), String> {
    if site.disk.is_none() {
        return Ok(());
    }
    is_ntfs(site)?;
    let checked = folder.can_rename_folder(name, &longest_new_name(name));
    checked.map_err(|error| error.to_string())
}

/// Refuses FAT, which has no descriptors, and from which no Windows starts.
fn is_ntfs(site: &Site) -> Result<(), String> {
    let found = site.root.descriptors();
    if found.map_err(|error| error.to_string())?.is_none() {
        return Err("on an unmounted disk, diskmend only changes files of NTFS".to_owned());
    }
    Ok(())
}

/// Gives a file the content of another one.
pub(super) fn overwrite(
    (folder, name): (&dyn Dir, &str),
    (from_folder, from_name): (&dyn Dir, &str),
) -> io::Result<()> {
    let from = from_folder.open(from_name, Access::Read)?;
    let mut file = folder.open(name, Access::ReadWrite)?;
    staged::copy(from.as_ref(), file.as_mut(), false)?;
    file.touch()?;
    file.sync()
}
