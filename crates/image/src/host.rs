//! The file or block device of this machine that contains a disk.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use diskmend_base::bytes;

use crate::device::{Device, Medium, range};
use diskmend_base::positioned;

/// An open file or block device: read-only, until it is opened for writing too.
#[derive(Debug)]
pub struct HostFile {
    file: File,
    writer: OnceLock<File>,
    /// Nobody else may change the length meanwhile.
    len: AtomicU64,
    /// The unit in which a block device is read and written; `None` for a file.
    block: Option<usize>,
    /// Makes durable what was written before.
    syncing: Mutex<Option<JoinHandle<io::Result<()>>>>,
}

impl HostFile {
    /// A regular file.
    ///
    /// # Errors
    /// If its length can't be found out.
    pub fn file(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self {
            file,
            writer: OnceLock::new(),
            len: AtomicU64::new(len),
            block: None,
            syncing: Mutex::new(None),
        })
    }

    /// A block device of `len` bytes, which is read and written in whole blocks of `block` bytes if
    /// that is more than 1: handles to disks of Windows accept nothing else.
    #[must_use]
    pub const fn block_device(file: File, len: u64, block: usize) -> Self {
        Self {
            file,
            writer: OnceLock::new(),
            len: AtomicU64::new(len),
            block: Some(block),
            syncing: Mutex::new(None),
        }
    }

    /// True if it is a block device.
    #[must_use]
    pub const fn is_block_device(&self) -> bool {
        self.block.is_some()
    }

    /// From here on, reads and writes through this second handle to the file: if this handle has a
    /// lock, Windows lets no other handle read.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if it is already open for writing.
    pub fn write_through(&self, writer: File) -> io::Result<()> {
        let taken = |_| io::ErrorKind::AlreadyExists.into();
        self.writer.set(writer).map_err(taken)
    }

    /// True if it is open for writing.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.writer.get().is_some()
    }

    fn reader(&self) -> &File {
        self.writer.get().unwrap_or(&self.file)
    }

    fn writer(&self) -> io::Result<&File> {
        let closed = || io::Error::new(io::ErrorKind::PermissionDenied, "open for reading only");
        self.writer.get().ok_or_else(closed)
    }

    /// Waits for what [`begin_sync`](Medium::begin_sync) has started.
    fn end_sync(&self) -> io::Result<()> {
        let mut syncing = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        match syncing.take() {
            Some(thread) => thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("making it durable was broken off"))),
            None => Ok(()),
        }
    }

    /// The whole blocks around a range, for a device that requires whole blocks.
    fn blocks(&self, offset: u64, len: usize) -> Option<(u64, usize, usize)> {
        let block = self.block?;
        let size = u64::try_from(block).ok().filter(|size| *size > 1)?;
        let lead = usize::try_from(offset.checked_rem(size)?).ok()?;
        let whole = len.checked_add(lead)?.checked_next_multiple_of(block)?;
        (lead != 0 || whole != len).then_some((offset - lead as u64, lead, whole))
    }
}

impl Device for HostFile {
    fn len(&self) -> u64 {
        self.len.load(Ordering::Relaxed)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let Some((start, lead, whole)) = self.blocks(offset, buf.len()) else {
            return positioned::read_exact_at(self.reader(), buf, offset);
        };
        let mut blocks = vec![0; whole];
        positioned::read_exact_at(self.reader(), &mut blocks, start)?;
        let part = bytes::slice(&blocks, lead, buf.len());
        buf.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        range(offset, data.len(), self.len())?;
        let Some((start, lead, whole)) = self.blocks(offset, data.len()) else {
            return positioned::write_all_at(self.writer()?, data, offset);
        };
        let mut blocks = vec![0; whole];
        positioned::read_exact_at(self.reader(), &mut blocks, start)?;
        let part = bytes::slice_mut(&mut blocks, lead, data.len());
        part.ok_or(io::ErrorKind::UnexpectedEof)?
            .copy_from_slice(data);
        positioned::write_all_at(self.writer()?, &blocks, start)
    }

    fn sync(&self) -> io::Result<()> {
        self.end_sync()?;
        self.writer()?.sync_all()
    }
}

impl Medium for HostFile {
    fn set_len(&self, len: u64) -> io::Result<()> {
        if self.is_block_device() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.writer()?.set_len(len)?;
        self.len.store(len, Ordering::Relaxed);
        Ok(())
    }

    fn begin_sync(&self) -> io::Result<()> {
        self.end_sync()?;
        let file = self.writer()?.try_clone()?;
        let thread = thread::Builder::new().spawn(move || file.sync_all());
        let mut syncing = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        // If no thread can be started, `sync` does everything.
        *syncing = thread.ok();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flush_in_the_background_can_be_waited_for() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(8192).expect("room");
        let disk = HostFile::file(file.try_clone().expect("a handle")).expect("its length");
        disk.begin_sync().expect_err("for reading only");
        disk.write_through(file).expect("once");
        for offset in [0, 4096] {
            disk.write_all_at(&[1; 100], offset).expect("inside");
            disk.begin_sync().expect("begun");
        }
        disk.sync().expect("durable");
        let failed = thread::spawn(|| Err(io::ErrorKind::StorageFull.into()));
        *disk.syncing.lock().expect("alone") = Some(failed);
        let error = disk.sync().expect_err("what was begun has failed");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        disk.sync().expect("said once");
    }

    #[test]
    fn a_device_of_blocks_is_read_and_written_at_any_offset() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(8192).expect("room");
        let handle = || file.try_clone().expect("a handle");
        let plain = HostFile::file(handle()).expect("its length");
        let device = HostFile::block_device(handle(), 8192, 4096);
        let error = device.write_all_at(&[1], 0).expect_err("not yet");
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        device.write_through(handle()).expect("once");
        device.write_through(handle()).expect_err("not twice");
        let data: Vec<u8> = (0..200).collect();
        for offset in [0, 1, 4000, 4096, 7992] {
            device.write_all_at(&data, offset).expect("inside");
            let mut read = vec![0; data.len()];
            device.read_exact_at(&mut read, offset).expect("inside");
            assert_eq!(read, data);
            plain.read_exact_at(&mut read, offset).expect("inside");
            assert_eq!(read, data);
        }
        for offset in [7993, 8192, u64::MAX] {
            let error = device.write_all_at(&data, offset).expect_err("outside");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
        let error = device.set_len(1).expect_err("a device");
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    }
}
