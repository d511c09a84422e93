//! Opening the file or block device that holds a disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use diskmend_image::host::HostFile;

/// Opens it for reading.
pub(super) fn open(path: &Path) -> io::Result<HostFile> {
    let mut options = OpenOptions::new();
    options.read(true);
    // A FIFO may have taken the path since it was looked at: opening must not wait for its other end.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        rustix::fs::OFlags::NONBLOCK.bits().cast_signed(),
    );
    let file = options.open(path)?;
    let reader = file.try_clone()?;
    Ok(match device(&file)? {
        None => HostFile::file(reader),
        Some(Device { len, block }) => HostFile::block_device(reader, len, block),
    })
}

/// Opens it for writing too, and keeps others from that as far as the system can: a block device
/// of which anything is mounted is refused by Linux, a file that is locked here by other runs.
pub(super) fn open_for_writing(path: &Path, host: &HostFile) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let mut flags = OFlags::NONBLOCK;
        if host.is_block_device() {
            flags |= OFlags::EXCL;
        }
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    if !host.is_block_device() {
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => io::ErrorKind::ResourceBusy.into(),
            std::fs::TryLockError::Error(error) => error,
        })?;
    }
    host.write_through(file)
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
