//! A file as a library for a format sees it, and its bytes in memory: traits, so that tests can
//! crash between any two writes and drop what was not flushed.

use std::fs::File;
use std::io;

use crate::count::to_u64;
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
    /// [`io::ErrorKind::UnexpectedEof`] if the file ends before the buffer is full.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of `data` at `offset`; the file grows if needed.
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
    /// [`io::ErrorKind::OutOfMemory`] if there is no room.
    fn grow(&mut self, len: usize) -> io::Result<()>;
}

/// A file in memory; every write is durable at once.
impl Storage for Vec<u8> {
    fn len(&self) -> io::Result<u64> {
        Ok(to_u64(self.len()))
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let part = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..)?.get(..buf.len()));
        buf.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let end = start.checked_add(data.len());
        let end = end.ok_or(io::ErrorKind::OutOfMemory)?;
        self.grow(end)?;
        let part = self.get_mut(start..end);
        part.ok_or(io::ErrorKind::OutOfMemory)?
            .copy_from_slice(data);
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        self.truncate(len);
        self.grow(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_memory_are_a_file() {
        let mut file = Vec::new();
        file.write_all_at(b"after a hole", 4).expect("memory");
        assert_eq!(file, b"\0\0\0\0after a hole");
        file.write_all_at(b"x", 15).expect("inside");
        let mut read = [0; 5];
        file.read_exact_at(&mut read, 11).expect("inside");
        assert_eq!(&read, b" holx");
        for offset in [12, 16, 17, u64::MAX] {
            let error = file.read_exact_at(&mut read, offset).expect_err("outside");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
        Storage::set_len(&mut file, 4).expect("shorter");
        Storage::set_len(&mut file, 6).expect("longer");
        assert_eq!(file, [0; 6]);
        for offset in [u64::MAX, u64::MAX / 2] {
            let error = file.write_all_at(b"x", offset).expect_err("no memory");
            assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
            assert!(Storage::set_len(&mut file, offset).is_err());
        }
        assert_eq!(Storage::len(&file).expect("known"), 6);
    }
}
