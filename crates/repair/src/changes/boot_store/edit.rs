//! Editing a store, and what a boot program reads from it before and after.

use std::path::Path;

use diskmend_bcd::check::{self, Level, Problem};
use diskmend_bcd::{Change, ChangeError, Listing, Store, StoreError};
use diskmend_hive::{Corruption, Editor};

use crate::documents::RepairReport;
use crate::error::{Error, Refusal};
use crate::hive_file;
use crate::progress::Watch;
use crate::site::Options;
use crate::stop::{NotEdited, Stop};

/// What to do if an edit leaves errors in a store that weren't there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewErrors {
    /// Write nothing.
    Refuse,
    /// Report them.
    Tell,
}

/// The result of editing a store.
#[derive(Debug)]
pub struct StoreEdit {
    /// The store before the edit; absent if it couldn't be listed.
    pub before: Option<Listing>,
    /// The store after the edit.
    pub after: Option<Listing>,
    /// The problems that weren't there before.
    pub problems: Vec<Problem>,
}

/// Edits the file of a boot store as [`hive_file::edit`] edits a hive.
///
/// # Errors
/// The errors of [`hive_file::edit`], and [`Refusal::StoreUnsound`] for new errors in the store.
pub fn edit_file<R>(
    path: &Path,
    new_errors: NewErrors,
    options: &Options,
    watch: &mut Watch<'_>,
    edit: impl FnOnce(&mut Editor) -> Result<(), Stop<R>>,
) -> Result<(RepairReport, StoreEdit), NotEdited<R>> {
    let shown = path.display().to_string();
    let edited = hive_file::edit(path, options, watch, |editor| {
        let edited = observed(editor, edit).map_err(|stop| match stop {
            Stop::Edit(error) => Stop::Edit(error),
            Stop::Refused(refusal) => Stop::Refused(NotEdited::Refused(refusal)),
        })?;
        if new_errors == NewErrors::Refuse {
            refuse_errors(&shown, &edited.problems).map_err(|error| Stop::Refused(error.into()))?;
        }
        Ok(edited)
    });
    edited.map_err(|error| match error {
        NotEdited::Engine(error) => NotEdited::Engine(error),
        NotEdited::Refused(error) => error,
    })
}

/// Makes changes in a store. An error that wasn't there before was caused by the changes.
pub(super) fn make<'c>(
    editor: &mut Editor,
    path: &str,
    changes: impl Iterator<Item = &'c Change>,
) -> Result<(), Stop<Error>> {
    let edited = observed(editor, |editor| {
        for change in changes {
            change.apply(editor).map_err(|error| match error {
                ChangeError::Edit(error) => Stop::Edit(error),
                source => Stop::Refused(Error::StoreChange {
                    path: path.to_owned(),
                    source,
                }),
            })?;
        }
        Ok(())
    })?;
    refuse_errors(path, &edited.problems).map_err(Stop::Refused)
}

/// The store that is being edited.
///
/// # Errors
/// If it isn't a boot store.
pub fn store_in(editor: &Editor) -> Result<Store<'_>, StoreError> {
    Store::new(editor.key("")?.ok_or(StoreError::NoObjects)?)
}

fn observed<R>(
    editor: &mut Editor,
    edit: impl FnOnce(&mut Editor) -> Result<(), Stop<R>>,
) -> Result<StoreEdit, Stop<R>> {
    let (before, old) = (listing(editor), problems(editor)?);
    edit(editor)?;
    let mut problems = problems(editor)?;
    problems.retain(|problem| !old.contains(problem));
    Ok(StoreEdit {
        before,
        after: listing(editor),
        problems,
    })
}

fn listing(editor: &Editor) -> Option<Listing> {
    let listing = store_in(editor).and_then(|store| Listing::new(&store, false));
    listing.ok()
}

fn problems(editor: &Editor) -> Result<Vec<Problem>, Corruption> {
    let root = editor.key("")?;
    Ok(root.map_or_else(Vec::new, |root| check::check(root).problems))
}

fn refuse_errors(path: &str, problems: &[Problem]) -> Result<(), Error> {
    let is_error = |problem: &&Problem| problem.level == Level::Error;
    let mut errors = problems.iter().filter(is_error);
    let Some(first) = errors.next() else {
        return Ok(());
    };
    let problem = match errors.count() {
        0 => first.to_string(),
        more => format!("{first}, and {more} more errors"),
    };
    let path = path.to_owned();
    Err(Refusal::StoreUnsound { path, problem }.into())
}
