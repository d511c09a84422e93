//! What the volume that holds the target says of itself.

use std::io;

use crate::error::GuardError;
use crate::system::SystemDir;
use crate::target::{Target, TargetVolume};

/// The target's volume is not mounted read-only, nor is its disk read-only to Windows.
///
/// Of a disk that is not mounted: its file system is one that Windows has left in order, and the
/// disk can be written and is in no other use. It is open for writing from then on.
///
/// Where a mount turns read-only later, taking the [`TargetLock`](crate::TargetLock) finds out.
///
/// # Errors
/// [`GuardError::ReadOnly`], [`GuardError::DiskReadOnly`], [`GuardError::Unfit`],
/// [`GuardError::DiskInUse`], [`GuardError::DiskAttached`], [`GuardError::DiskLocked`],
/// [`GuardError::DiskOpen`], [`GuardError::DiskWasInUse`], [`GuardError::DiskChanged`], or why the system would not say.
pub fn writable(target: &Target) -> Result<(), GuardError> {
    let root = match target.volume() {
        TargetVolume::Mounted(root) => root,
        TargetVolume::OnDisk { disk, volume, .. } => {
            volume.writable()?;
            disk.fit_for_writing()?;
            return disk.open_for_writing();
        }
    };
    #[cfg(windows)]
    if let Ok(Some(disk)) = crate::volumes::read_only_disk(root) {
        // Where the disk can't be asked, the volume tells as much, but not why.
        return Err(GuardError::DiskReadOnly { disk });
    }
    if is_read_only(root).map_err(GuardError::io("ask whether the volume is read-only"))? {
        return Err(GuardError::ReadOnly);
    }
    Ok(())
}

/// Of a disk that is not mounted: nobody else uses it, and nothing of its container is damaged, so
/// that [`writable`] would refuse. Nothing is opened for writing or locked: this can be asked long
/// before anything is to be written.
///
/// # Errors
/// [`GuardError::Unfit`], [`GuardError::DiskAttached`], [`GuardError::DiskLocked`], [`GuardError::DiskOpen`],
/// [`GuardError::DiskInUse`], [`GuardError::DiskWasInUse`], or why the system would not say.
pub fn not_in_use(target: &Target) -> Result<(), GuardError> {
    let Some(disk) = target.disk() else {
        return Ok(());
    };
    disk.fit_for_writing()?;
    disk.not_in_use()
}

/// The disk can be given back what a record says, whatever its volumes hold. Of a disk that is not
/// mounted, the file or device is opened for writing and kept from others; a mounted volume must
/// be [`writable`].
///
/// # Errors
/// As [`writable`], but for [`GuardError::Unfit`].
pub fn restorable(target: &Target) -> Result<(), GuardError> {
    match target.disk() {
        Some(disk) => disk.open_for_writing(),
        None => writable(target),
    }
}

/// Bytes that can still be written to the target's volume.
///
/// # Errors
/// What the system reported.
pub fn free_space(target: &Target) -> io::Result<u64> {
    match target.volume() {
        TargetVolume::Mounted(root) => free_bytes(root),
        TargetVolume::OnDisk { volume, .. } => volume.free_bytes(),
    }
}

/// At least `needed` bytes can still be written to the target's volume.
///
/// # Errors
/// [`GuardError::NoSpace`], or why the system would not say.
pub fn require_free(target: &Target, needed: u64) -> Result<(), GuardError> {
    if let TargetVolume::OnDisk { volume, .. } = target.volume()
        && let Ok(true) = volume.has_free(needed)
    {
        return Ok(());
    }
    let available = free_space(target).map_err(GuardError::io("ask for the free space"))?;
    if available < needed {
        return Err(GuardError::NoSpace { needed, available });
    }
    Ok(())
}

#[cfg(unix)]
fn free_bytes(root: &SystemDir) -> io::Result<u64> {
    let volume = rustix::fs::fstatvfs(root.raw())?;
    Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
}

#[cfg(windows)]
fn free_bytes(root: &SystemDir) -> io::Result<u64> {
    crate::nt::free_bytes(root.raw())
}

#[cfg(unix)]
fn is_read_only(root: &SystemDir) -> io::Result<bool> {
    let volume = rustix::fs::fstatvfs(root.raw())?;
    Ok(volume
        .f_flag
        .contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

#[cfg(windows)]
fn is_read_only(root: &SystemDir) -> io::Result<bool> {
    crate::nt::is_read_only(root.raw())
}
