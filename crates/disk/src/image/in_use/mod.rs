//! Who else uses the file or block device that holds a disk, as far as Linux tells.
//!
//! | whom | how it is noticed |
//! |---|---|
//! | a loop device, mounted or not | the kernel names the file behind each one |
//! | QEMU and its tools | byte-range locks, which both sides take and look for |
//! | another program that locks the file | the same locks |
//! | another program that has the file open for writing, such as `ntfs-3g` on an image | the kernel lets files that somebody writes have no read lease |
//!
//! What claims a block device (a mount, device-mapper, md) is noticed when it is opened.

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

/// Times that is asked, and the wait between: a loop device that is detached, and a program that has
/// just ended or that another is just starting, have a file for a moment.
const TRIES: u32 = 10;
const WAIT: Duration = Duration::from_millis(20);

/// Nobody else uses the disk in a way that writing to it would disturb. `file` is open for reading
/// only; nothing stays locked.
///
/// # Errors
/// [`GuardError::DiskAttached`], [`GuardError::DiskLocked`], [`GuardError::DiskOpen`], or why it could
/// not be found out.
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
    match lease::has_writers(file) {
        true => Err(GuardError::DiskOpen),
        false => Ok(()),
    }
}

/// Keeps QEMU from opening the disk for writing until `file` is closed, which is open for writing.
///
/// # Errors
/// [`GuardError::DiskAttached`], [`GuardError::DiskLocked`], or why it could not be found out.
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
