//! What the volume that holds the target says of itself.

use std::io;

use crate::error::GuardError;
use crate::target::Target;

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
    if let (Some(image), Some(disk)) = (target.root().image(), target.disk()) {
        image.tree().writable()?;
        disk.fit_for_writing()?;
        return disk.open_for_writing();
    }
    #[cfg(windows)]
    if let Ok(Some(disk)) = crate::volumes::read_only_disk(target) {
        // Where the disk can't be asked, the volume tells as much, but not why.
        return Err(GuardError::DiskReadOnly { disk });
    }
    if is_read_only(target).map_err(GuardError::io("ask whether the volume is read-only"))? {
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
    if let Some(image) = target.root().image() {
        return image.tree().free_bytes();
    }
    #[cfg(unix)]
    {
        let volume = rustix::fs::fstatvfs(target.root().as_dir()?)?;
        Ok(volume.f_bavail.saturating_mul(volume.f_frsize))
    }
    #[cfg(windows)]
    crate::nt::free_bytes(target.root().as_dir()?)
}

/// At least `needed` bytes can still be written to the target's volume.
///
/// # Errors
/// [`GuardError::NoSpace`], or why the system would not say.
pub fn require_free(target: &Target, needed: u64) -> Result<(), GuardError> {
    if let Some(image) = target.root().image()
        && let Ok(true) = image.tree().has_free(needed)
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
fn is_read_only(target: &Target) -> io::Result<bool> {
    let volume = rustix::fs::fstatvfs(target.root().as_dir()?)?;
    Ok(volume
        .f_flag
        .contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

#[cfg(windows)]
fn is_read_only(target: &Target) -> io::Result<bool> {
    crate::nt::is_read_only(target.root().as_dir()?)
}
