//! The name of the folder for undo data in a mounted target.

use diskmend_disk::{GuardError, Kind, Target, guard};

use crate::error::{Error, Refusal};
use crate::run::{STATE_FOLDER, STATE_FOLDER_BESIDE_PROGRAM};

/// The name of the folder for undo data in a folder: `diskmend`. The program has this name too, and
/// may lie beside a hive that is not part of a Windows: then another name is used, also after the
/// program was moved away. On a Windows volume a file with the name is not expected, and the folder
/// is refused when it is opened.
///
/// # Errors
/// [`Refusal::TwoStateFolders`]: a run that did not end could be in either.
pub(crate) fn state_name(target: &Target) -> Result<&'static str, Error> {
    if !matches!(guard::windows_volume(target), Err(GuardError::NotWindows)) {
        return Ok(STATE_FOLDER);
    }
    let Ok(usual) = target.root().find(&[STATE_FOLDER]) else {
        return Ok(STATE_FOLDER);
    };
    let other = match target.root().find(&[STATE_FOLDER_BESIDE_PROGRAM]) {
        Ok(found) => found.is_some_and(|found| found.kind() == Kind::Folder),
        // A link, which is refused when it is opened.
        Err(_) => true,
    };
    match (usual.map(|found| found.kind()), other) {
        (Some(Kind::File), _) | (None, true) => Ok(STATE_FOLDER_BESIDE_PROGRAM),
        (_, false) => Ok(STATE_FOLDER),
        (Some(_), true) => Err(Refusal::TwoStateFolders {
            names: [STATE_FOLDER, STATE_FOLDER_BESIDE_PROGRAM],
        }
        .into()),
    }
}
