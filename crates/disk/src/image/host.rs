//! Opens the file or block device that contains a disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use diskmend_image::host::HostFile;

use crate::error::{GuardError, is_in_use};
use crate::metadata::{Identity, Metadata};

/// An open file or device, and its state at that moment.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) file: Arc<HostFile>,
    /// A second handle to the same open file, for queries to the system.
    #[cfg(target_os = "linux")]
    asked: File,
    as_opened: Option<Stamp>,
    /// Nobody can have mounted it since: what was read is still valid.
    unmounted: bool,
}

/// The data that show whether a file is still the same and unchanged.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    identity: Identity,
    /// The length and the time of the last change; for a block device these say nothing.
    content: Option<(u64, SystemTime)>,
}

impl Stamp {
    /// `None` for a disk on Windows, which has no metadata: its name always means that disk.
    fn of(file: &File) -> io::Result<Option<Self>> {
        let known = match file.metadata() {
            Ok(known) => known,
            Err(_) if cfg!(windows) => return Ok(None),
            Err(error) => return Err(error),
        };
        let content = if known.is_file() {
            Some((known.len(), known.modified()?))
        } else {
            None
        };
        let identity = Metadata::of_file(file)?.identity;
        Ok(Some(Self { identity, content }))
    }
}

/// Opens it for reading. From here on, nothing on a block device can be mounted. If something on it
/// is already mounted, the device can be read nevertheless.
pub(super) fn open(path: &Path) -> io::Result<Host> {
    of(open_unmounted(path)?)
}

/// Opens it only to look at it: others can mount it meanwhile, and it can't be opened for writing.
pub(super) fn open_to_look(path: &Path) -> io::Result<Host> {
    of((open_shared(path)?, false))
}

fn of((file, unmounted): (File, bool)) -> io::Result<Host> {
    let as_opened = Stamp::of(&file)?;
    #[cfg(target_os = "linux")]
    let asked = file.try_clone()?;
    let file = match device(&file)? {
        None => HostFile::file(file)?,
        Some(Device { len, block }) => {
            forget_cached(&file)?;
            HostFile::block_device(file, len, block)
        }
    };
    Ok(Host {
        file: Arc::new(file),
        #[cfg(target_os = "linux")]
        asked,
        as_opened,
        unmounted,
    })
}

/// Linux opens a block device exclusively only if nothing on it is mounted, and then mounts nothing
/// on it. For a file the flag means nothing.
#[cfg(unix)]
fn open_unmounted(path: &Path) -> io::Result<(File, bool)> {
    use rustix::fs::OFlags;

    match open_with(path, OFlags::EXCL) {
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
            Ok((open_shared(path)?, false))
        }
        opened => Ok((opened?, true)),
    }
}

#[cfg(unix)]
fn open_shared(path: &Path) -> io::Result<File> {
    open_with(path, rustix::fs::OFlags::empty())
}

#[cfg(unix)]
fn open_with(path: &Path, flags: rustix::fs::OFlags) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    // Somebody may have put a FIFO at the path since it was checked: opening must not wait for its
    // other end.
    let flags = flags | rustix::fs::OFlags::NONBLOCK;
    let flags = flags.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(windows)]
fn open_shared(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Windows mounts nothing on an offline disk.
#[cfg(windows)]
fn open_unmounted(path: &Path) -> io::Result<(File, bool)> {
    let offline = match crate::disk_number::DiskNumber::of_path(path) {
        Some(disk) => crate::nt::disk_state(disk)?.is_some_and(|state| state.offline),
        None => false,
    };
    Ok((File::open(path)?, offline))
}

/// Makes the system read a block device again: what was written through a mount of one of its
/// partitions does not reach the system's cache of the whole device.
fn forget_cached(file: &File) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?;
    #[cfg(not(target_os = "linux"))]
    let _ = file;
    Ok(())
}

/// Opens it for writing too, and prevents others from writing as far as the system can: a file is
/// locked against other runs; QEMU opens neither a file nor a block device for writing meanwhile;
/// on Windows nobody can; and on a block device nothing can be mounted since it was opened.
///
/// What was read before must still be valid: another run may have changed the file in between.
pub(super) fn open_for_writing(path: &Path, host: &Host) -> Result<(), GuardError> {
    let is_block_device = host.file.is_block_device();
    if is_block_device && !host.unmounted {
        return Err(claimed(path));
    }
    #[cfg(target_os = "linux")]
    super::in_use::check(&host.asked)?;
    let file = open_and_lock(path, is_block_device).map_err(refused)?;
    #[cfg(target_os = "linux")]
    super::in_use::claim(&file)?;
    if Stamp::of(&file).map_err(refused)? != host.as_opened {
        return Err(GuardError::DiskChanged);
    }
    host.file.write_through(file).map_err(refused)
}

/// Checks that nobody else uses it in a way that prevents opening it for writing. Nothing is
/// locked: this finds out before the question what [`open_for_writing`] would refuse afterwards.
pub(super) fn not_in_use(path: &Path, host: &Host) -> Result<(), GuardError> {
    if host.file.is_writable() {
        return Ok(());
    }
    if host.file.is_block_device() && !host.unmounted {
        return Err(claimed(path));
    }
    #[cfg(target_os = "linux")]
    super::in_use::check(&host.asked)?;
    #[cfg(windows)]
    if !host.file.is_block_device() {
        // It is opened for reading in a way that excludes writers, and closed at once.
        let mut options = OpenOptions::new();
        deny_writers(options.read(true));
        options.open(path).map_err(refused)?;
    }
    Ok(())
}

/// The reason why a block device that was in use when it was opened can't be written.
fn claimed(path: &Path) -> GuardError {
    match open_unmounted(path) {
        Ok((_, true)) => GuardError::DiskWasInUse,
        Ok((_, false)) => GuardError::DiskInUse,
        Err(error) => refused(error),
    }
}

/// Windows opens no file that somebody else has open for writing, and then lets nobody open it for
/// writing. A virtual machine or a mounted VHD has its file open in this way.
#[cfg(windows)]
fn deny_writers(options: &mut OpenOptions) {
    use windows_sys::Win32::Storage::FileSystem::FILE_SHARE_READ;
    std::os::windows::fs::OpenOptionsExt::share_mode(options, FILE_SHARE_READ);
}

/// The reason why it can't be opened for writing.
fn refused(error: io::Error) -> GuardError {
    match error.kind() {
        io::ErrorKind::ResourceBusy => GuardError::DiskInUse,
        _ if is_in_use(&error) => GuardError::DiskInUse,
        io::ErrorKind::PermissionDenied => GuardError::NotWritable { source: error },
        io::ErrorKind::ReadOnlyFilesystem => GuardError::DiskOnReadOnly,
        _ => GuardError::io("open the disk for writing")(error),
    }
}

fn open_and_lock(path: &Path, is_block_device: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        rustix::fs::OFlags::NONBLOCK.bits().cast_signed(),
    );
    #[cfg(windows)]
    if !is_block_device {
        deny_writers(&mut options);
    }
    let file = options.open(path)?;
    if !is_block_device {
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => io::ErrorKind::ResourceBusy.into(),
            std::fs::TryLockError::Error(error) => error,
        })?;
    }
    Ok(file)
}

/// The properties of a block device.
struct Device {
    /// Length in bytes.
    len: u64,
    /// The unit in bytes for reads and writes; 1 if there is none.
    block: usize,
}

/// The properties of the file's block device, if it is one.
#[cfg(unix)]
fn device(file: &File) -> io::Result<Option<Device>> {
    use std::io::{Seek, SeekFrom};
    use std::os::unix::fs::FileTypeExt;

    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(None);
    }
    if !kind.is_block_device() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "neither a regular file nor a block device",
        ));
    }
    let mut file = file;
    let len = file.seek(SeekFrom::End(0))?;
    Ok(Some(Device { len, block: 1 }))
}

/// The properties of the file's block device, if it is one.
#[cfg(windows)]
fn device(file: &File) -> io::Result<Option<Device>> {
    // A device has no metadata.
    if file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    let (len, block) = crate::nt::disk_size(file)?;
    Ok(Some(Device { len, block }))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use diskmend_image::device::Device as _;

    use super::*;

    fn image() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("disk.img");
        fs::write(&path, [1; 1024]).expect("writable");
        // The old time makes any later change visible, whatever the clock's resolution is.
        let file = OpenOptions::new().write(true).open(&path).expect("there");
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 30);
        file.set_modified(then).expect("mine");
        (folder, path)
    }

    #[test]
    fn a_file_that_stayed_as_it_was_is_opened_for_writing_and_locked() {
        let (_folder, path) = image();
        let (host, other) = (open(&path).expect("there"), open(&path).expect("there"));
        open_for_writing(&path, &host).expect("writable");
        host.file.write_all_at(&[2; 4], 8).expect("inside");
        let mut read = [0; 6];
        // Through the handle that holds the lock: on Windows no other handle may read the file.
        host.file.read_exact_at(&mut read, 7).expect("inside");
        assert_eq!(read, [1, 2, 2, 2, 2, 1]);
        let refused = open_for_writing(&path, &other).expect_err("two at once");
        if cfg!(target_os = "linux") {
            assert!(matches!(refused, GuardError::DiskLocked))
        } else {
            assert!(matches!(refused, GuardError::DiskInUse))
        }
        drop(host);
        let refused = open_for_writing(&path, &other);
        assert!(matches!(refused, Err(GuardError::DiskChanged)));
    }

    #[test]
    fn a_file_that_another_has_locked_on_windows_is_in_use() {
        for code in [32, 33] {
            let refused = refused(io::Error::from_raw_os_error(code));
            let in_use = matches!(refused, GuardError::DiskInUse);
            assert_eq!(in_use, cfg!(windows), "{refused}");
        }
    }

    #[cfg(any(target_os = "linux", windows))]
    #[test]
    fn a_file_that_somebody_has_open_for_writing_is_not_written_but_read() {
        let (_folder, path) = image();
        let other = OpenOptions::new().write(true).open(&path).expect("there");
        let host = open(&path).expect("it can be read");
        for refused in [not_in_use(&path, &host), open_for_writing(&path, &host)] {
            let refused = refused.expect_err("open elsewhere");
            if cfg!(windows) {
                assert!(matches!(refused, GuardError::DiskInUse), "{refused}")
            } else {
                assert!(matches!(refused, GuardError::DiskOpen), "{refused}")
            }
        }
        drop(other);
        not_in_use(&path, &host).expect("closed");
        open_for_writing(&path, &host).expect("closed");
        // Windows also prevents reading locked files, which Wine does not.
        #[cfg(windows)]
        OpenOptions::new()
            .write(true)
            .open(&path)
            .expect_err("kept out");
    }

    #[test]
    fn a_file_that_was_changed_or_replaced_meanwhile_is_not_written() {
        let (folder, path) = image();
        let host = open(&path).expect("there");
        let file = OpenOptions::new().write(true).open(&path).expect("there");
        let modified = file.metadata().and_then(|known| known.modified());
        let later = modified.expect("known") + Duration::from_secs(1);
        file.set_modified(later).expect("mine");
        drop(file);
        let refused = open_for_writing(&path, &host);
        assert!(matches!(refused, Err(GuardError::DiskChanged)));

        let host = open(&path).expect("there");
        let other = folder.path().join("other.img");
        fs::copy(&path, &other).expect("room");
        let copy = OpenOptions::new().write(true).open(&other).expect("there");
        copy.set_modified(later).expect("mine");
        drop(copy);
        fs::rename(&path, folder.path().join("moved.img")).expect("mine");
        fs::rename(&other, &path).expect("mine");
        let refused = open_for_writing(&path, &host);
        assert!(matches!(refused, Err(GuardError::DiskChanged)));
        assert_eq!(fs::read(&path).expect("there"), [1; 1024]);
    }
}
