//! Compares two hive files without the times at which they were written.

use std::mem::offset_of;

use anyhow::{Context, Result, bail};
use diskmend_hive::format::{BaseBlock, HiveBin, KeyNode};
use diskmend_hive::{Key, Opened};

/// The offset of the first bin; only its timestamp has a meaning.
const FIRST_BIN: usize = size_of::<BaseBlock>();
/// The length of a cell's header in bytes.
const CELL_HEADER_LEN: usize = 4;

/// Checks that both hives are equal.
pub(super) fn expect(a: &[u8], b: &[u8]) -> Result<()> {
    if a.len() != b.len() {
        bail!("{} and {} bytes", a.len(), b.len());
    }
    let (a, b) = (without_times(a)?, without_times(b)?);
    match a.iter().zip(&b).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(at) => bail!("they differ at offset {at:#x}, where no time is kept"),
    }
}

/// The file with zeros in place of the times at which it and its keys were written.
fn without_times(file: &[u8]) -> Result<Vec<u8>> {
    let hive = match diskmend_hive::open(Box::new(file.to_vec()))? {
        Opened::Clean(hive) => hive,
        Opened::Dirty(_) => bail!("the hive is dirty"),
    };
    let mut times = vec![
        (offset_of!(BaseBlock, last_written), size_of::<u64>()),
        (offset_of!(BaseBlock, checksum), size_of::<u32>()),
        (FIRST_BIN + offset_of!(HiveBin, timestamp), size_of::<u64>()),
    ];
    let mut keys = vec![hive.root()?];
    while let Some(key) = keys.pop() {
        times.push((last_written(&key)?, size_of::<u64>()));
        for subkey in key.subkeys()? {
            keys.push(subkey?);
        }
    }
    let mut file = file.to_vec();
    for (offset, len) in times {
        let time = file.get_mut(offset..offset + len);
        time.context("a time beyond the file's end")?.fill(0);
    }
    Ok(file)
}

fn last_written(key: &Key<'_>) -> Result<usize> {
    let cell = usize::try_from(key.cell().in_file().0)?;
    Ok(cell + CELL_HEADER_LEN + offset_of!(KeyNode, last_written))
}
