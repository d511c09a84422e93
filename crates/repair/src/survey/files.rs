//! Looking for the files that recipes want to be gone or replaced. Nothing is written.

mod folder;
mod missing;
mod replaced;

use diskmend_disk::{Access, Dir, File, Kind, LookupError};
use jiff::Timestamp;

use super::Survey;
use crate::changes::files::{MAX_BYTES, MAX_COPIED, MAX_FILES, can_change, may_move};
use crate::digest::Content;
use crate::error::{Error, Refusal, chain};
use crate::facts::Facts;
use crate::finding::{JudgedFile, RowState, SeenFile};
use crate::place::Place;
use crate::recipe::{Asking, Recipe};
use crate::rows::{About, JudgeFiles};
use crate::site::Site;

/// The greatest number of names that are read from a folder.
const MOST_NAMES: usize = 1 << 16;

/// What may still be found and read.
struct Budget {
    files: usize,
    bytes: u64,
    /// The bytes of files that are replaced, and of those that replace them.
    copied: u64,
}

impl Budget {
    /// Counts a file.
    ///
    /// # Errors
    /// If there were too many before.
    fn take_file(&mut self, row: &dyn JudgeFiles) -> Result<(), Refusal> {
        let left = self.files.checked_sub(1);
        self.files = left.ok_or_else(|| Refusal::TooManyFiles {
            folder: row.folder().names().join("/"),
            limit: MAX_FILES,
        })?;
        Ok(())
    }
}

/// Looks for the files that the recipes name.
///
/// # Errors
/// If the caller interrupts.
pub(super) fn survey(
    survey: &mut Survey,
    facts: &Facts<'_>,
    asking: &Asking<'_, '_>,
    recipes: &[&Recipe],
) -> Result<(), Error> {
    let mut budget = Budget {
        files: MAX_FILES,
        bytes: MAX_BYTES,
        copied: MAX_COPIED,
    };
    for row in asking.rows(recipes, About::files) {
        facts.go_on()?;
        let found = match row.judge.copy() {
            Some(copy) => replaced::look(facts, (row.judge, copy), &mut budget),
            None if row.judge.is_folder() => folder::look(facts.site, row.judge, &mut budget),
            None => look(facts.site, row.judge, &mut budget),
        };
        match found {
            Ok(found) => {
                for judged in found {
                    survey.files.push(asking.finding(&row, judged)?);
                }
            }
            Err(error @ Error::Interrupted(_)) => return Err(error),
            Err(error) => {
                let path = row.judge.folder().names().join("/");
                survey.skipped.push((Place::Folder(path), error));
            }
        }
    }
    Ok(())
}

fn look(site: &Site, row: &dyn JudgeFiles, budget: &mut Budget) -> Result<Vec<JudgedFile>, Error> {
    let none = |folder: &str| none(folder, row);
    let names = row.folder().names();
    let found = match site.root.as_ref().find(&names) {
        Ok(found) => found.filter(|found| found.kind() == Kind::Folder),
        Err(LookupError::NotAFolder { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let Some(found) = found else {
        return Ok(vec![none(&names.join("/"))]);
    };
    let io = || Error::io(&found.path, "list the folder");
    let folder = found.open_dir().map_err(io())?;
    let listed = folder.names(MOST_NAMES).map_err(io())?;
    let mut files = Vec::new();
    for name in listed.iter().filter(|name| row.name().matches(name)) {
        let path = format!("{}/{name}", found.path);
        let Some(seen) = see(site, (folder.as_ref(), name), (&path, row), budget)? else {
            continue;
        };
        if let Some(state) = row.judge(&seen) {
            files.push(JudgedFile {
                path,
                seen: Some(seen),
                change: row.change(),
                state,
            });
        }
    }
    if files.is_empty() {
        files.push(none(&found.path));
    }
    Ok(files)
}

/// The finding if there is no such file.
fn none(folder: &str, row: &dyn JudgeFiles) -> JudgedFile {
    JudgedFile {
        path: format!("{folder}/{}", row.name()),
        seen: None,
        change: row.change(),
        state: RowState::Ok,
    }
}

/// Looks at a file; `None` if it was removed meanwhile. Its content is only read if it is a file
/// that the row is about and that can be moved.
fn see(
    site: &Site,
    (folder, name): (&dyn Dir, &str),
    (path, row): (&str, &dyn JudgeFiles),
    budget: &mut Budget,
) -> Result<Option<SeenFile>, Error> {
    let io = || Error::io(path, "look at the file");
    let metadata = match folder.metadata(name) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io()(error)),
    };
    let mut seen = SeenFile::of_len(metadata.len);
    if metadata.kind != Kind::File {
        seen.problem = Some(format!("it is {}", metadata.kind));
        return Ok(Some(seen));
    }
    let file = match folder.open(name, Access::Read) {
        Ok(file) => file,
        Err(error) => {
            seen.problem = Some(format!("it can't be read: {error}"));
            return Ok(Some(seen));
        }
    };
    seen.modified = modified(file.as_ref());
    if row.judge(&seen).is_none() {
        return Ok(Some(seen));
    }
    budget.take_file(row)?;
    seen.problem = may_move(site, folder, file.as_ref(), (path, row.change())).err();
    if seen.problem.is_none() {
        match budget.bytes.checked_sub(metadata.len) {
            None => {
                seen.problem = Some(format!(
                    "the files of one run have at most {} MiB",
                    MAX_BYTES >> 20
                ));
            }
            Some(left) => {
                budget.bytes = left;
                match Content::of_file(file.as_ref()) {
                    Ok(content) => seen.content = Some(content),
                    Err(error) => {
                        let error = io()(error);
                        seen.problem = Some(chain(&error));
                    }
                }
            }
        }
    }
    drop(file);
    if seen.problem.is_none() {
        seen.problem = can_change(site, (folder, name), (row.change(), 0)).err();
    }
    Ok(Some(seen))
}

/// When the content of a file was last changed, if the disk tells it.
fn modified(file: &dyn File) -> Option<Timestamp> {
    let time = file.modified().ok()??;
    Timestamp::try_from(time).ok()
}
