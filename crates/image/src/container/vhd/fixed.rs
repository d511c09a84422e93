//! A fixed VHD: the bytes of the disk, then the footer.

use std::io;
use std::sync::Arc;

use super::format::Footer;
use super::write::refuse_suspended;
use crate::container::error::ContainerError;
use crate::device::{Medium, range};

/// The disk in a fixed VHD.
#[derive(Debug)]
pub(crate) struct Fixed {
    medium: Arc<dyn Medium>,
    footer: Footer,
}

impl Fixed {
    /// A disk that ends at the position of `footer`, as the footer says.
    pub(super) fn new(medium: Arc<dyn Medium>, footer: Footer) -> Self {
        Self { medium, footer }
    }

    /// Size of the disk, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.footer.current_size.get()
    }

    /// Fills `buf` from `offset` of the disk on.
    pub(crate) fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        range(offset, buf.len(), self.size())?;
        self.medium.read_exact_at(buf, offset)
    }

    /// Takes bytes of the disk into the record of changes.
    pub(crate) fn keep(&self, offset: u64, len: usize) -> io::Result<()> {
        range(offset, len, self.size())?;
        self.medium.keep(offset, len)
    }

    /// Checks whether it may be written.
    pub(crate) fn check_writable(&self) -> Result<(), ContainerError> {
        refuse_suspended(&self.footer)
    }

    /// Writes `data` at `offset` of the disk.
    pub(crate) fn write(&self, data: &[u8], offset: u64) -> io::Result<()> {
        range(offset, data.len(), self.size())?;
        refuse_suspended(&self.footer)?;
        self.medium.write_all_at(data, offset)
    }
}
