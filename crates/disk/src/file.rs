//! An open regular file.

use std::fs::TryLockError;
use std::io;

use diskmend_base::positioned;

use crate::error::NotRegular;
use crate::image::ImageFile;
use crate::metadata::{Identity, Kind, Metadata};

/// An open regular file of the target. Offsets and lengths are in bytes from the file's start.
///
/// Writing in place keeps everything else of the file: its security descriptor, streams, hard
/// links and place on disk.
#[derive(Debug)]
pub struct File {
    file: Inner,
    /// How many names it has by its own record on the volume, if that is known beside what the
    /// driver counts.
    names: Option<u32>,
}

#[derive(Debug)]
enum Inner {
    /// Of this machine.
    System(std::fs::File),
    /// On a disk that is not mounted.
    Image(ImageFile),
}

impl From<ImageFile> for File {
    fn from(file: ImageFile) -> Self {
        Self {
            file: Inner::Image(file),
            names: None,
        }
    }
}

impl File {
    /// Takes an open file, whatever it is.
    ///
    /// # Errors
    /// [`NotRegular`] inside an [`io::Error`] when it is no regular file.
    pub(crate) fn new(file: std::fs::File) -> io::Result<Self> {
        match Metadata::of_file(&file)?.kind {
            Kind::File => Ok(Self {
                file: Inner::System(file),
                names: None,
            }),
            kind => Err(NotRegular { kind }.into()),
        }
    }

    /// The same file, of which its record tells so many names.
    pub(crate) fn named(self, names: Option<u32>) -> Self {
        Self { names, ..self }
    }

    /// The system's own file, if it is one.
    #[cfg(target_os = "linux")]
    pub(crate) fn as_std(&self) -> Option<&std::fs::File> {
        match &self.file {
            Inner::System(file) => Some(file),
            Inner::Image(_) => None,
        }
    }

    /// What the open file is, even if its name has since gone to another.
    ///
    /// # Errors
    /// What the system reported.
    pub fn metadata(&self) -> io::Result<Metadata> {
        match &self.file {
            Inner::System(file) => Metadata::of_file(file),
            Inner::Image(file) => file.metadata(),
        }
    }

    /// The length in bytes.
    ///
    /// # Errors
    /// What the system reported.
    #[expect(clippy::len_without_is_empty, reason = "the length can fail")]
    pub fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len)
    }

    /// Which file this is, for as long as it is open.
    ///
    /// # Errors
    /// What the system reported.
    pub fn identity(&self) -> io::Result<Identity> {
        Ok(self.metadata()?.identity)
    }

    /// How many names (hard links) the file has; its name for DOS is none of them.
    ///
    /// # Errors
    /// What the system reported.
    pub fn names(&self) -> io::Result<u64> {
        let recorded = self.names.map_or(0, u64::from);
        let links = self.metadata()?.links;
        #[cfg(target_os = "linux")]
        if let Inner::System(file) = &self.file
            && links > 1
        {
            let short = u64::from(crate::security::counts_short_name(file));
            return Ok(links.saturating_sub(short).max(recorded));
        }
        Ok(links.max(recorded))
    }

    /// Fills `buf` from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] when the file ends before, or what the system reported;
    /// what `buf` then holds is not defined.
    pub fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        match &self.file {
            Inner::System(file) => positioned::read_exact_at(file, buf, offset),
            Inner::Image(file) => file.read_exact_at(buf, offset),
        }
    }

    /// Writes all of `data` at `offset`, beyond the end if need be.
    ///
    /// # Errors
    /// What the system reported; part of `data` may have been written.
    pub fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        match &self.file {
            Inner::System(file) => positioned::write_all_at(file, data, offset),
            Inner::Image(file) => file.write_all_at(data, offset),
        }
    }

    /// Makes the file `len` bytes long; new bytes are zero.
    ///
    /// # Errors
    /// What the system reported.
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        match &self.file {
            Inner::System(file) => file.set_len(len),
            Inner::Image(file) => file.set_len(len),
        }
    }

    /// Whether the file can be made `len` bytes long and written in these extents, each an offset
    /// and a length in bytes. Of a mounted volume only writing tells.
    ///
    /// # Errors
    /// Why it can't.
    pub fn check_room(&self, len: u64, extents: &[(u64, u64)]) -> io::Result<()> {
        match &self.file {
            Inner::System(_) => Ok(()),
            Inner::Image(file) => file.check_room(len, extents),
        }
    }

    /// Bytes that are stored of a file of at least 512 bytes, if some can be left out and its file
    /// system tells.
    ///
    /// # Errors
    /// Whatever the system reports.
    pub(crate) fn stored_len(&self) -> io::Result<Option<u64>> {
        match &self.file {
            Inner::System(file) => stored(file),
            Inner::Image(file) => Ok(file.stored_len()),
        }
    }

    /// Whether the bytes that the file has can be changed where they lie. Of a mounted volume only
    /// writing tells.
    ///
    /// # Errors
    /// Why they can't.
    pub fn check_in_place(&self) -> io::Result<()> {
        match &self.file {
            Inner::System(_) => Ok(()),
            Inner::Image(file) => file.check_in_place(),
        }
    }

    /// Returns when everything written so far, and the length, is durable.
    ///
    /// # Errors
    /// What the system reported; none of what was written since the last success may then be
    /// taken for durable, and a second call may report success wrongly.
    pub fn sync_all(&self) -> io::Result<()> {
        match &self.file {
            Inner::System(file) => file.sync_all(),
            Inner::Image(file) => file.sync(),
        }
    }

    /// Takes the exclusive advisory lock without waiting; it is released when the file is closed.
    ///
    /// On Windows the lock is mandatory: until then no other handle can read or write the file. A
    /// file on a disk that is not mounted needs none: the disk as a whole is locked.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] when someone else holds it, through this process or another.
    pub fn try_lock_exclusive(&self) -> Result<(), TryLockError> {
        match &self.file {
            Inner::System(file) => file.try_lock(),
            Inner::Image(_) => Ok(()),
        }
    }
}

/// Bytes that are stored of a long file of this machine. Some file systems tell of none whatever they
/// hold: only a file that begins with nothing as well is believed to be nothing.
#[cfg(unix)]
fn stored(file: &std::fs::File) -> io::Result<Option<u64>> {
    use std::os::unix::fs::MetadataExt;

    /// What the system counts in.
    const BLOCK: u64 = 512;

    // What was written a moment ago may not have its place yet, and would count as a hole.
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
