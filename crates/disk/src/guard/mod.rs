//! Reasons to leave a target alone: one function each. None of them writes to the target.

mod own_disk;
mod volume;

use std::io;

use crate::dir::Access;
use crate::error::GuardError;
use crate::metadata::Kind;
use crate::target::Target;

pub use own_disk::not_own_disk;
pub use volume::{free_space, not_in_use, require_free, restorable, writable};

/// The folder that only a Windows has, from the root of its volume on.
pub const WINDOWS_FOLDER: [&str; 3] = ["Windows", "System32", "config"];

/// First bytes of `hiberfil.sys` that hold a session to come back to. After a resume Windows
/// writes `wake` or zeros over them.
const HIBERNATED: [&[u8; 4]; 2] = [b"hibr", b"HIBR"];

/// Names under which dislocker and bdemount show the decrypted volume, alone in their folder.
const DECRYPTED_IMAGES: [&str; 2] = ["dislocker-file", "bde1"];

/// The target is the root of a volume with Windows on it.
///
/// # Errors
/// [`GuardError::NotWindows`], or [`GuardError::Lookup`] where a link stands on the way.
pub fn windows_volume(target: &Target) -> Result<(), GuardError> {
    match target.root().find(&WINDOWS_FOLDER)? {
        Some(found) if found.kind() == Kind::Folder => Ok(()),
        _ => Err(GuardError::NotWindows),
    }
}

/// Windows is not hibernated, which "fast startup" does at each shutdown.
///
/// # Errors
/// [`GuardError::Hibernated`], or why `hiberfil.sys` could not be read.
pub fn not_hibernated(target: &Target) -> Result<(), GuardError> {
    let Some(found) = target.root().find(&["hiberfil.sys"])? else {
        return Ok(());
    };
    let mut signature = [0; 4];
    let read = found
        .open(Access::Read)
        .and_then(|file| file.read_exact_at(&mut signature, 0));
    match read {
        Ok(()) if HIBERNATED.contains(&&signature) => Err(GuardError::Hibernated),
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        Err(error) => Err(GuardError::io("read hiberfil.sys")(error)),
    }
}

/// The target is not the folder in which a BitLocker tool shows its decrypted image, which is one
/// mount short of a volume.
///
/// # Errors
/// [`GuardError::DecryptedImage`], or why the root could not be listed.
pub fn not_decrypted_image(target: &Target) -> Result<(), GuardError> {
    let names = match target.root().names(1) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Ok(()),
        Err(error) => return Err(GuardError::io("list the target's root")(error)),
    };
    match DECRYPTED_IMAGES.into_iter().find(|image| names == [*image]) {
        Some(name) => Err(GuardError::DecryptedImage { name }),
        None => Ok(()),
    }
}
