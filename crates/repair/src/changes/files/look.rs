//! Where a file of a run is now.

use std::io;

use diskmend_disk::{Access, Dir, Found, Identity, Kind, LookupError};

use super::Listing;
use super::on_image::overwrite;
use crate::digest::Content;
use crate::error::{Error, chain};
use crate::run::journal::valid::components;
use crate::run::trust::Mac;
use crate::run::{FileMove, FilesEntry, MovedTo, NewFile, RunFolder};
use crate::site::Site;

/// What has a name.
enum Side {
    /// Nothing.
    Nothing,
    /// The file of the run, with the content that the journal says.
    Ours(Identity),
    /// Something else.
    Other,
}

/// Where a file of a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has its old name; or it doesn't exist, if the run makes it.
    Old,
    /// It was moved.
    Moved,
    /// It has both names, because renaming was interrupted.
    Both,
    /// It was moved, and something else has its old name.
    Taken,
    /// It was moved, and the file that takes its place is still in the run.
    Half,
    /// It isn't where the run put it, or it was changed there.
    Gone,
}

/// The two places of a file.
pub(super) struct Places<'a> {
    pub(super) path: &'a str,
    pub(super) folder: Box<dyn Dir>,
    pub(super) name: &'a str,
    /// `None` if the run's own folder doesn't exist any more.
    pub(super) new_folder: Option<Box<dyn Dir>>,
    pub(super) new_name: &'a str,
    /// The name in the run's folder of the file that takes its place, if one does.
    staged: Option<String>,
    /// True if that file is there.
    is_staged: bool,
    /// True if it is a folder.
    is_folder: bool,
    /// True if there was no such file before the run.
    pub(super) is_created: bool,
    /// If the disk isn't mounted: what the run has of the file.
    on_image: Option<Kept>,
    pub(super) standing: Standing,
}

/// What a run has of a file of a disk that isn't mounted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// A copy.
    Copy,
    /// It should have a copy, and has none.
    Lost,
    /// Nothing: the file gets another name.
    Nothing,
}

impl Places<'_> {
    /// Moves the file to its new place, durably. On a disk that isn't mounted, a file that is
    /// replaced has its new content then.
    pub(super) fn make(&self) -> Result<(), Error> {
        let durable = || {
            if let Some(kept) = self.on_image {
                match (&self.staged, kept) {
                    (Some(staged), _) => self.overwrite(staged)?,
                    (None, Kept::Nothing) => self.rename(self.name, self.new_name)?,
                    (None, Kept::Copy | Kept::Lost) => self.folder.remove_file(self.name)?,
                }
                return self.folder.sync();
            }
            let new_folder = self.new_folder()?;
            match self.standing {
                _ if self.is_folder => self.folder.rename_folder(self.name, self.new_name)?,
                Standing::Both => self.folder.remove_file(self.name)?,
                _ => self.folder.move_to(self.name, new_folder, self.new_name)?,
            }
            // The other way around, a power failure could leave neither name.
            new_folder.sync()?;
            self.folder.sync()
        };
        durable().map_err(Error::io(self.path, "move the file"))
    }

    /// Gives it another name in its folder, on a disk that isn't mounted.
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if self.is_folder {
            self.folder.rename_folder(from, to)
        } else {
            self.folder.rename(from, to)
        }
    }

    /// True if the run has all that it needs: the file that takes its place, if one does, and on a
    /// disk that isn't mounted a copy of a file that goes.
    pub(super) fn can_be_made(&self) -> bool {
        (self.staged.is_none() || self.is_staged) && self.on_image != Some(Kept::Lost)
    }

    /// True if the disk isn't mounted.
    pub(super) const fn is_on_image(&self) -> bool {
        self.on_image.is_some()
    }

    /// True if only the record of sectors can bring the file back: no file can be made there.
    pub(super) fn is_gone_for_good(&self) -> bool {
        self.staged.is_none() && !matches!(self.on_image, None | Some(Kept::Nothing))
    }

    /// Gives the file the content of one in the run.
    fn overwrite(&self, with: &str) -> io::Result<()> {
        overwrite(
            (self.folder.as_ref(), self.name),
            (self.new_folder()?, with),
        )
    }

    /// Moves the file that takes its place there, durably.
    pub(super) fn replace(&self) -> Result<(), Error> {
        let Some(staged) = &self.staged else {
            return Ok(());
        };
        let durable = || {
            let new_folder = self.new_folder()?;
            new_folder.move_to(staged, self.folder.as_ref(), self.name)?;
            self.folder.sync()?;
            new_folder.sync()
        };
        durable().map_err(Error::io(self.path, "put the new file in its place"))
    }

    /// Moves the file that took its place back into the run, durably.
    fn unreplace(&self) -> io::Result<()> {
        let Some(staged) = self
            .staged
            .as_ref()
            .filter(|_| self.standing == Standing::Moved)
        else {
            return Ok(());
        };
        let new_folder = self.new_folder()?;
        if self.is_staged {
            // Moving it was interrupted, and it has both names.
            self.folder.remove_file(self.name)?;
        } else {
            self.folder.move_to(self.name, new_folder, staged)?;
        }
        new_folder.sync()?;
        self.folder.sync()
    }

    fn new_folder(&self) -> io::Result<&(dyn Dir + 'static)> {
        let folder = self.new_folder.as_deref();
        folder.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Moves the file back to its old place, durably. Nothing is replaced.
    pub(super) fn take_back(&self) -> Result<(), Error> {
        let durable = || {
            if let Some(kept) = self.on_image {
                match (&self.staged, kept) {
                    (Some(_), _) => self.overwrite(self.new_name)?,
                    (None, Kept::Nothing) => self.rename(self.new_name, self.name)?,
                    (None, Kept::Copy | Kept::Lost) => {
                        return Err(io::ErrorKind::Unsupported.into());
                    }
                }
                return self.folder.sync();
            }
            let new_folder = self.new_folder()?;
            self.unreplace()?;
            if self.is_created {
                return Ok(());
            }
            match self.standing {
                _ if self.is_folder => self.folder.rename_folder(self.new_name, self.name)?,
                Standing::Both => new_folder.remove_file(self.new_name)?,
                _ => new_folder.move_to(self.new_name, self.folder.as_ref(), self.name)?,
            }
            self.folder.sync()?;
            new_folder.sync()
        };
        durable().map_err(Error::io(self.path, "move the file back"))
    }
}

/// Looks where a file is. `None` if its folder doesn't exist any more.
///
/// # Errors
/// If the disk can't be read.
pub(super) fn look<'a>(
    site: &Site,
    run: &RunFolder,
    (number, entry): (usize, &'a FileMove),
) -> Result<Option<Places<'a>>, Error> {
    let path = entry.path.as_str();
    let io = || Error::io(path, "look at the file");
    let names = components(path).map_err(|what| run.damaged_journal(&what))?;
    let Some((name, above)) = names.split_last() else {
        return Err(run.damaged_journal("a file without a name"));
    };
    let folder = match above {
        [] => site.root.try_clone().map_err(io())?,
        above => match site.root.as_ref().find(above) {
            Ok(Some(found)) if found.kind() == Kind::Folder => found.open_dir().map_err(io())?,
            Ok(_) | Err(LookupError::Link { .. } | LookupError::NotAFolder { .. }) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        },
    };
    let (new_folder, new_name) = match &entry.to {
        MovedTo::Kept(kept) => (run.kept_folder()?, kept.as_str()),
        MovedTo::Renamed(new) => (Some(folder.try_clone().map_err(io())?), new.as_str()),
    };
    let old = Wanted {
        path,
        name: MovedTo::kept_name(number),
        is_folder: entry.folder.is_some(),
        content: entry.content,
        mac: entry.mac,
    };
    let here = side(folder.as_ref(), name, run, &old)?;
    let there = match &new_folder {
        Some(new_folder) => side(new_folder.as_ref(), new_name, run, &old)?,
        None => Side::Nothing,
    };
    let is_kept = matches!(entry.to, MovedTo::Kept(_));
    let on_image = site.disk.as_ref().map(|_| match (is_kept, &there) {
        (false, _) => Kept::Nothing,
        (true, Side::Ours(_)) => Kept::Copy,
        (true, Side::Nothing | Side::Other) => Kept::Lost,
    });
    let mut standing = match (here, there) {
        (Side::Ours(_), _) if is_kept && on_image.is_some() => Standing::Old,
        (Side::Ours(here), Side::Ours(there)) if here == there => Standing::Both,
        (Side::Ours(_), Side::Nothing) => Standing::Old,
        (Side::Nothing, Side::Ours(_)) => Standing::Moved,
        (_, Side::Ours(_)) => Standing::Taken,
        (_, Side::Nothing | Side::Other) => Standing::Gone,
    };
    let (mut staged, mut is_staged) = (None, false);
    if let Some(new) = &entry.new {
        let wanted = Wanted {
            path,
            name: NewFile::staged_name(number),
            is_folder: false,
            content: new.content,
            mac: new.mac,
        };
        let in_place = side(folder.as_ref(), name, run, &wanted)?;
        let in_run = match &new_folder {
            Some(new_folder) => side(new_folder.as_ref(), &wanted.name, run, &wanted)?,
            None => Side::Nothing,
        };
        is_staged = matches!(in_run, Side::Ours(_));
        standing = match (standing, in_place, in_run) {
            (_, in_place, in_run) if entry.created => made(&in_place, &in_run),
            (_, Side::Ours(_), _) if on_image.is_some() => Standing::Moved,
            (Standing::Moved, ..) if on_image.is_some() => Standing::Gone,
            // If the new file is lost, apply refuses, and undo still brings the old one back.
            (Standing::Moved, ..) => Standing::Half,
            (Standing::Taken, Side::Ours(here), Side::Ours(there)) if here == there => {
                Standing::Moved
            }
            (Standing::Taken, Side::Ours(_), Side::Nothing) => Standing::Moved,
            (standing, ..) => standing,
        };
        staged = Some(wanted.name);
    }
    Ok(Some(Places {
        path,
        folder,
        name,
        new_folder,
        new_name,
        staged,
        is_staged,
        is_folder: entry.folder.is_some(),
        is_created: entry.created,
        on_image,
        standing,
    }))
}

/// Where the file is that a run makes: the place that it is made for, and the run's own folder.
fn made(in_place: &Side, in_run: &Side) -> Standing {
    match (in_place, in_run) {
        (Side::Nothing, _) => Standing::Old,
        (Side::Ours(here), Side::Ours(there)) if here == there => Standing::Moved,
        (Side::Ours(_), Side::Nothing) => Standing::Moved,
        (Side::Ours(_) | Side::Other, _) => Standing::Taken,
    }
}

/// A file that may be at a place.
struct Wanted<'a> {
    /// The path in messages.
    path: &'a str,
    /// The name with which its MAC is made.
    name: String,
    is_folder: bool,
    content: Content,
    mac: Option<Mac>,
}

fn side(folder: &dyn Dir, name: &str, run: &RunFolder, wanted: &Wanted<'_>) -> Result<Side, Error> {
    let io = || Error::io(wanted.path, "read the file");
    let found = match folder.find(&[name]) {
        Ok(None) => return Ok(Side::Nothing),
        Ok(Some(found)) => found,
        // Two names that differ only in case: neither is plainly the file.
        Err(LookupError::Link { .. } | LookupError::Ambiguous { .. }) => return Ok(Side::Other),
        Err(error) => return Err(error.into()),
    };
    if wanted.is_folder {
        return folder_side(&found, run, wanted);
    }
    if found.kind() != Kind::File || found.metadata.len != wanted.content.length {
        return Ok(Side::Other);
    }
    let file = found.open(Access::Read).map_err(io())?;
    if !wanted.content.is_of(file.as_ref()).map_err(io())? {
        return Ok(Side::Other);
    }
    // Only the MAC shows a change that was made on purpose.
    if run
        .check_mac(&wanted.name, file.as_ref(), wanted.mac)
        .is_err()
    {
        return Ok(Side::Other);
    }
    Ok(Side::Ours(file.identity().map_err(io())?))
}

fn folder_side(found: &Found, run: &RunFolder, wanted: &Wanted<'_>) -> Result<Side, Error> {
    let io = || Error::io(wanted.path, "list the folder");
    if found.kind() != Kind::Folder {
        return Ok(Side::Other);
    }
    let listing = match Listing::of(found.open_dir().map_err(io())?.as_ref()) {
        Ok(listing) => listing,
        // The folder of the run had not that much in it.
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Ok(Side::Other),
        Err(error) => return Err(io()(error)),
    };
    let is_same = listing.content() == wanted.content
        && run
            .check_mac(&wanted.name, listing.text(), wanted.mac)
            .is_ok();
    Ok(if is_same {
        Side::Ours(found.metadata.identity)
    } else {
        Side::Other
    })
}

/// Where each file of a run is now, for display. `Err` says why that isn't known.
pub(crate) fn look_at_all<'a>(
    site: &Site,
    run: &RunFolder,
    entry: &'a FilesEntry,
) -> Vec<(&'a FileMove, Result<Standing, String>)> {
    let moves = (1..).zip(&entry.moves);
    let standings = moves.map(|(number, file)| {
        let standing = match look(site, run, (number, file)) {
            Ok(Some(places)) => Ok(places.standing),
            Ok(None) => Err("its folder doesn't exist any more".to_owned()),
            Err(error) => Err(chain(&error)),
        };
        (file, standing)
    });
    standings.collect()
}
