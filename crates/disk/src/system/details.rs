//! What a file of a mounted volume has besides its content.

use std::io;
use std::path::Path;

use super::SystemDir;
use crate::details::{Details, cannot, only_name, regular};
use crate::dir::{Access, Dir};
use crate::error::not_a_folder;
use crate::metadata::Kind;
use crate::name;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// The details of a file.
pub(super) fn get(folder: &SystemDir, name: &Path) -> io::Result<Details> {
    regular(&folder.dir.metadata(name)?)?;
    system::get(folder, name)
}

/// Gives a file these details.
pub(super) fn set(folder: &SystemDir, name: &Path, details: &Details) -> io::Result<()> {
    regular(&folder.dir.metadata(name)?)?;
    system::set(folder, name, details)
}

/// Checks that a file can be removed and made again.
pub(super) fn can_remove(folder: &SystemDir, name: &Path) -> io::Result<()> {
    let told = name.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
    let file = folder.open(told, Access::Read)?;
    only_name(file.names()?)?;
    drop(file);
    get(folder, name).map(drop)
}

/// Checks that a file can be renamed.
pub(super) fn can_rename(folder: &SystemDir, from: &Path, to: &Path) -> io::Result<()> {
    regular(&folder.dir.metadata(from)?)?;
    is_new(folder, to)
}

/// Checks that a folder can be renamed.
pub(super) fn can_rename_folder(folder: &SystemDir, from: &Path, to: &Path) -> io::Result<()> {
    match folder.dir.metadata(from)?.kind {
        Kind::Folder => is_new(folder, to),
        kind => Err(not_a_folder(kind)),
    }
}

/// Checks that a name doesn't exist in a folder.
fn is_new(folder: &SystemDir, to: &Path) -> io::Result<()> {
    // Some drivers distinguish case, and Windows doesn't.
    for other in folder.dir.names()? {
        if name::same(&other?, to.as_os_str()) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
    }
    Ok(())
}

/// Refuses a file with more streams than its driver shows.
fn check_shown(shown: usize, stored: Option<usize>) -> io::Result<()> {
    if stored.is_some_and(|stored| stored > shown) {
        return Err(cannot("its driver doesn't show its named streams"));
    }
    Ok(())
}
