//! The file of a boot store by its path, edited as any hive file is.

use diskmend_disk::{Dir, LookupError};
use diskmend_hive::Editor;

pub use crate::changes::boot_store::{StoreEdit, store_in};
use crate::changes::boot_store::{observed, refuse_errors};
use crate::documents::RepairReport;
use crate::facts::boot_stores::PLACES;
use crate::hive_file::{self, HivePath};
use crate::progress::Watch;
use crate::site::Options;
use crate::stop::{NotEdited, Stop};

/// The paths of the boot stores on a volume.
///
/// # Errors
/// If a folder on the way can't be read.
pub fn stores_on(root: &dyn Dir) -> Result<Vec<String>, LookupError> {
    let mut found = Vec::new();
    for place in PLACES {
        match root.find(place) {
            Ok(store) => found.extend(store.map(|store| store.path)),
            // A file is on the way, so there is no store below it.
            Err(LookupError::NotAFolder { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// What to do if an edit leaves errors in a store that weren't there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewErrors {
    /// Write nothing.
    Refuse,
    /// Report them.
    Tell,
}

/// Edits the file of a boot store as [`hive_file::edit`] edits a hive.
///
/// # Errors
/// The errors of [`hive_file::edit`], and [`Refusal::StoreUnsound`](crate::Refusal::StoreUnsound)
/// for new errors in the store.
pub fn edit_file<R>(
    path: &HivePath,
    new_errors: NewErrors,
    options: &Options,
    watch: &mut Watch<'_>,
    edit: impl FnOnce(&mut Editor) -> Result<(), Stop<R>>,
) -> Result<(RepairReport, StoreEdit), NotEdited<R>> {
    let shown = path.to_string();
    let edited = hive_file::edit(path, options, watch, |editor| {
        watched(editor, new_errors, &shown, edit)
    });
    edited.map_err(unwrapped)
}

/// Makes an edit in memory as [`hive_file::try_edit`] does. Returns the report if it would write
/// nothing.
///
/// # Errors
/// The reason why [`edit_file`] would refuse the edit.
pub fn try_edit_file<R>(
    path: &HivePath,
    new_errors: NewErrors,
    options: &Options,
    watch: &mut Watch<'_>,
    edit: impl FnOnce(&mut Editor) -> Result<(), Stop<R>>,
) -> Result<Option<RepairReport>, NotEdited<R>> {
    let shown = path.to_string();
    let tried = hive_file::try_edit(path, options, watch, |editor| {
        watched(editor, new_errors, &shown, edit)
    });
    tried.map_err(unwrapped)
}

/// Edits a store, and refuses new errors in it if the caller wants that.
fn watched<R>(
    editor: &mut Editor,
    new_errors: NewErrors,
    shown: &str,
    edit: impl FnOnce(&mut Editor) -> Result<(), Stop<R>>,
) -> Result<StoreEdit, Stop<NotEdited<R>>> {
    let edited = observed(editor, edit).map_err(|stop| match stop {
        Stop::Edit(error) => Stop::Edit(error),
        Stop::Refused(refusal) => Stop::Refused(NotEdited::Refused(refusal)),
    })?;
    if new_errors == NewErrors::Refuse {
        refuse_errors(shown, &edited.problems).map_err(|error| Stop::Refused(error.into()))?;
    }
    Ok(edited)
}

fn unwrapped<R>(error: NotEdited<NotEdited<R>>) -> NotEdited<R> {
    match error {
        NotEdited::Engine(error) => NotEdited::Engine(error),
        NotEdited::Refused(error) => error,
    }
}
