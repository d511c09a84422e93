//! The status that a kernel call returns.

use std::io;

use windows_sys::Win32::Foundation::{NTSTATUS, RtlNtStatusToDosError};

/// The error of a call that has failed.
pub(super) fn check(status: NTSTATUS) -> io::Result<()> {
    match status {
        0.. => Ok(()),
        _ => Err(error(status)),
    }
}

/// The error into which Windows's own libraries convert a status.
pub(super) fn error(status: NTSTATUS) -> io::Error {
    // SAFETY: a lookup in a table; it takes and gives numbers.
    let code = unsafe { RtlNtStatusToDosError(status) };
    io::Error::from_raw_os_error(code.cast_signed())
}
