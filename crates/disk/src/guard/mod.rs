//! Reasons not to change a target, one function each. None of them writes to the target.

mod own_disk;
mod volume;

use std::io;

use crate::dir::Access;
use crate::error::GuardError;
use crate::metadata::Kind;
use crate::target::Target;

pub use own_disk::not_own_disk;
pub use volume::{free_space, not_in_use, require_free, restorable, writable};

/// The folder that only a Windows volume has, from the volume's root.
pub const WINDOWS_FOLDER: [&str; 3] = ["Windows", "System32", "config"];

/// The first bytes of a `hiberfil.sys` that holds a saved session. After a resume Windows
/// overwrites them with `wake` or zeros.
const HIBERNATED: [&[u8; 4]; 2] = [b"hibr", b"HIBR"];

/// The names that dislocker and bdemount give the decrypted volume. It is alone in its folder.
const DECRYPTED_IMAGES: [&str; 2] = ["dislocker-file", "bde1"];

/// Checks that the target is the root of a volume with Windows on it.
///
/// # Errors
/// [`GuardError::NotWindows`], or [`GuardError::Lookup`] if a link is on the way.
pub fn windows_volume(target: &Target) -> Result<(), GuardError> {
    match target.root().find(&WINDOWS_FOLDER)? {
        Some(found) if found.kind() == Kind::Folder => Ok(()),
        _ => Err(GuardError::NotWindows),
    }
}

/// Checks that Windows isn't hibernated. "Fast startup" hibernates it at each shutdown.
///
/// # Errors
/// [`GuardError::Hibernated`], or an error of reading `hiberfil.sys`.
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

/// Checks that the target isn't the folder where a BitLocker tool shows its decrypted image. That
/// image would still have to be mounted.
///
/// # Errors
/// [`GuardError::DecryptedImage`], or an error of listing the root.
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
