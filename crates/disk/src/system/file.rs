//! A regular file of this machine.

use std::fs::TryLockError;
use std::io;

use diskmend_base::{Storage, positioned};

use crate::error::NotRegular;
use crate::file::File;
use crate::metadata::{Kind, Metadata};

/// An open regular file of this machine.
#[derive(Debug)]
pub(crate) struct SystemFile {
    file: std::fs::File,
    /// The number of names according to its own record on the volume, if known. The driver may
    /// count differently.
    names: Option<u64>,
}

impl SystemFile {
    /// Takes an open file of any kind.
    ///
    /// # Errors
    /// [`NotRegular`] inside an [`io::Error`] if it is not a regular file.
    pub(super) fn new(file: std::fs::File) -> io::Result<Self> {
        match Metadata::of_file(&file)?.kind {
            Kind::File => Ok(Self { file, names: None }),
            kind => Err(NotRegular { kind }.into()),
        }
    }

    /// The same file with the number of names that its record holds.
    pub(super) fn named(self, names: Option<u64>) -> Self {
        Self { names, ..self }
    }
}

impl Storage for SystemFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        positioned::read_exact_at(&self.file, buf, offset)
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        positioned::write_all_at(&self.file, data, offset)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }
}

impl File for SystemFile {
    fn metadata(&self) -> io::Result<Metadata> {
        Metadata::of_file(&self.file)
    }

    fn names(&self) -> io::Result<u64> {
        let links = self.metadata()?.links;
        #[cfg(target_os = "linux")]
        let links = if links > 1 {
            let short = u64::from(crate::security::counts_short_name(&self.file));
            links.saturating_sub(short)
        } else {
            links
        };
        // The record may list more names than the driver does.
        Ok(self.names.map_or(links, |recorded| recorded.max(links)))
    }

    fn stored_len(&self) -> io::Result<Option<u64>> {
        stored(&self.file)
    }

    fn try_lock(&self) -> Result<(), TryLockError> {
        self.file.try_lock()
    }

    fn as_system(&self) -> Option<&std::fs::File> {
        Some(&self.file)
    }
}

/// The number of bytes that are stored for a long file of this machine. Some file systems always
/// report none, so a file counts as empty only if it also begins with zeros.
#[cfg(unix)]
fn stored(file: &std::fs::File) -> io::Result<Option<u64>> {
    use std::os::unix::fs::MetadataExt;

    /// The unit that the system counts in.
    const BLOCK: u64 = 512;

    // Data written a moment ago may not have a place on disk yet and would count as a hole.
    file.sync_all()?;
    let stored = file.metadata()?.blocks().saturating_mul(BLOCK);
    if stored == 0 {
        let mut first = [0; BLOCK as usize];
        positioned::read_exact_at(file, &mut first, 0)?;
        if first.iter().any(|byte| *byte != 0) {
            return Ok(None);
        }
    }
    Ok(Some(stored))
}

#[cfg(windows)]
fn stored(file: &std::fs::File) -> io::Result<Option<u64>> {
    crate::nt::stored_bytes(file).map(Some)
}
