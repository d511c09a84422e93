//! What undoing a run would change, item by item. It lets a person decide about a run that no known
//! key has sealed. It is computed from the disk's present content and the undo data, and never from
//! what the journal says that the run has done. Nothing is written.

mod hives;

use diskmend_base::count::to_usize;
use diskmend_disk::{Access, Buffer, Dir, Kind, MappedFile};

use crate::changes::descriptors::{self, DescriptorWords};
use crate::changes::files::{self, Standing};
use crate::engine::Engine;
use crate::error::{Error, chain};
use crate::names::same_file;
use crate::restored::FileAction;
use crate::run::journal::valid::MAX_FILE;
use crate::run::{FileEntry, HiveEntry, Journal, MovedTo, RunFolder, on_volume};
use crate::site::Site;
use crate::undo::choose;
use crate::value_data::ValueData;

/// Up to this number of equal bytes between two different ones, both are shown as one piece.
const GAP: usize = 16;

/// One thing that undoing a run would change. Paths and names come from the disk.
#[derive(Debug)]
#[non_exhaustive]
pub enum WouldChange<'a> {
    /// A file gets its old bytes, or is removed.
    File {
        /// Its path.
        path: &'a str,
        /// The action.
        action: FileAction,
        /// Its length now and afterwards.
        length: (Option<u64>, u64),
    },
    /// Bytes of a file.
    Bytes {
        /// The file's path.
        path: &'a str,
        /// Their offset in the file.
        offset: u64,
        /// The bytes now.
        now: &'a [u8],
        /// The bytes afterwards.
        then: &'a [u8],
    },
    /// A key of a hive that is created or deleted, or gets other permissions. Absent permissions
    /// mean that the key doesn't exist.
    Key {
        /// The hive's path.
        path: &'a str,
        /// The key.
        key: &'a str,
        /// Its permissions now, as SDDL.
        now: Option<String>,
        /// Its permissions afterwards.
        then: Option<String>,
    },
    /// A value of a hive.
    Value {
        /// The hive's path.
        path: &'a str,
        /// The key.
        key: &'a str,
        /// Its name.
        name: &'a str,
        /// Its data now; absent if it doesn't exist.
        now: Option<ValueData>,
        /// Its data afterwards.
        then: Option<ValueData>,
    },
    /// The permissions of a file or folder.
    Descriptor {
        /// Its path.
        path: String,
        /// The permissions now, as SDDL, or the reason why they can't be read.
        now: String,
        /// The permissions afterwards.
        then: String,
    },
    /// A file that is moved back.
    Moved {
        /// Its old path, which it gets again.
        path: &'a str,
        /// Its name now: in its folder, or in the run's own folder.
        name: &'a str,
        /// What prevents that, if anything does.
        problem: Option<String>,
    },
    /// Bytes of the disk itself.
    Disk {
        /// Their offset on the disk.
        offset: u64,
        /// The bytes now.
        now: &'a [u8],
        /// The bytes afterwards.
        then: &'a [u8],
    },
    /// Something that couldn't be computed.
    Unknown {
        /// The path that it is about.
        path: &'a str,
        /// The reason.
        reason: String,
    },
}

type Show<'a> = &'a mut dyn FnMut(&WouldChange<'_>);

impl Engine {
    /// Shows everything that undoing the run with this name may change, whoever has sealed it: byte
    /// by byte and in the registry's terms, because either may be done. Nothing is written.
    ///
    /// # Errors
    /// If there is no such run, or if its undo data can't be read; see [`Error`].
    pub fn preview_undo(
        &mut self,
        run: &str,
        show: &mut dyn FnMut(&WouldChange<'_>),
    ) -> Result<(), Error> {
        self.site.state.require_place()?;
        let vouched = std::mem::replace(&mut self.site.judge.vouched, true);
        let shown = preview_site(&self.site, run, show);
        self.site.judge.vouched = vouched;
        shown
    }
}

pub(crate) fn preview_site(site: &Site, run: &str, show: Show<'_>) -> Result<(), Error> {
    let (folder, mut journal) = choose(site, Some(run))?;
    folder.read_changes(&mut journal)?;
    let shorter = site.preview_disk(&folder, &journal, |offset, now, then| {
        show(&WouldChange::Disk { offset, now, then });
    })?;
    if let Some((now, then)) = shorter {
        show(&WouldChange::File {
            path: &site.display,
            action: FileAction::Restored,
            length: (Some(now), then),
        });
    }
    for entry in journal.hives.iter().rev() {
        let root = site.root_of(entry.volume.as_deref())?;
        for file in &entry.files {
            bytes(root.dir(), &folder, (entry, file), show)?;
        }
        reversals(root.dir(), entry, show)?;
    }
    moves(site, &folder, &journal, show)?;
    permissions(site, &folder, &journal, show)
}

/// The files that would be moved back.
fn moves(site: &Site, folder: &RunFolder, journal: &Journal, show: Show<'_>) -> Result<(), Error> {
    let Some(entry) = &journal.files else {
        return Ok(());
    };
    files::check_scope(folder, journal)?;
    for (file, standing) in files::look_at_all(site, folder, entry) {
        let (MovedTo::Kept(name) | MovedTo::Renamed(name)) = &file.to;
        let problem = match standing {
            Ok(Standing::Old) => continue,
            Ok(Standing::Moved | Standing::Half | Standing::Both) => None,
            Ok(Standing::Taken) => Some("left alone: something else has its name".to_owned()),
            Ok(Standing::Gone) => Some("left alone: it is not there, or was changed".to_owned()),
            Err(reason) => Some(reason),
        };
        show(&WouldChange::Moved {
            path: &file.path,
            name,
            problem,
        });
    }
    Ok(())
}

/// A file's content now, and its content after restoring its undo data.
fn bytes(
    root: &dyn Dir,
    folder: &RunFolder,
    (entry, file): (&HiveEntry, &FileEntry),
    show: Show<'_>,
) -> Result<(), Error> {
    let path = on_volume(entry.volume.as_deref(), &file.path);
    let io = |error| Error::io(&path, "read the file")(error);
    let components: Vec<&str> = file.path.split('/').collect();
    let now = match root.find(&components)? {
        Some(place) if place.kind() == Kind::File => {
            let open = place.dir.open(&place.name, Access::Read).map_err(io)?;
            Some(MappedFile::open(open.as_ref(), 0, MAX_FILE).map_err(io)?)
        }
        _ => None,
    };
    let length = now.as_ref().map(|now| now.bytes().len() as u64);
    let Some(old) = &file.old else {
        show(&WouldChange::File {
            path: &path,
            action: FileAction::Removed,
            length: (length, 0),
        });
        return Ok(());
    };
    show(&WouldChange::File {
        path: &path,
        action: FileAction::Restored,
        length: (length, old.length),
    });
    let undo = folder.read_undo(file)?;
    // A missing file has no bytes.
    let now = now.as_ref().map_or(&[][..], |now| now.bytes());
    let most = undo.bytes().saturating_add(now.len() as u64);
    if old.length > most {
        show(&WouldChange::Unknown {
            path: &path,
            reason: "its undo data are too few for its old length".to_owned(),
        });
        return Ok(());
    }
    let mut then = now.to_vec();
    // The result can't be longer than the file and its undo data together.
    then.resize(to_usize(old.length), 0);
    for index in (0..undo.len()).rev() {
        let read = undo.get(index);
        let Some(record) = read.map_err(Error::io(&file.undo, "read the undo data"))? else {
            continue;
        };
        let at = to_usize(record.offset);
        for (byte, old) in then.iter_mut().skip(at).zip(&record.bytes) {
            *byte = *old;
        }
    }
    for range in differing(now, &then) {
        if let (Some(now), Some(then)) = (now.get(range.clone()), then.get(range.clone())) {
            show(&WouldChange::Bytes {
                path: &path,
                offset: range.start as u64,
                now,
                then,
            });
        }
    }
    if same_file(&file.path, &entry.path) {
        hives::compare(&path, now, &then, show);
    }
    Ok(())
}

/// Shows what reversing a hive's changes one by one would do. This is done if a file isn't what the
/// run left, whatever files the journal names.
fn reversals(root: &dyn Dir, entry: &HiveEntry, show: Show<'_>) -> Result<(), Error> {
    if entry.changes.is_empty() {
        return Ok(());
    }
    let path = entry.shown_path();
    let io = |error| Error::io(&path, "read the file")(error);
    let components: Vec<&str> = entry.path.split('/').collect();
    match root.find(&components)? {
        Some(place) if place.kind() == Kind::File => {
            let open = place.dir.open(&place.name, Access::Read).map_err(io)?;
            let now = MappedFile::open(open.as_ref(), 0, MAX_FILE).map_err(io)?;
            hives::reversals(&path, now.bytes(), &entry.changes, show);
        }
        _ => show(&WouldChange::Unknown {
            path: &path,
            reason: format!(
                "it is missing, and {} changes are noted",
                entry.changes.len()
            ),
        }),
    }
    Ok(())
}

/// The ranges in which two files differ, up to the end of the shorter one.
fn differing(now: &[u8], then: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, _) in now
        .iter()
        .zip(then)
        .enumerate()
        .filter(|(_, (a, b))| a != b)
    {
        match ranges.last_mut() {
            Some(last) if at.saturating_sub(last.end) <= GAP => last.end = at + 1,
            _ => ranges.push(at..at + 1),
        }
    }
    ranges
}

fn permissions(
    site: &Site,
    folder: &RunFolder,
    journal: &Journal,
    show: Show<'_>,
) -> Result<(), Error> {
    let Some(entry) = &journal.descriptors else {
        return Ok(());
    };
    descriptors::check_scope(folder, journal)?;
    let secured = descriptors::of_site(site)?;
    folder.for_each_frame(&entry.records, |changes| {
        for change in changes {
            let object = secured.object(&change.path);
            let now = match object.descriptor {
                Ok(bytes) if bytes == change.before => continue,
                Ok(bytes) if bytes == change.after => words(&bytes),
                Ok(bytes) => format!("{} (left alone: changed since)", words(&bytes)),
                Err(error) => chain(&error),
            };
            show(&WouldChange::Descriptor {
                path: change.path.to_string(),
                now,
                then: words(&change.before),
            });
        }
    })
}

fn words(bytes: &[u8]) -> String {
    DescriptorWords::of(bytes).line()
}
