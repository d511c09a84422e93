//! Which guards are asked before a target is read, written or taken back.

use diskmend_disk::{GuardError, Target, guard};

use crate::error::Error;

/// The guards that every write to a target asks.
pub(crate) fn guards(target: &Target, windows: bool) -> Result<(), Error> {
    guard::not_own_disk(target)?;
    if windows {
        guard::not_decrypted_image(target)?;
        guard::windows_volume(target)?;
    }
    guard::not_hibernated(target)?;
    guard::writable(target)?;
    Ok(())
}

/// The guards that an undo asks. Whether the volume of an unmounted disk can be written to is asked
/// later, by `Site::fit_for_writing`: restoring the disk by its record does not depend on it.
pub(crate) fn undo_guards(target: &Target) -> Result<(), Error> {
    guard::not_own_disk(target)?;
    match guard::not_hibernated(target) {
        // Whatever keeps it from being looked at does not keep the record from being used.
        Err(error) if target.disk().is_none() || matches!(error, GuardError::Hibernated) => {
            return Err(error.into());
        }
        _ => {}
    }
    guard::restorable(target)?;
    Ok(())
}

/// The guards that reading a target asks.
pub(crate) fn reading_guards(target: &Target) -> Result<(), Error> {
    guard::not_decrypted_image(target)?;
    guard::windows_volume(target)?;
    Ok(())
}

/// The guards that reading a boot volume asks.
pub(crate) fn reading_guards_of_boot_volume(target: &Target) -> Result<(), Error> {
    Ok(guard::not_decrypted_image(target)?)
}
