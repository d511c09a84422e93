//! The files of a hive in memory.

use std::collections::HashMap;
use std::io;

use diskmend_hive::Storage;
use diskmend_hive::commit::{HiveFileKind, HiveFiles};

/// The files of one hive in memory.
pub struct MemoryHive(HashMap<HiveFileKind, Vec<u8>>);

impl MemoryHive {
    /// A hive without logs.
    #[must_use]
    pub fn new(primary: Vec<u8>) -> Self {
        Self([(HiveFileKind::Primary, primary)].into())
    }

    /// The bytes of the primary file.
    #[must_use]
    pub fn primary(&self) -> &[u8] {
        self.0
            .get(&HiveFileKind::Primary)
            .map_or(&[], Vec::as_slice)
    }
}

impl HiveFiles for MemoryHive {
    fn file(&mut self, kind: HiveFileKind) -> Option<&mut dyn Storage> {
        self.0.get_mut(&kind).map(|file| file as _)
    }

    fn create(&mut self, kind: HiveFileKind) -> io::Result<()> {
        self.0.insert(kind, Vec::new());
        Ok(())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        Ok(())
    }
}
