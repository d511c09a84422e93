//! Editing a store, and what a boot program reads from it before and after.

use diskmend_bcd::check::{self, Level, Problem};
use diskmend_bcd::{Change, ChangeError, Listing, Store, StoreError};
use diskmend_hive::{Corruption, Editor};

use crate::error::{Error, Refusal};
use crate::stop::Stop;

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

/// Edits a store, and says what the edit means.
pub(crate) fn observed<R>(
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

/// Refuses problems that are errors.
pub(crate) fn refuse_errors(path: &str, problems: &[Problem]) -> Result<(), Error> {
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
