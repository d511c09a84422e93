//! Bytes that can be read and written at any offset: a file, the disk in it, a partition of the
//! disk.

use std::fmt;
use std::io;
use std::sync::Arc;

/// A disk or a part of one. All offsets and lengths are in bytes; the length does not change.
///
/// Writing takes a shared reference, because the parts of a disk are written through it.
#[expect(
    clippy::len_without_is_empty,
    reason = "no caller asks for emptiness alone"
)]
pub trait Device: Send + Sync + fmt::Debug {
    /// Length.
    fn len(&self) -> u64;

    /// Fills `buf` from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if the device ends before the buffer is full; or an error
    /// of the system.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of `data` at `offset`.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if the range is not completely inside the device; then
    /// nothing is written. Or an error of the system.
    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()>;

    /// Takes bytes into the record of changes, if there is one, although they don't change: whoever
    /// owned them gives them up, and restoring the record is only right while they stay. The range
    /// is inside the device.
    ///
    /// # Errors
    /// An error of the system.
    fn keep(&self, _offset: u64, _len: usize) -> io::Result<()> {
        Ok(())
    }

    /// Returns only when everything that was written is durable; later writes come after it.
    ///
    /// # Errors
    /// An error of the system; nothing may then be assumed to be durable.
    fn sync(&self) -> io::Result<()>;
}

/// The file or block device of a container: a device that can be lengthened.
pub trait Medium: Device {
    /// Sets the length; new bytes are zero.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] for a block device; otherwise the system's error.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Starts to make durable what was written, if that can be done in the background. Only
    /// [`sync`](Device::sync) says whether it is durable.
    ///
    /// # Errors
    /// An error of an earlier start; nothing may then be assumed to be durable.
    fn begin_sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A part of a device, as a device of its own.
#[derive(Debug)]
pub struct Slice {
    device: Arc<dyn Device>,
    start: u64,
    len: u64,
}

impl Slice {
    /// The `len` bytes from `start` on; `None` if they are not completely inside the device.
    #[must_use]
    pub(crate) fn new(device: Arc<dyn Device>, start: u64, len: u64) -> Option<Self> {
        let end = start.checked_add(len)?;
        (end <= device.len()).then_some(Self { device, start, len })
    }

    /// Offset in the device below.
    fn within(&self, offset: u64, len: usize) -> io::Result<u64> {
        range(offset, len, self.len)?;
        self.start
            .checked_add(offset)
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Device for Slice {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let at = self.within(offset, buf.len())?;
        self.device.read_exact_at(buf, at)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        let at = self.within(offset, data.len())?;
        self.device.write_all_at(data, at)
    }

    fn keep(&self, offset: u64, len: usize) -> io::Result<()> {
        let at = self.within(offset, len)?;
        self.device.keep(at, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.device.sync()
    }
}

/// Checks that `len` bytes at `offset` are completely inside a device of `total` bytes.
///
/// # Errors
/// [`io::ErrorKind::UnexpectedEof`] if they are not.
pub fn range(offset: u64, len: usize, total: u64) -> io::Result<()> {
    let end = u64::try_from(len)
        .ok()
        .and_then(|len| offset.checked_add(len));
    match end {
        Some(end) if end <= total => Ok(()),
        _ => Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("{len} bytes at offset {offset} do not lie within {total} bytes"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Memory;

    #[test]
    fn a_part_is_read_and_written_within_its_bounds_only() {
        let whole = Arc::new(Memory::new((0..100).collect()));
        assert!(Slice::new(whole.clone(), 90, 11).is_none());
        assert!(Slice::new(whole.clone(), u64::MAX, 1).is_none());
        let part = Slice::new(whole.clone(), 10, 20).expect("inside");
        let mut read = [0; 3];
        part.read_exact_at(&mut read, 17).expect("inside");
        assert_eq!(read, [27, 28, 29]);
        for offset in [18, 20, u64::MAX] {
            let error = part.read_exact_at(&mut read, offset).expect_err("outside");
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            part.write_all_at(&read, offset).expect_err("outside");
        }
        part.write_all_at(&[1, 2, 3], 0).expect("inside");
        assert_eq!(whole.bytes()[9..14], [9, 1, 2, 3, 13]);
    }
}
