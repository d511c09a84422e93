//! Bytes in memory as a medium.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use diskmend_base::bytes;

use crate::device::{Device, Medium, range};

/// The longest medium in memory.
const MAX_LEN: u64 = 256 << 20;

/// Bytes in memory as a medium.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    content: Mutex<Vec<u8>>,
}

impl Memory {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            content: Mutex::new(bytes),
        }
    }

    /// All of it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.content().clone()
    }

    fn content(&self) -> MutexGuard<'_, Vec<u8>> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Device for Memory {
    fn len(&self) -> u64 {
        self.content().len() as u64
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        range(offset, buf.len(), self.len())?;
        let content = self.content();
        let found = bytes::slice(&content, offset as usize, buf.len());
        buf.copy_from_slice(found.expect("inside"));
        Ok(())
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        range(offset, data.len(), self.len())?;
        let mut content = self.content();
        let found = bytes::slice_mut(&mut content, offset as usize, data.len());
        found.expect("inside").copy_from_slice(data);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Medium for Memory {
    fn set_len(&self, len: u64) -> io::Result<()> {
        if len > MAX_LEN {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.content().resize(len as usize, 0);
        Ok(())
    }
}
