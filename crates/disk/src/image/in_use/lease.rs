//! Finds out whether anybody has a file open for writing: then the kernel grants no read lease.

use std::fs::File;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc;

/// `F_SETSIG` (asm-generic/fcntl.h), which the `libc` crate does not have.
const SET_SIGNAL: libc::c_int = 10;

/// True if somebody has a file open for writing. `file` is open only for reading. `false` if this
/// can't be found out: for a block device, on a file system without leases, and for a file of
/// another user, if this user is not root.
pub(super) fn has_writers(file: &File) -> bool {
    // While the lease lasts, whoever opens the file for writing waits for its end, and this process
    // gets a signal. The default signal would end the process.
    if set(file, SET_SIGNAL, libc::SIGURG).is_err() {
        return false;
    }
    let granted = set(file, libc::F_SETLEASE, libc::F_RDLCK);
    if granted.is_ok() {
        // This has no reason to fail; at the latest, the lease ends when the file is closed.
        let _ = set(file, libc::F_SETLEASE, libc::F_UNLCK);
    }
    granted == Err(Errno::EAGAIN)
}

fn set(file: &File, what: libc::c_int, value: libc::c_int) -> Result<(), Errno> {
    // SAFETY: both commands take a number and touch no memory of this process.
    let done = unsafe { libc::fcntl(file.as_raw_fd(), what, value) };
    Errno::result(done).map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_that_is_open_for_writing_differs_from_one_that_is_only_read() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let reader = || File::open(file.path()).expect("there");
        let (asked, _other) = (reader(), reader());
        assert!(has_writers(&asked));
        let path = file.into_temp_path();
        let free = || {
            std::thread::sleep(std::time::Duration::from_millis(10));
            !has_writers(&asked)
        };
        // For a moment, a program that another test is starting has all open files.
        assert!((0..200).any(|_| free()));
        let mut writer = File::options().append(true).open(&path).expect("there");
        writer.write_all(b"1").expect("no lease is left");
        assert!(has_writers(&asked));
    }
}
