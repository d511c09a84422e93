//! Files with holes in place of zeros, accessible to their owner only, because a key that others
//! can read is refused.

use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::Result;

const PAGE: usize = 4096;

/// Writes a file; pages of zeros become holes.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.set_len(bytes.len() as u64)?;
    let mut start = 0;
    for chunk in bytes.chunks(PAGE) {
        if chunk.iter().any(|byte| *byte != 0) {
            file.write_all_at(chunk, start)?;
        }
        start += chunk.len() as u64;
    }
    Ok(())
}
