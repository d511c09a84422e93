//! A file as a medium.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::device::{Device, Medium, range};

/// A file of the system, opened for reading and writing.
#[derive(Debug)]
pub(crate) struct FileMedium(File);

impl FileMedium {
    pub(crate) fn open(path: &Path) -> Self {
        let file = File::options().read(true).write(true).open(path);
        Self(file.expect("opens"))
    }
}

impl Device for FileMedium {
    fn len(&self) -> u64 {
        self.0.metadata().expect("has metadata").len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buf, offset)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        range(offset, data.len(), self.len())?;
        self.0.write_all_at(data, offset)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Medium for FileMedium {
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}
