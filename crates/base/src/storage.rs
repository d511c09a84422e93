//! A file as a library for a format sees it, and its bytes in memory: traits, so that tests can
//! crash between any two writes and drop what was not flushed.

use std::fs::File;
use std::io;

use crate::positioned;

/// A file as it lies on disk. All offsets are in bytes from the start of the file.
#[expect(
    clippy::len_without_is_empty,
    reason = "the length can fail, and no caller asks for emptiness alone"
)]
pub trait Storage {
    /// Length of the file.
    ///
    /// # Errors
    /// Whatever the operating system reports.
    fn len(&self) -> io::Result<u64>;

    /// Fills `buf` from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] where the file ends before the buffer is full.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of `data` at `offset`, growing the file where needed.
    ///
    /// # Errors
    /// Whatever the operating system reports; part of the data may have been written.
    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()>;

    /// Sets the length of the file; new bytes are zero.
    ///
    /// # Errors
    /// Whatever the operating system reports.
    fn set_len(&mut self, len: u64) -> io::Result<()>;

    /// Returns only when all that was written is durable.
    ///
    /// # Errors
    /// Whatever the operating system reports; nothing may then be assumed to be durable.
    fn sync(&mut self) -> io::Result<()>;
}

impl Storage for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        positioned::read_exact_at(self, buf, offset)
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        positioned::write_all_at(self, data, offset)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// The bytes of a whole file in memory, with room to grow.
pub trait Buffer: Send + Sync {
    /// All bytes.
    fn bytes(&self) -> &[u8];

    /// All bytes, for writing; writes stay in memory.
    fn bytes_mut(&mut self) -> &mut [u8];

    /// Makes the buffer `len` bytes long; new bytes are zero.
    ///
    /// # Errors
    /// [`io::ErrorKind::OutOfMemory`] where there is no room.
    fn grow(&mut self, len: usize) -> io::Result<()>;
}

impl Buffer for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self
    }

    fn grow(&mut self, len: usize) -> io::Result<()> {
        let more = len.saturating_sub(self.len());
        self.try_reserve(more)
            .map_err(|_| io::ErrorKind::OutOfMemory)?;
        self.resize(self.len() + more, 0);
        Ok(())
    }
}
