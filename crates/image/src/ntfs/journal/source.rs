//! The bytes of $LogFile.

use diskmend_base::count::to_u64;

use super::super::disk::Disk;
use super::super::error::VolumeError;
use super::super::stream::Stream;

/// Where the bytes come from.
pub(in super::super) enum Source<'a> {
    /// $LogFile of a volume.
    Volume(&'a Disk, &'a Stream),
    /// A copy of it.
    Bytes(&'a [u8]),
}

impl Source<'_> {
    /// Its length in bytes.
    pub(in super::super) fn len(&self) -> u64 {
        match self {
            Self::Volume(_, stream) => stream.len(),
            Self::Bytes(bytes) => to_u64(bytes.len()),
        }
    }

    /// True if it has `len` bytes at `at`.
    pub(super) fn has(&self, at: u64, len: usize) -> bool {
        let end = at.checked_add(to_u64(len));
        end.is_some_and(|end| end <= self.len())
    }

    /// Fills `buf` from `at` on.
    pub(in super::super) fn read(&self, buf: &mut [u8], at: u64) -> Result<(), VolumeError> {
        match self {
            Self::Volume(disk, stream) => stream.read(disk, buf, at),
            Self::Bytes(bytes) => {
                let start = usize::try_from(at).ok();
                let found = start.and_then(|at| diskmend_base::bytes::slice(bytes, at, buf.len()));
                let found = found.ok_or(VolumeError::OutOfRange {
                    offset: at,
                    len: buf.len(),
                    file_len: to_u64(bytes.len()),
                })?;
                buf.copy_from_slice(found);
                Ok(())
            }
        }
    }
}
