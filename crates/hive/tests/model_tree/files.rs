//! A hive's files in memory.

use std::collections::HashMap;
use std::io;

use diskmend_hive::commit::{HiveFileKind, HiveFiles};
use diskmend_hive::{LogKind, Logs, Storage};

/// The existing files of a hive.
#[derive(Default)]
pub(crate) struct Files(HashMap<HiveFileKind, Vec<u8>>);

impl Files {
    pub(crate) fn of(primary: Vec<u8>) -> Self {
        Self([(HiveFileKind::Primary, primary)].into())
    }

    pub(crate) fn primary(&self) -> &[u8] {
        &self.0[&HiveFileKind::Primary]
    }

    pub(crate) fn logs(&self) -> Logs {
        let log = |kind| {
            let file = self.0.get(&HiveFileKind::Log(kind));
            file.map(|file| file as &dyn Storage)
        };
        let [single, log1, log2] = LogKind::ALL.map(log);
        let len = self.primary().len() as u64;
        Logs::read(len, single, log1, log2).expect("readable")
    }
}

impl HiveFiles for Files {
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
