//! Finds out who else uses the file or block device of a disk, as far as Linux reveals it.
//!
//! | user | how it is noticed |
//! |---|---|
//! | a loop device, mounted or not | the kernel names the file behind each one |
//! | QEMU and its tools | byte-range locks, which both sides take and test |
//! | another program that locks the file | these locks |
//! | another program that has the file open for writing, such as `ntfs-3g` on an image | the kernel grants no read lease for a file that somebody writes |
//!
//! If something claims a block device (a mount, device-mapper, md), this is noticed when the device
//! is opened.

#[expect(unsafe_code, reason = "a lease can't be had without")]
mod lease;
mod locks;
#[expect(unsafe_code, reason = "an ioctl can't be had without")]
mod loop_status;
mod loops;

use std::fs::File;
use std::thread;
use std::time::Duration;

use crate::error::GuardError;

/// The number of attempts, with a wait in between: a loop device that is being detached, and a
/// program that has just ended or is just being started, have a file open for a moment.
const TRIES: u32 = 10;
const WAIT: Duration = Duration::from_millis(20);

/// Checks that nobody else uses the disk in a way that writing would disturb. `file` is open only
/// for reading; nothing stays locked.
///
/// # Errors
/// [`GuardError::DiskAttached`], [`GuardError::DiskLocked`], [`GuardError::DiskOpen`], or the
/// reason why this could not be found out.
pub(super) fn check(file: &File) -> Result<(), GuardError> {
    for _ in 1..TRIES {
        match check_once(file) {
            Err(
                GuardError::DiskAttached { .. } | GuardError::DiskLocked | GuardError::DiskOpen,
            ) => thread::sleep(WAIT),
            checked => return checked,
        }
    }
    check_once(file)
}

fn check_once(file: &File) -> Result<(), GuardError> {
    locks::test(file)?;
    not_attached(file)?;
    if lease::has_writers(file) {
        Err(GuardError::DiskOpen)
    } else {
        Ok(())
    }
}

/// Prevents QEMU from opening the disk for writing until `file`, which is open for writing, is
/// closed.
///
/// # Errors
/// [`GuardError::DiskAttached`], [`GuardError::DiskLocked`], or the reason why this could not be
/// found out.
pub(super) fn claim(file: &File) -> Result<(), GuardError> {
    locks::take(file)?;
    not_attached(file)
}

fn not_attached(file: &File) -> Result<(), GuardError> {
    match loops::behind(file).map_err(GuardError::io("look for loop devices of the disk"))? {
        None => Ok(()),
        Some(device) => Err(GuardError::DiskAttached { device }),
    }
}
