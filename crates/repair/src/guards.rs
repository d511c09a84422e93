//! The guards that are checked before a target is read, written or undone.

use diskmend_disk::{GuardError, Target, guard};

use crate::error::Error;

/// The guards for every write to a target.
pub(crate) fn guards(target: &Target, windows: bool) -> Result<(), Error> {
    guards_before_asking(target, windows)?;
    guard::writable(target)?;
    Ok(())
}

/// Those of the guards for every write that open nothing for writing.
pub(crate) fn guards_before_asking(target: &Target, windows: bool) -> Result<(), Error> {
    guard::not_own_disk(target)?;
    if windows {
        guard::not_decrypted_image(target)?;
        guard::windows_volume(target)?;
    }
    guard::not_hibernated(target)?;
    Ok(())
}

/// The guards for an undo. `Site::writes` checks later if the volume of an unmounted disk
/// can be written to, because restoring the disk by its record does not depend on that.
pub(crate) fn undo_guards(target: &Target) -> Result<(), Error> {
    guard::not_own_disk(target)?;
    match guard::not_hibernated(target) {
        // A volume that can't be examined can still be restored by the record.
        Err(error) if target.disk().is_none() || matches!(error, GuardError::Hibernated) => {
            return Err(error.into());
        }
        _ => {}
    }
    guard::restorable(target)?;
    Ok(())
}

/// The guards for reading a target.
pub(crate) fn reading_guards(target: &Target) -> Result<(), Error> {
    guard::not_decrypted_image(target)?;
    guard::windows_volume(target)?;
    Ok(())
}

/// The guards for reading a boot volume.
pub(crate) fn reading_guards_of_boot_volume(target: &Target) -> Result<(), Error> {
    Ok(guard::not_decrypted_image(target)?)
}
