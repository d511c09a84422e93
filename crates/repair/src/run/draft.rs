//! Changes on their way from the plan to the run's folder.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use diskmend_base::count::{to_u64, to_usize};
use diskmend_disk::{Change, Kind, NtPath};
use sha2::{Digest as _, Sha256};
use tempfile::{SpooledTempFile, spooled_tempfile, spooled_tempfile_in};

use super::records::{Frame, header};
use crate::error::Error;

/// The number of bytes that are kept in memory; if there are more, they go to a scratch file.
const IN_MEMORY: usize = 4 << 20;
/// The number of bytes that are copied at a time.
const CHUNK: usize = 1 << 18;

/// Planned changes, in the format of the run's folder.
pub(crate) struct Draft {
    spool: SpooledTempFile,
    frame: Frame,
    objects: u64,
    len: u64,
    /// The folders that were searched.
    below: Vec<NtPath>,
    /// The digest of every object that was read, in their order.
    read: Sha256,
}

impl Draft {
    /// An empty draft. If it grows too large for memory, it continues in an unnamed file in
    /// `scratch`, or stays in memory if there is no such folder.
    pub(crate) fn new(scratch: Option<&Path>) -> Result<Self, Error> {
        let mut draft = Self {
            spool: match scratch {
                Some(folder) => spooled_tempfile_in(IN_MEMORY, folder),
                None => spooled_tempfile(usize::MAX),
            },
            frame: Frame::default(),
            objects: 0,
            len: 0,
            below: Vec::new(),
            read: Sha256::new(),
        };
        draft.write(&header())?;
        Ok(draft)
    }

    /// Records that the following changes are in this folder or below it.
    pub(crate) fn enter(&mut self, folder: &NtPath) {
        if !self.below.contains(folder) {
            self.below.push(folder.clone());
        }
    }

    /// The folders that contain the changes, as a journal names them.
    ///
    /// # Errors
    /// If a journal can't express one.
    pub(crate) fn below(&self) -> Result<Vec<String>, Error> {
        let text = |path: &NtPath| {
            let text = String::from_utf16(path.units()).map_err(io::Error::other);
            text.map_err(Error::draft)
        };
        self.below.iter().map(text).collect()
    }

    /// Adds a change.
    pub(crate) fn push(&mut self, change: &Change) -> Result<(), Error> {
        let full = self.frame.push(change);
        let full = full.map_err(Error::draft)?;
        self.objects = self.objects.saturating_add(1);
        if full { self.close_frame() } else { Ok(()) }
    }

    /// Records that an object was read, and what it would get.
    pub(crate) fn saw(&mut self, path: &NtPath, kind: Kind, before: &[u8], after: Option<&[u8]>) {
        let kind = match kind {
            Kind::File => 1,
            Kind::Folder => 2,
            Kind::Link => 3,
            Kind::Other => 4,
        };
        self.read.update([kind, u8::from(after.is_some())]);
        self.read.update((path.units().len() as u64).to_le_bytes());
        let path = path.units().iter().flat_map(|unit| unit.to_le_bytes());
        self.read.update(path.collect::<Vec<u8>>());
        // The lengths are included, so that two different lists never give the same bytes.
        for descriptor in [before, after.unwrap_or(&[])] {
            self.read.update((descriptor.len() as u64).to_le_bytes());
            self.read.update(descriptor);
        }
    }

    /// The SHA-256 of every object that was read, with its descriptor and the planned one.
    pub(crate) fn digest_of_read(&self) -> [u8; 32] {
        self.read.clone().finalize().into()
    }

    /// The number of objects that would change.
    pub(crate) const fn objects(&self) -> u64 {
        self.objects
    }

    /// The length of the draft in bytes.
    pub(crate) fn len(&mut self) -> Result<u64, Error> {
        self.close_frame()?;
        Ok(self.len)
    }

    /// Passes the whole draft to `take`, piece by piece.
    pub(crate) fn copy(
        mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.close_frame()?;
        self.spool.seek(SeekFrom::Start(0)).map_err(Error::draft)?;
        let mut left = self.len;
        let mut chunk = vec![0; CHUNK];
        while left > 0 {
            // Only the last chunk is shorter.
            chunk.truncate(to_usize(left));
            self.spool.read_exact(&mut chunk).map_err(Error::draft)?;
            take(&chunk)?;
            left -= to_u64(chunk.len());
        }
        Ok(())
    }

    fn close_frame(&mut self) -> Result<(), Error> {
        match self.frame.take() {
            Some(bytes) => self.write(&bytes),
            None => Ok(()),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.spool.write_all(bytes).map_err(Error::draft)?;
        self.len = self.len.saturating_add(bytes.len() as u64);
        Ok(())
    }
}
