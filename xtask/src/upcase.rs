//! The `$UpCase` file of a new NTFS volume, with which the table in the base crate is compared.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{program, workspace};

/// The size of the volume in bytes.
const SIZE: u64 = 8 << 20;
/// The record number of `$UpCase` in the master file table.
const RECORD: &str = "10";

/// Extracts the `$UpCase` file that mkntfs makes, and returns the path of the copy.
///
/// # Errors
/// If ntfs-3g is not installed, or the file can't be written.
pub(crate) fn of_mkntfs() -> Result<PathBuf> {
    let folder = workspace::output("upcase")?;
    let (image, table) = (folder.join("volume.img"), folder.join("upcase"));
    File::create(&image)?.set_len(SIZE)?;
    let volume = image.to_string_lossy();
    let make = ["--force", "--quiet", "--fast", &*volume];
    program::stdout(Path::new("mkntfs"), &make)?;
    let read = ["--inode", RECORD, &*volume];
    fs::write(&table, program::stdout(Path::new("ntfscat"), &read)?)?;
    Ok(table)
}
