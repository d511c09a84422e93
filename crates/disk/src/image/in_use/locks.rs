//! The byte-range locks by which QEMU's processes coordinate their access to an image.
//!
//! Each kind of access has a number. A program that uses this access holds a shared lock on the
//! byte at 100 plus the number; a program that does not allow it to others holds a shared lock on
//! the byte at 200 plus the number. Each program first takes all its locks, and then tests the
//! conflicting bytes: if two programs start at once, at least one sees the other. The bytes need
//! not exist. The locks belong to the open file and not to the process, and do not affect programs
//! that do not test them.

use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use crate::error::GuardError;

/// A kind of access to an image.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Act {
    /// Reading, and relying on what was read.
    ConsistentRead = 0,
    Write = 1,
    /// Writing data that are already there, which moves them between layers.
    WriteUnchanged = 2,
    Resize = 3,
}

/// The access of diskmend while it repairs: a VHD or VHDX may grow.
const DONE: [Act; 3] = [Act::ConsistentRead, Act::Write, Act::Resize];
/// The access that nobody else may have meanwhile.
const NOT_SHARED: [Act; 3] = [Act::Write, Act::WriteUnchanged, Act::Resize];

/// The first byte of the locks for own access.
const DONE_AT: libc::off_t = 100;
/// The first byte of the locks against other access.
const NOT_SHARED_AT: libc::off_t = 200;

impl Act {
    /// The byte that programs with this access have locked.
    const fn done_at(self) -> libc::off_t {
        DONE_AT + self as libc::off_t
    }

    /// The byte that programs which exclude this access have locked.
    const fn not_shared_at(self) -> libc::off_t {
        NOT_SHARED_AT + self as libc::off_t
    }
}

/// Takes the locks of a program that writes, until `file` is closed.
///
/// # Errors
/// [`GuardError::DiskLocked`], or the reason why the locks could not be taken.
pub(super) fn take(file: &File) -> Result<(), GuardError> {
    let done = DONE.into_iter().map(Act::done_at);
    let not_shared = NOT_SHARED.into_iter().map(Act::not_shared_at);
    for byte in done.chain(not_shared) {
        let lock = lock(libc::F_RDLCK, byte);
        match fcntl(file, FcntlArg::F_OFD_SETLK(&lock)) {
            Ok(_) => {}
            // There is an exclusive lock, which QEMU never takes.
            Err(Errno::EAGAIN | Errno::EACCES) => return Err(GuardError::DiskLocked),
            // The system does not support such locks, so nobody has any.
            Err(Errno::EINVAL) => return Ok(()),
            Err(error) => return Err(GuardError::io("lock the disk")(error.into())),
        }
    }
    test(file)
}

/// Checks that no lock prevents writing.
///
/// # Errors
/// [`GuardError::DiskLocked`], or the reason why this could not be found out.
pub(super) fn test(file: &File) -> Result<(), GuardError> {
    let done = DONE.into_iter().map(Act::not_shared_at);
    let not_shared = NOT_SHARED.into_iter().map(Act::done_at);
    for byte in done.chain(not_shared) {
        if is_locked(file, byte).map_err(GuardError::io("look for locks on the disk"))? {
            return Err(GuardError::DiskLocked);
        }
    }
    Ok(())
}

/// True if any other open file has a lock on a byte, shared or not.
fn is_locked(file: &File, byte: libc::off_t) -> io::Result<bool> {
    let mut lock = lock(libc::F_WRLCK, byte);
    match fcntl(file, FcntlArg::F_OFD_GETLK(&mut lock)) {
        Ok(_) => Ok(libc::c_int::from(lock.l_type) != libc::F_UNLCK),
        Err(Errno::EINVAL) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the kinds of locks and of offsets are 0, 1 and 2"
)]
const fn lock(kind: libc::c_int, byte: libc::off_t) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: byte,
        l_len: 1,
        // This must be 0 for locks of an open file.
        l_pid: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twice() -> (tempfile::NamedTempFile, File) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let other = File::options().read(true).write(true).open(file.path());
        (file, other.expect("there"))
    }

    fn set(file: &File, kind: libc::c_int, byte: libc::off_t) {
        fcntl(file, FcntlArg::F_OFD_SETLK(&lock(kind, byte))).expect("free");
    }

    #[test]
    fn a_second_writer_is_refused_and_a_reader_is_not() {
        let (file, other) = twice();
        // qemu-img locks a raw image in this way while it reads it.
        set(&other, libc::F_RDLCK, 100);
        take(file.as_file()).expect("nobody writes");
        take(file.as_file()).expect("its own locks do not matter");
        assert!(matches!(test(&other), Err(GuardError::DiskLocked)));
        assert!(matches!(take(&other), Err(GuardError::DiskLocked)));
        drop(file);
        take(&other).expect("the locks went with the open file");
    }

    #[test]
    fn every_lock_that_forbids_writing_is_noticed() {
        for byte in [101, 102, 103, 200, 201, 203] {
            let (file, other) = twice();
            set(&other, libc::F_RDLCK, byte);
            let refused = take(file.as_file());
            assert!(matches!(refused, Err(GuardError::DiskLocked)), "{byte}");
        }
        // A program may prevent others from writing unchanged data, or may write such data itself.
        for byte in [99, 104, 199, 202, 204] {
            let (file, other) = twice();
            set(&other, libc::F_RDLCK, byte);
            take(file.as_file()).expect("nothing that speaks against it");
        }
    }

    /// ntfs-3g locks an image in this way when it mounts it without a loop device.
    #[test]
    fn a_program_that_locks_the_whole_file_is_noticed() {
        for kind in [libc::F_RDLCK, libc::F_WRLCK] {
            let (file, other) = twice();
            let mut whole = lock(kind, 0);
            whole.l_len = 0;
            fcntl(&other, FcntlArg::F_OFD_SETLK(&whole)).expect("free");
            for refused in [test(file.as_file()), take(file.as_file())] {
                assert!(matches!(refused, Err(GuardError::DiskLocked)));
            }
        }
    }
}
