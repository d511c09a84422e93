//! What the integration tests share: files in memory and the external corpus.

use std::io;
use std::path::PathBuf;

use diskmend_hive::{Hive, Opened, Storage, open};

/// The folder of real hives, or a loud note that the test did not run.
pub(crate) fn corpus(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DISKMEND_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        println!("SKIPPED: {test} needs real hives, DISKMEND_CORPUS is not set");
    }
    folder
}

/// A file in memory.
#[derive(Clone, Default)]
pub(crate) struct MemoryFile(pub(crate) Vec<u8>);

impl Storage for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let start = offset as usize;
        let from = self
            .0
            .get(start..start + buf.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(from);
        Ok(())
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        let end = offset as usize + data.len();
        if self.0.len() < end {
            self.0.resize(end, 0);
        }
        self.0[offset as usize..end].copy_from_slice(data);
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.0.resize(len as usize, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The number of keys and of values below and including the root.
pub(crate) fn count(hive: &Hive) -> (usize, usize) {
    let (mut keys, mut values) = (0, 0);
    let mut stack = vec![hive.root().expect("root key")];
    while let Some(key) = stack.pop() {
        keys += 1;
        values += key.values().expect("value list").count();
        for subkey in key.subkeys().expect("subkey list") {
            stack.push(subkey.expect("subkey"));
        }
    }
    (keys, values)
}

/// Opens a hive that must be dirty.
pub(crate) fn open_dirty(file: Vec<u8>) -> diskmend_hive::DirtyHive {
    match open(Box::new(file)).expect("opens") {
        Opened::Dirty(hive) => hive,
        Opened::Clean(_) => panic!("the hive is clean"),
    }
}
