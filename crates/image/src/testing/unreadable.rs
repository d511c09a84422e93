//! A device with bytes that can't be read.

use std::io;

use super::Memory;
use crate::device::Device;

/// Memory in which a read that touches one of some bytes fails.
#[derive(Debug)]
pub(crate) struct Unreadable {
    memory: Memory,
    /// Where they are.
    bad: Vec<u64>,
}

impl Unreadable {
    pub(crate) fn new(bytes: Vec<u8>, bad: &[u64]) -> Self {
        Self {
            memory: Memory::new(bytes),
            bad: bad.to_vec(),
        }
    }
}

impl Device for Unreadable {
    fn len(&self) -> u64 {
        self.memory.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset + buf.len() as u64;
        if self.bad.iter().any(|bad| (offset..end).contains(bad)) {
            return Err(io::Error::other("a bad sector"));
        }
        self.memory.read_exact_at(buf, offset)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        self.memory.write_all_at(data, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.memory.sync()
    }
}
