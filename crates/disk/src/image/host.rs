//! Opening the file or block device that holds a disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use diskmend_image::host::HostFile;

use crate::error::{GuardError, is_in_use};
use crate::metadata::{Identity, Metadata};

/// An open file or device, and what it was then.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) file: Arc<HostFile>,
    /// A second handle to the same open file, to ask the system about it.
    #[cfg(target_os = "linux")]
    asked: File,
    as_opened: Option<Stamp>,
    /// Nobody can have mounted it since: what was read of it still holds.
    unmounted: bool,
}

/// What tells whether a file is the same, and was changed.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    identity: Identity,
    /// Length and time of the last change; those of a block device tell nothing.
    content: Option<(u64, SystemTime)>,
}

impl Stamp {
    /// `None` of a disk of Windows, which has no metadata: its name is that of the disk alone.
    fn of(file: &File) -> io::Result<Option<Self>> {
        let Ok(known) = file.metadata() else {
            return Ok(None);
        };
        let content = match known.is_file() {
            true => Some((known.len(), known.modified()?)),
            false => None,
        };
        let identity = Metadata::of_file(file)?.identity;
        Ok(Some(Self { identity, content }))
    }
}

/// Opens it for reading. Of a block device nothing can be mounted from here on; one of which
/// something is mounted can be read nevertheless.
pub(super) fn open(path: &Path) -> io::Result<Host> {
    let (file, unmounted) = open_unmounted(path)?;
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

/// Linux grants a block device exclusively where nothing of it is mounted, and mounts nothing of it
/// then. Of a file that means nothing.
#[cfg(unix)]
fn open_unmounted(path: &Path) -> io::Result<(File, bool)> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;

    let open = |flags: OFlags| {
        // A FIFO may have taken the path since it was looked at: opening must not wait for its other
        // end.
        let flags = (flags | OFlags::NONBLOCK).bits().cast_signed();
        OpenOptions::new().read(true).custom_flags(flags).open(path)
    };
    match open(OFlags::EXCL) {
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
            Ok((open(OFlags::empty())?, false))
        }
        opened => Ok((opened?, true)),
    }
}

/// Windows mounts nothing of a disk that is offline.
#[cfg(windows)]
fn open_unmounted(path: &Path) -> io::Result<(File, bool)> {
    let offline = match crate::volumes::DiskNumber::of_path(path) {
        Some(disk) => crate::nt::disk_state(disk)?.is_some_and(|state| state.offline),
        None => false,
    };
    Ok((File::open(path)?, offline))
}

/// Has a block device read anew: what was written through a mount of one of its partitions does not
/// reach what the system keeps of the whole.
fn forget_cached(file: &File) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?;
    #[cfg(not(target_os = "linux"))]
    let _ = file;
    Ok(())
}

/// Opens it for writing too, and keeps others from that as far as the system can: a file is locked
/// against other runs, QEMU opens neither a file nor a block device for writing meanwhile, on Windows
/// nobody can, and of a block device nothing can be mounted since it was opened.
///
/// What was read by then must still hold: another run may have changed the file in between.
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

/// Nobody else uses it in a way that keeps it from being opened for writing. Nothing is locked: this
/// tells before a person is asked about a change what [`open_for_writing`] would refuse then.
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
        // Opened for reading in a way that no writer stands beside, and given back at once.
        let mut options = OpenOptions::new();
        deny_writers(options.read(true));
        options.open(path).map_err(refused)?;
    }
    Ok(())
}

/// Why a block device can't be written that something had claimed when it was opened.
fn claimed(path: &Path) -> GuardError {
    match open_unmounted(path) {
        Ok((_, true)) => GuardError::DiskWasInUse,
        Ok((_, false)) => GuardError::DiskInUse,
        Err(error) => refused(error),
    }
}

/// Windows opens no file that someone else has open for writing, and lets nobody open it for writing
/// from then on. A virtual machine or a mounted VHD has its file open so.
#[cfg(windows)]
fn deny_writers(options: &mut OpenOptions) {
    use windows_sys::Win32::Storage::FileSystem::FILE_SHARE_READ;
    std::os::windows::fs::OpenOptionsExt::share_mode(options, FILE_SHARE_READ);
}

/// Why it can't be opened for writing.
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

/// What a block device is like.
struct Device {
    /// Length in bytes.
    len: u64,
    /// Bytes in which it has to be read and written; 1 where any do.
    block: usize,
}

/// The block device that a file is, if it is one.
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

/// The block device that a file is, if it is one.
#[cfg(windows)]
fn device(file: &File) -> io::Result<Option<Device>> {
    // Of a device there are no metadata.
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
        // Long ago: whatever changes it now is told from that by any clock.
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
        // Through the handle that holds the lock: no other may read it on Windows.
        host.file.read_exact_at(&mut read, 7).expect("inside");
        assert_eq!(read, [1, 2, 2, 2, 2, 1]);
        let refused = open_for_writing(&path, &other).expect_err("two at once");
        match cfg!(target_os = "linux") {
            true => assert!(matches!(refused, GuardError::DiskLocked)),
            false => assert!(matches!(refused, GuardError::DiskInUse)),
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
            match cfg!(windows) {
                true => assert!(matches!(refused, GuardError::DiskInUse), "{refused}"),
                false => assert!(matches!(refused, GuardError::DiskOpen), "{refused}"),
            }
        }
        drop(other);
        not_in_use(&path, &host).expect("closed");
        open_for_writing(&path, &host).expect("closed");
        // Windows lets nobody read what is locked either, which Wine does not show.
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
