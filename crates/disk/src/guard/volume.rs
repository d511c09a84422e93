//! Checking the volume that holds the target.

use std::io;

use crate::error::GuardError;
use crate::system::SystemDir;
use crate::target::{Target, TargetVolume};

/// Checks that the target's volume isn't mounted read-only, and that Windows can write to its disk.
///
/// For a disk that isn't mounted: checks that at least bytes of files may be written on the volume,
/// and that the disk can be written and isn't in use. From then on the disk is open for writing.
/// [`Target::writes`] says whether more may be written.
///
/// If a mount turns read-only later, taking the [`TargetLock`](crate::TargetLock) notices it.
///
/// # Errors
/// [`GuardError::ReadOnly`], [`GuardError::DiskReadOnly`], [`GuardError::Condition`],
/// [`GuardError::Unfit`],
/// [`GuardError::DiskInUse`], [`GuardError::DiskAttached`], [`GuardError::DiskLocked`],
/// [`GuardError::DiskOpen`], [`GuardError::DiskWasInUse`], [`GuardError::DiskChanged`], or the
/// system's error.
pub fn writable(target: &Target) -> Result<(), GuardError> {
    let root = match target.volume() {
        TargetVolume::Mounted(root) => root,
        TargetVolume::OnDisk {
            disk, partition, ..
        } => {
            disk.volume_writes(*partition)?;
            disk.fit_for_writing()?;
            return disk.open_for_writing();
        }
    };
    #[cfg(windows)]
    if let Ok(Some(disk)) = crate::volumes::read_only_disk(root) {
        // If the disk can't be asked, asking the volume gives the answer, but not the reason.
        return Err(GuardError::DiskReadOnly { disk });
    }
    if is_read_only(root).map_err(GuardError::io("ask whether the volume is read-only"))? {
        return Err(GuardError::ReadOnly);
    }
    Ok(())
}

/// For a disk that isn't mounted: checks for other users of the disk and for damage of its
/// container. Either would make [`writable`] refuse. Nothing is opened for writing or locked, so
/// this can be called long before anything is written.
///
/// # Errors
/// [`GuardError::Unfit`], [`GuardError::DiskAttached`], [`GuardError::DiskLocked`],
/// [`GuardError::DiskOpen`], [`GuardError::DiskInUse`], [`GuardError::DiskWasInUse`], or the
/// system's error.
pub fn not_in_use(target: &Target) -> Result<(), GuardError> {
    let Some(disk) = target.disk() else {
        return Ok(());
    };
    disk.fit_for_writing()?;
    disk.not_in_use()
}

/// Checks that a record's old bytes can be restored, whatever the disk's volumes hold. A disk that
/// isn't mounted is opened for writing and locked; a mounted volume must be [`writable`].
///
/// # Errors
/// The errors of [`writable`] except [`GuardError::Unfit`].
pub fn restorable(target: &Target) -> Result<(), GuardError> {
    match target.disk() {
        Some(disk) => disk.open_for_writing(),
        None => writable(target),
    }
}

/// The number of bytes that can still be written to the target's volume.
///
/// # Errors
/// The system's error.
pub fn free_space(target: &Target) -> io::Result<u64> {
    match target.volume() {
        TargetVolume::Mounted(root) => free_bytes(root),
        TargetVolume::OnDisk { volume, .. } => volume.free_bytes(),
    }
}

/// Checks that at least `needed` bytes can still be written to the target's volume.
///
/// # Errors
/// [`GuardError::NoSpace`], or an error of the system.
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
