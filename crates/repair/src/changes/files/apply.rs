//! Moving files.

use diskmend_disk::{Access, Found, Kind};

use super::look::{Places, Standing, look};
use super::staged;
use super::{FilesChange, Listing};
use crate::error::{Error, Refusal};
use crate::finding::{FileChangeKind, JudgedFile};
use crate::progress::{Phase, Watch};
use crate::run::{FileMove, FilesEntry, Journal, MovedTo, RunFolder};
use crate::site::Site;

/// Notes the files that a run will move, as they are now. Nothing is moved.
///
/// # Errors
/// [`Refusal::Changed`] if a file isn't the one that was planned any more.
pub(crate) fn record(
    site: &Site,
    run: &RunFolder,
    change: &FilesChange,
) -> Result<FilesEntry, Error> {
    let mut moves = Vec::new();
    for (number, finding) in (1..).zip(&change.files) {
        let judged = &finding.judged;
        if judged.change == FileChangeKind::Create {
            moves.push(created(site, run, (number, judged))?);
            continue;
        }
        let path = judged.path.clone();
        let changed = || Refusal::Changed { path: path.clone() };
        let names: Vec<&str> = path.split('/').collect();
        let found = site.root.as_ref().find(&names)?.ok_or_else(changed)?;
        if judged.seen.as_ref().is_some_and(|seen| seen.is_folder) {
            moves.push(folder_move(run, &found, (number, judged))?);
            continue;
        }
        if found.kind() != Kind::File {
            return Err(changed().into());
        }
        let io = || Error::io(&path, "read the file");
        let file = found.open(Access::Read).map_err(io())?;
        let planned = judged.seen.as_ref().and_then(|seen| seen.content);
        let content = planned.ok_or_else(changed)?;
        if !content.is_of(file.as_ref()).map_err(io())? || file.names().map_err(io())? != 1 {
            return Err(changed().into());
        }
        let kept = MovedTo::kept_name(number);
        let is_kept = judged.change != FileChangeKind::Rename;
        if site.disk.is_some() && is_kept {
            staged::keep(run, &kept, (&path, file.as_ref(), content))?;
        }
        let mac = run.mac_of(&kept, file.as_ref())?;
        let new = match judged.source() {
            Some(source) => {
                let place = (number, path.as_str(), Some(&found));
                Some(staged::make(site, run, place, source)?)
            }
            None => None,
        };
        let to = match judged.change {
            FileChangeKind::Remove | FileChangeKind::Copy | FileChangeKind::Create => {
                run.make_kept_folder()?;
                MovedTo::Kept(kept)
            }
            FileChangeKind::Rename => MovedTo::Renamed(MovedTo::new_name(&found.name, &run.id)),
        };
        moves.push(FileMove {
            path: found.path,
            to,
            content,
            mac,
            new,
            folder: None,
            created: false,
        });
    }
    Ok(FilesEntry {
        begun: false,
        moves,
        left: 0,
    })
}

/// Notes a folder that is renamed.
fn folder_move(
    run: &RunFolder,
    found: &Found,
    (number, judged): (usize, &JudgedFile),
) -> Result<FileMove, Error> {
    let path = judged.path.clone();
    let io = || Error::io(&judged.path, "list the folder");
    let opened = found.open_dir().map_err(io())?;
    let listing = Listing::of(opened.as_ref()).map_err(io())?;
    let content = listing.content();
    if judged.seen.as_ref().and_then(|seen| seen.content) != Some(content) {
        return Err(Refusal::Changed { path }.into());
    }
    Ok(FileMove {
        path: found.path.clone(),
        to: MovedTo::Renamed(MovedTo::new_name(&found.name, &run.id)),
        content,
        mac: run.mac_of(&MovedTo::kept_name(number), listing.text())?,
        new: None,
        folder: Some(listing.bytes),
        created: false,
    })
}

/// Makes a file that is missing in the run's own folder, and notes it.
fn created(
    site: &Site,
    run: &RunFolder,
    (number, judged): (usize, &JudgedFile),
) -> Result<FileMove, Error> {
    let path = &judged.path;
    let changed = || Refusal::Changed { path: path.clone() };
    let names: Vec<&str> = path.split('/').collect();
    if site.root.as_ref().find(&names)?.is_some() {
        return Err(changed().into());
    }
    let source = judged.source().ok_or_else(changed)?;
    let content = judged.seen.as_ref().and_then(|seen| seen.content);
    run.make_kept_folder()?;
    Ok(FileMove {
        path: path.clone(),
        to: MovedTo::Kept(MovedTo::kept_name(number)),
        content: content.ok_or_else(changed)?,
        mac: None,
        new: Some(staged::make(site, run, (number, path, None), source)?),
        folder: None,
        created: true,
    })
}

/// Moves the files of a run, and makes sure of it. A file that was already moved stays there.
///
/// # Errors
/// If a file can't be moved.
pub(crate) fn apply(
    site: &Site,
    run: &RunFolder,
    journal: &Journal,
    watch: &mut Watch<'_>,
) -> Result<(), Error> {
    let Some(entry) = &journal.files else {
        return Ok(());
    };
    watch.committed(Phase::MovingFiles, &site.display);
    if entry
        .moves
        .iter()
        .any(|file| matches!(file.to, MovedTo::Kept(_)))
    {
        run.make_kept_folder()?;
    }
    for (number, file) in (1..).zip(&entry.moves) {
        let places = places(site, run, (number, file))?;
        let changed = || Refusal::Changed {
            path: file.path.clone(),
        };
        match places.standing {
            Standing::Moved => continue,
            Standing::Old if places.is_created && places.can_be_made() => places.replace()?,
            Standing::Old | Standing::Both if places.can_be_made() => places.make()?,
            Standing::Half => {}
            Standing::Old | Standing::Both | Standing::Taken | Standing::Gone => {
                return Err(changed().into());
            }
        }
        if file.new.is_some() && !file.created && !places.is_on_image() {
            let half = self::places(site, run, (number, file))?;
            if half.standing != Standing::Half || !half.can_be_made() {
                return Err(changed().into());
            }
            half.replace()?;
        }
        if self::places(site, run, (number, file))?.standing != Standing::Moved {
            return Err(Error::ReadBack {
                path: file.path.clone(),
                found: "a file that was not moved".to_owned(),
            });
        }
    }
    Ok(())
}

fn places<'a>(
    site: &Site,
    run: &RunFolder,
    file: (usize, &'a FileMove),
) -> Result<Places<'a>, Error> {
    let places = look(site, run, file)?;
    places.ok_or_else(|| {
        let path = file.1.path.clone();
        Refusal::Changed { path }.into()
    })
}
