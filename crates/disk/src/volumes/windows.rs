//! Volumes and disks of Windows.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;

use super::layout::DiskLayout;
use super::same_disk::{self, Disks};
use crate::disk_number::{DiskNumber, DiskState};
use crate::nt;
use crate::system::SystemDir;
use crate::target::Target;

/// The paths of the roots of the target's siblings.
pub(super) fn siblings(target: &Target) -> io::Result<Vec<OsString>> {
    let root = target.mounted().map(volume_root).transpose()?;
    let Some(target_root) = root.flatten() else {
        return Ok(Vec::new());
    };
    let on_target = disks(&target_root)?;
    if on_target.is_empty() {
        return Ok(Vec::new());
    }
    let own = disks(nt::system_root()?.as_os_str())?;
    let mut volumes = Vec::new();
    for root in nt::volume_roots()? {
        let on = disks(&root)?;
        volumes.push((root, on));
    }
    Ok(same_disk::siblings(&on_target, &own, volumes, |root| {
        root.eq_ignore_ascii_case(&target_root)
    }))
}

/// The first read-only disk among those that hold the target's volume.
pub(crate) fn read_only_disk(root: &SystemDir) -> io::Result<Option<DiskNumber>> {
    let Some(root) = volume_root(root)? else {
        return Ok(None);
    };
    first_disk(disks(&root)?, |state| state.read_only)
}

/// True if the target's volume is marked as dirty; `None` if that isn't known.
pub(crate) fn is_dirty(root: &SystemDir) -> io::Result<Option<bool>> {
    match volume_root(root)? {
        Some(root) => nt::is_dirty(&device(&root)?),
        None => Ok(None),
    }
}

/// True if the target is the root of a volume.
pub(crate) fn is_volume(target: &Target) -> bool {
    let root = target.mounted().map(volume_root);
    matches!(root, Some(Ok(Some(_))))
}

/// The place of the target's volume on its disk, and the disk's partitions. `None` if the target
/// isn't the root of a volume, or if the volume isn't on exactly one disk.
pub(super) fn layout(target: &Target) -> Option<DiskLayout> {
    let root = volume_root(target.mounted()?).ok()??;
    let extents = nt::extents_of(&device(&root).ok()?).ok()?;
    let [(disk, start)] = extents.as_slice() else {
        return None;
    };
    let partitions = nt::drive_layout(*disk).ok()??;
    let own = partitions.iter().find(|one| one.start == *start);
    let known = |id| partitions.iter().filter(|one| one.id == id).count() == 1;
    let own = own.map(|one| one.id).filter(|id| known(*id));
    let named = partitions.iter().filter(|one| known(one.id));
    let named = named.map(|one| (format!("partition {}", one.number), one.id));
    Some(DiskLayout {
        own,
        partitions: named.collect(),
    })
}

fn first_disk(disks: Disks, wanted: fn(DiskState) -> bool) -> io::Result<Option<DiskNumber>> {
    for disk in disks {
        if nt::disk_state(disk)?.is_some_and(wanted) {
            return Ok(Some(disk));
        }
    }
    Ok(None)
}

/// The path of the volume with this root folder; `None` if the folder isn't the root of a volume,
/// or if the volume has no name, like those of other machines.
fn volume_root(folder: &SystemDir) -> io::Result<Option<OsString>> {
    let path = match nt::path_by_guid(folder.raw()) {
        Ok(path) => PathBuf::from(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match path.parent() {
        Some(_) => Ok(None),
        None => Ok(Some(path.into())),
    }
}

/// The disks that hold the volume with this root, which ends in a backslash.
fn disks(root: &OsStr) -> io::Result<Disks> {
    Ok(nt::disks_of(&device(root)?)?.into_iter().collect())
}

/// The device of the volume with this root, which ends in a backslash.
fn device(root: &OsStr) -> io::Result<PathBuf> {
    match root.to_str().and_then(|root| root.strip_suffix('\\')) {
        // A drive letter alone is the drive's current folder.
        Some(device) if device.ends_with(':') && device.len() == 2 => {
            Ok(PathBuf::from(format!(r"\\.\{device}")))
        }
        Some(device) => Ok(PathBuf::from(device)),
        None => Err(io::ErrorKind::InvalidFilename.into()),
    }
}
