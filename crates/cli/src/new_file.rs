//! A new file for a result; an existing file is never overwritten.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use crate::exit::Exit;
use crate::failure::Failure;

/// Creates the file, lets `write` fill it, and makes sure that it is on disk.
pub(crate) fn write<T>(
    path: &Path,
    write: impl FnOnce(&File) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let shown = path.display();
    let failed = |error: io::Error| {
        Failure::of(Exit::Failure, &error).context(format_args!("{shown}: cannot write"))
    };
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                Failure::new(Exit::Failure, format_args!("{shown}: already exists"))
                    .hint("choose another name: diskmend overwrites no file")
            }
            _ => failed(error),
        })?;
    let result = write(&file)?;
    file.sync_all().map_err(failed)?;
    Ok(result)
}
