//! Moving files back. Nothing that has come later is replaced.

use super::UndoneFiles;
use super::look::{Standing, look};
use crate::error::{Error, chain};
use crate::progress::{Phase, Watch};
use crate::run::{FileMove, Journal, MovedTo, RunFolder};
use crate::site::Site;

/// Moves the files of a run back. If one fails, the others are moved nevertheless. `None` if the run
/// had moved none.
pub(crate) fn undo(
    site: &Site,
    run: &RunFolder,
    journal: &Journal,
    watch: &mut Watch<'_>,
) -> Option<UndoneFiles> {
    let entry = journal.files.as_ref()?;
    let mut undone = UndoneFiles::default();
    watch.committed(Phase::MovingFilesBack, &site.display);
    for (index, file) in entry.moves.iter().enumerate().rev() {
        let number = index + 1;
        let path = &file.path;
        let is_kept = matches!(file.to, MovedTo::Kept(_)) && !file.created;
        let places = match look(site, run, (number, file)) {
            Ok(Some(places)) => places,
            Ok(None) => {
                undone
                    .left_alone
                    .add(path, "its folder doesn't exist any more");
                undone.kept += u64::from(is_kept);
                continue;
            }
            Err(error) => {
                undone.failed.add(path, chain(&error));
                continue;
            }
        };
        match places.standing {
            Standing::Old => undone.already += 1,
            Standing::Moved if places.is_gone_for_good() => {
                let kept = MovedTo::kept_name(number);
                let reason = format!(
                    "diskmend makes no file on an unmounted NTFS volume; its content is {kept} in \
                     the folder {}.files of the runs",
                    run.id
                );
                undone.left_alone.add(path, reason);
                undone.kept += 1;
            }
            Standing::Moved | Standing::Half | Standing::Both => match places.take_back() {
                Ok(()) => undone.is_back(file),
                Err(error) => undone.failed.add(path, chain(&error)),
            },
            Standing::Taken => {
                let reason = match &file.to {
                    _ if file.created => {
                        "it is no longer the file that the run had made".to_owned()
                    }
                    MovedTo::Kept(name) => format!(
                        "something else has its name now; it is {name} in the folder {}.files of \
                         the runs",
                        run.id
                    ),
                    MovedTo::Renamed(name) => {
                        format!("something else has its name now; it is {name}")
                    }
                };
                undone.left_alone.add(path, reason);
                undone.kept += u64::from(is_kept);
            }
            Standing::Gone => undone.left_alone.add(
                path,
                "the file is not where the run had put it, or was changed there",
            ),
        }
    }
    Some(undone)
}

impl UndoneFiles {
    /// Notes a file that is as before the run.
    fn is_back(&mut self, file: &FileMove) {
        let list = if file.created {
            &mut self.removed
        } else {
            &mut self.put_back
        };
        list.push(file.path.clone());
    }
}

/// What restoring the sectors of a disk does for the files of a run. `None` if it had moved none.
/// What can't be read now is passed to `unknown`.
pub(crate) fn to_undo(
    site: &Site,
    run: &RunFolder,
    journal: &Journal,
    mut unknown: impl FnMut(&str, Error),
) -> Option<UndoneFiles> {
    let entry = journal.files.as_ref()?;
    let mut undone = UndoneFiles::default();
    for (number, file) in (1..).zip(&entry.moves) {
        match look(site, run, (number, file)) {
            Ok(Some(places)) if places.standing == Standing::Old => undone.already += 1,
            Ok(_) => undone.is_back(file),
            Err(error) => unknown(&file.path, error),
        }
    }
    Some(undone)
}

/// Notes in the journal what the run still keeps.
pub(crate) fn settle(journal: &mut Journal, undone: Option<&UndoneFiles>) {
    if let (Some(entry), Some(undone)) = (&mut journal.files, undone) {
        entry.left = undone.kept;
    }
}

/// An error for a rollback that could not move every file back.
pub(crate) fn all_back(undone: Option<&UndoneFiles>) -> Result<(), Error> {
    let Some(undone) = undone else { return Ok(()) };
    let mut missed = undone.failed.listed.iter().chain(&undone.left_alone.listed);
    match missed.next() {
        None => Ok(()),
        Some(first) => Err(Error::NotMovedBack {
            path: first.path.clone(),
            reason: first.reason.clone(),
        }),
    }
}
