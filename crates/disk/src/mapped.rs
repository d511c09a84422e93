//! A whole file in memory.

use std::io;

use diskmend_base::Buffer;

use crate::file::File;
#[cfg(target_os = "linux")]
use crate::mapping::Mapping;

/// The number of bytes in one read, if the file is read and not mapped.
const CHUNK: usize = 1 << 20;

/// A file up to this length may have any holes.
const FREE_LEN: u64 = 64 << 20;
/// A longer file may have at most this number of bytes for each stored byte.
const MAX_RATIO: u64 = 64;

/// A private copy of a whole file in memory. Changes stay in memory; only explicit writes to the
/// [`File`] reach the disk.
///
/// On Linux the file is mapped copy-on-write. If it is in the page cache, that takes a few percent
/// of the time of reading it. On other systems, and if mapping fails, the file is read.
///
/// # What a mapping shows
/// A page that was never written through [`bytes_mut`](Buffer::bytes_mut) belongs to the page
/// cache. If this or another process writes to the file meanwhile, such a page may show the new
/// bytes. If another process shortens the file, touching a page beyond its end kills the process
/// (SIGBUS). The same happens if memory pressure dropped a page and the disk fails when it is read
/// again. Both are acceptable here: the caller holds the target's lock, all pages are read and
/// checked for errors before [`open`](Self::open) returns, and the transaction protocol recovers
/// the disk from the state that a killed process leaves. Whoever writes the file in place should
/// write only bytes that are already in this copy.
#[derive(Debug)]
pub struct MappedFile {
    backing: Backing,
}

#[derive(Debug)]
enum Backing {
    #[cfg(target_os = "linux")]
    Mapping(Mapping),
    Memory(Vec<u8>),
}

impl MappedFile {
    /// Copies all of `file`, with room to [`grow`](Buffer::grow) by `reserve` bytes without being
    /// moved.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`] if the file is longer than `max_len` bytes,
    /// [`io::ErrorKind::InvalidData`] if hardly any of a long file is stored,
    /// [`io::ErrorKind::OutOfMemory`], or the system's error for a part that can't be read.
    pub fn open(file: &dyn File, reserve: usize, max_len: u64) -> io::Result<Self> {
        Self::open_looking(file, reserve, max_len, &mut |_, _| ())
    }

    /// Like [`open`](Self::open). `look` gets all bytes in pieces and in order, each with its
    /// offset, while the others are still being read. If reading starts again at the offset 0, what
    /// it got before does not count. All pieces but the last have a multiple of 1 MiB.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_looking(
        file: &dyn File,
        reserve: usize,
        max_len: u64,
        look: &mut dyn FnMut(usize, &[u8]),
    ) -> io::Result<Self> {
        let len = file.len()?;
        if len > max_len {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("the file has {len} bytes, at most {max_len} are possible"),
            ));
        }
        if len > FREE_LEN
            && let Some(stored) = file.stored_len()?
            && len > stored.saturating_mul(MAX_RATIO)
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the file has {len} bytes, but clusters for only {stored} of them"),
            ));
        }
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let backing = match map(file, len, reserve, look) {
            Some(backing) => backing,
            None => read(file, len, look)?,
        };
        Ok(Self { backing })
    }
}

impl Buffer for MappedFile {
    fn bytes(&self) -> &[u8] {
        match &self.backing {
            #[cfg(target_os = "linux")]
            Backing::Mapping(mapping) => mapping.bytes(),
            Backing::Memory(bytes) => bytes,
        }
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        match &mut self.backing {
            #[cfg(target_os = "linux")]
            Backing::Mapping(mapping) => mapping.bytes_mut(),
            Backing::Memory(bytes) => bytes,
        }
    }

    /// Makes the copy `len` bytes long; new bytes are zero. It never shrinks, and it is unchanged
    /// if there is no room.
    fn grow(&mut self, len: usize) -> io::Result<()> {
        match &mut self.backing {
            #[cfg(target_os = "linux")]
            Backing::Mapping(mapping) => {
                if len > mapping.bytes().len() && !mapping.grow(len) {
                    let mut bytes = Vec::new();
                    bytes
                        .try_reserve(len)
                        .map_err(|_| io::ErrorKind::OutOfMemory)?;
                    bytes.extend_from_slice(mapping.bytes());
                    bytes.resize(len, 0);
                    self.backing = Backing::Memory(bytes);
                }
                Ok(())
            }
            Backing::Memory(bytes) => bytes.grow(len),
        }
    }
}

/// Maps the file; `None` if that isn't possible. A page that can't be read counts as that, too:
/// reading the file then says which part and why.
#[cfg(target_os = "linux")]
fn map(
    file: &dyn File,
    len: usize,
    reserve: usize,
    look: &mut dyn FnMut(usize, &[u8]),
) -> Option<Backing> {
    if len == 0 {
        return None;
    }
    let mut offset = 0;
    let mut look = |piece: &[u8]| {
        look(offset, piece);
        offset += piece.len();
    };
    Mapping::new(file.as_system()?, len, reserve, &mut look)
        .ok()
        .map(Backing::Mapping)
}

#[cfg(not(target_os = "linux"))]
fn map(
    _file: &dyn File,
    _len: usize,
    _reserve: usize,
    _look: &mut dyn FnMut(usize, &[u8]),
) -> Option<Backing> {
    None
}

fn read(file: &dyn File, len: usize, look: &mut dyn FnMut(usize, &[u8])) -> io::Result<Backing> {
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(len)
        .map_err(|_| io::ErrorKind::OutOfMemory)?;
    bytes.resize(len, 0);
    let mut offset = 0;
    for chunk in bytes.chunks_mut(CHUNK) {
        file.read_exact_at(chunk, offset as u64).map_err(|error| {
            let len = chunk.len();
            io::Error::new(
                error.kind(),
                format!("{len} bytes at offset {offset} cannot be read: {error}"),
            )
        })?;
        look(offset, chunk);
        offset = offset.saturating_add(chunk.len());
    }
    Ok(Backing::Memory(bytes))
}
