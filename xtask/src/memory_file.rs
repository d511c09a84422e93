//! Files in memory.

use std::collections::HashMap;
use std::io;

use diskmend_hive::Storage;
use diskmend_hive::commit::{HiveFileKind, HiveFiles};

/// A file in memory.
#[derive(Clone, Default)]
pub struct MemoryFile {
    bytes: Vec<u8>,
}

impl MemoryFile {
    /// A file that holds these bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn range(offset: u64, len: usize) -> io::Result<std::ops::Range<usize>> {
    let start = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
    let end = start.checked_add(len).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(start..end)
}

impl Storage for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let bytes = self.bytes.get(range(offset, buf.len())?);
        buf.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        let range = range(offset, data.len())?;
        if self.bytes.len() < range.end {
            self.bytes.resize(range.end, 0);
        }
        if let Some(place) = self.bytes.get_mut(range) {
            place.copy_from_slice(data);
        }
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.bytes.resize(len, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The files of one hive in memory.
pub struct MemoryHive(HashMap<HiveFileKind, MemoryFile>);

impl MemoryHive {
    /// A hive without logs.
    #[must_use]
    pub fn new(primary: Vec<u8>) -> Self {
        Self([(HiveFileKind::Primary, MemoryFile::new(primary))].into())
    }

    /// The bytes of the primary file.
    #[must_use]
    pub fn primary(&self) -> &[u8] {
        self.0
            .get(&HiveFileKind::Primary)
            .map_or(&[], MemoryFile::bytes)
    }
}

impl HiveFiles for MemoryHive {
    fn file(&mut self, kind: HiveFileKind) -> Option<&mut dyn Storage> {
        self.0.get_mut(&kind).map(|file| file as _)
    }

    fn create(&mut self, kind: HiveFileKind) -> io::Result<()> {
        self.0.insert(kind, MemoryFile::default());
        Ok(())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        Ok(())
    }
}
