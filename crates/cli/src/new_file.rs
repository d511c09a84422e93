//! New files for results; an existing file is never overwritten.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::exit::Exit;
use crate::failure::Failure;

/// Creates the file, lets `write` fill it, and makes sure that it is on disk.
pub(crate) fn write<T>(
    path: &Path,
    write: impl FnOnce(&File) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let failed = failed(path);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(path),
            _ => failed(error),
        })?;
    let result = write(&file)?;
    file.sync_all().map_err(failed)?;
    Ok(result)
}

/// Fails if a file with this name exists. [`write_whole`] does so too, but only at the end.
pub(crate) fn must_be_new(path: &Path) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(_) => Err(taken(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(path)(error)),
    }
}

/// The folder that would contain the file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Fails if [`write_whole`] could not create the file now: if there is a file with this name, or if
/// none can be created in its folder.
pub(crate) fn can_be_made(path: &Path) -> Result<(), Failure> {
    must_be_new(path)?;
    if path.file_name().is_none() {
        let message = format_args!("{}: this names no file", path.display()).to_string();
        return Err(Failure::new(Exit::Failure, message));
    }
    let file = temporary_in(folder_of(path)).map_err(failed(path))?;
    file.close().map_err(failed(path))
}

/// Creates the file with these bytes. It gets its name when all of it is on disk, so that nobody
/// ever reads a part of it.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = folder_of(path);
    let mut file = temporary_in(folder).map_err(failed(path))?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.as_file().sync_all());
    written.map_err(failed(path))?;
    file.persist_noclobber(path)
        .map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => taken(path),
            _ => failed(path)(error.error),
        })?;
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed(path))?;
    Ok(())
}

/// A file without a lasting name. As for any other file, the user's mask takes its part of the
/// permissions.
#[cfg(unix)]
fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt as _;
    tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

#[cfg(not(unix))]
fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(folder)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Failure {
    let shown = path.display().to_string();
    move |error| Failure::of(Exit::Failure, &error).context(format_args!("{shown}: cannot write"))
}

fn taken(path: &Path) -> Failure {
    let message = format_args!("{}: already exists", path.display()).to_string();
    Failure::new(Exit::Failure, message).hint("choose another name: diskmend overwrites no file")
}
