//! A file of a faulty disk as the medium of an unmounted disk.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use diskmend_base::Storage;
use diskmend_image::device::{Device, Medium, range};

use super::FaultyDisk;
use super::file::{FaultyFile, SECTOR};

/// The size in bytes of one unit of allocated space of an image. A unit of zeros that was never
/// written is a hole.
const BLOCK: usize = 4096;

struct FaultyMedium {
    disk: FaultyDisk,
    node: usize,
}

impl FaultyDisk {
    /// A file in the root folder as a medium.
    pub fn medium(&self, name: &str) -> io::Result<Arc<dyn Medium>> {
        let node = self.node(0, name)?;
        let disk = self.clone();
        Ok(Arc::new(FaultyMedium { disk, node }))
    }
}

impl FaultyMedium {
    fn file(&self) -> FaultyFile {
        FaultyFile::new(self.disk.clone(), self.node)
    }

    /// True if a write to these blocks needs space.
    fn fills_hole(&self, blocks: Range<usize>) -> bool {
        let filled = self.disk.world().filled.clone();
        self.file().with(|bytes, _, _| {
            blocks.into_iter().any(|block| {
                let end = bytes.len().min((block + 1) * BLOCK);
                let zeros = bytes[block * BLOCK..end].iter().all(|byte| *byte == 0);
                zeros && !filled.contains(&(self.node, block))
            })
        })
    }
}

impl fmt::Debug for FaultyMedium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyMedium").finish_non_exhaustive()
    }
}

impl Device for FaultyMedium {
    fn len(&self) -> u64 {
        self.file().with(|bytes, _, _| bytes.len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        range(offset, buf.len(), self.len())?;
        Storage::read_exact_at(&self.file(), buf, offset)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        range(offset, data.len(), self.len())?;
        let what = format!("write {} to the image at {offset}", data.len());
        let offset = offset as usize;
        let blocks = offset / BLOCK..(offset + data.len()).div_ceil(BLOCK);
        let grows = self.fills_hole(blocks.clone());
        let (half, result) = self.disk.operation(&what, grows);
        if half {
            // The whole sectors in the first half of the data.
            let end = (offset + data.len() / 2) / SECTOR * SECTOR;
            let half = &data[..end.saturating_sub(offset)];
            self.file().change_sectors(half, offset);
        }
        result?;
        self.file().change_sectors(data, offset);
        let blocks = blocks.map(|block| (self.node, block));
        self.disk.world().filled.extend(blocks);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Storage::sync(&mut self.file())
    }
}

impl Medium for FaultyMedium {
    fn set_len(&self, len: u64) -> io::Result<()> {
        Storage::set_len(&mut self.file(), len)
    }
}
