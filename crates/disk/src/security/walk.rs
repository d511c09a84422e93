//! Walking a folder for the security descriptors in it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsString;
use std::io;
use std::sync::Arc;

use walkdir::{DirEntry, IntoIter, WalkDir};

use super::object::Parents;
use super::{Descriptors, Object, ObjectError, SystemDescriptors, parallel};
use crate::dir::Dir;
use crate::metadata::Kind;
use crate::nt_path::NtPath;
use crate::system::SystemDir;

/// The number of objects in a batch.
const BATCH: usize = 512;
/// The greatest number of folders that the names of a batch keep open.
const MAX_FOLDERS: usize = 64;
/// The greatest depth of a folder below the start. Windows makes none that deep.
const MAX_DEPTH: usize = 64;

/// The objects below a folder, in batches.
///
/// Only the names of a listing are used. Each name is opened again in the folder that is already
/// open, and no link is followed, whatever the listing says about it.
pub(crate) struct SystemWalk<'a> {
    volume: &'a SystemDescriptors,
    start: NtPath,
    stage: Stage,
    /// The folders from the start to the one that is being listed, with their paths.
    way: Vec<(NtPath, Arc<SystemDir>)>,
    /// The path that led to each inode first. A forged index can lead to one inode again and again,
    /// and a folder can lead into itself. A file that really has several names is refused before
    /// that.
    met: HashMap<u64, NtPath>,
}

enum Stage {
    /// The start has not been read yet.
    Start,
    /// The objects below the start are being listed.
    Below(Box<IntoIter>),
    /// There is nothing more.
    End,
}

/// A name to open.
struct Name {
    folder: Arc<SystemDir>,
    path: NtPath,
    name: OsString,
}

impl<'a> SystemWalk<'a> {
    pub(super) fn new(volume: &'a SystemDescriptors, start: &NtPath) -> Self {
        Self {
            volume,
            start: start.clone(),
            stage: Stage::Start,
            way: Vec::new(),
            met: HashMap::new(),
        }
    }

    /// Reads the start, and begins to list it if it is a folder.
    fn begin(&mut self) -> Object {
        self.stage = Stage::End;
        let object = self.volume.object(&self.start);
        if object.kind != Some(Kind::Folder) {
            return object;
        }
        // The folders above the start count as found, too: nothing below the start may lead back to
        // them.
        let mut above = Some(self.start.clone());
        while let Some(path) = above {
            let parents = &mut Parents::default();
            if let Ok(opened) = self.volume.open(&path, parents) {
                self.met.entry(opened.inode).or_insert_with(|| path.clone());
            }
            above = path.split_last().map(|(parent, _)| parent);
        }
        let folder = self.volume.open_folder(&self.start);
        let listed = folder.and_then(|folder| {
            let path = self.volume.keeping.listing(&folder);
            Ok((path.map_err(ObjectError::io("list the folder"))?, folder))
        });
        match listed {
            Ok((path, folder)) => {
                let entries = WalkDir::new(path)
                    .min_depth(1)
                    .max_depth(MAX_DEPTH)
                    .follow_links(false);
                self.way.push((self.start.clone(), Arc::new(folder)));
                self.stage = Stage::Below(Box::new(entries.into_iter()));
                object
            }
            Err(error) => Object::failed(self.start.clone(), error),
        }
    }

    /// The next entry, as a name in an open folder.
    fn name(&mut self, entry: &DirEntry) -> Option<Name> {
        // An entry of a folder at depth n has depth n + 1.
        self.way.truncate(entry.depth());
        let (path, folder) = self.way.last()?;
        let name = entry.file_name().to_owned();
        Some(Name {
            folder: Arc::clone(folder),
            path: path.join(&name).unwrap_or_else(|| path.join_lossy(&name)),
            name,
        })
    }

    /// Reads what is listed as a folder. Returns true if the listing may go on into it.
    fn enter(&mut self, name: Name, depth: usize, found: &mut Vec<Object>) -> bool {
        let (inode, object) = name.look(self.volume);
        let object = self.once(inode, object);
        let is_folder = object.kind == Some(Kind::Folder);
        found.push(object);
        if !is_folder {
            return false;
        }
        let inner = match depth {
            MAX_DEPTH.. => Err(ObjectError::TooDeep { depth }),
            _ => self
                .volume
                .open_subfolder(&name.folder, &name.name, &name.path)
                .and_then(|inner| same_inode(inner, inode)),
        };
        match inner {
            Ok(inner) => {
                self.way.push((name.path, Arc::new(inner)));
                true
            }
            Err(error) => {
                found.push(Object::failed(name.path, error));
                false
            }
        }
    }

    /// The object, or an error if it was found at another path before.
    fn once(&mut self, inode: Option<u64>, object: Object) -> Object {
        let Some(inode) = inode else {
            return object;
        };
        match self.met.entry(inode) {
            Entry::Vacant(place) => {
                place.insert(object.path.clone());
                object
            }
            Entry::Occupied(met) => {
                let path = met.get().clone();
                Object::failed(object.path, ObjectError::SameAs { path })
            }
        }
    }

    /// The error of a folder that couldn't be listed completely.
    fn unlisted(&self, error: &walkdir::Error) -> Object {
        let above = self.way.get(..error.depth()).unwrap_or(&self.way).last();
        let above = above.map_or(&self.start, |(path, _)| path);
        let name = error.path().and_then(|path| path.file_name());
        let path = match name.filter(|_| error.depth() > 0) {
            Some(name) => above.join_lossy(name),
            None => above.clone(),
        };
        let source = match error.io_error().and_then(io::Error::raw_os_error) {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::other(error.to_string()),
        };
        let action = "list the folder";
        Object::failed(path, ObjectError::Io { action, source })
    }
}

/// The folder, if it still is the one that was read.
fn same_inode(folder: SystemDir, inode: Option<u64>) -> Result<SystemDir, ObjectError> {
    let found = folder.own_metadata();
    let found = found.map_err(ObjectError::io("look at the folder"))?;
    if inode == Some(found.identity.inode) {
        Ok(folder)
    } else {
        let other = io::Error::other("another folder has its name now");
        Err(ObjectError::io("open the folder")(other))
    }
}

impl Name {
    /// The object, and its inode if it could be opened.
    fn look(&self, volume: &SystemDescriptors) -> (Option<u64>, Object) {
        let opened = match volume.open_in(&self.folder, &self.name, &self.path) {
            Ok(opened) => opened,
            Err(error) => return (None, Object::failed(self.path.clone(), error)),
        };
        let object = match opened.handle.read() {
            // A name that can't be written down could not be found again for undo.
            Ok(_) if self.path.name().as_ref() != Some(&self.name) => {
                Object::failed(self.path.clone(), ObjectError::Name)
            }
            Ok(bytes) => Object::sound(self.path.clone(), opened.kind, bytes),
            Err(error) => Object::failed(self.path.clone(), error),
        };
        (Some(opened.inode), object)
    }
}

impl Iterator for SystemWalk<'_> {
    type Item = Vec<Object>;

    fn next(&mut self) -> Option<Vec<Object>> {
        if matches!(self.stage, Stage::Start) {
            return Some(vec![self.begin()]);
        }
        // Folders are read as they are found, before their content. Other objects are read
        // together.
        let (mut found, mut names, mut folders) = (Vec::new(), Vec::<Name>::new(), 0);
        while found.len() + names.len() < BATCH && folders < MAX_FOLDERS {
            let Stage::Below(entries) = &mut self.stage else {
                return None;
            };
            let entry = match entries.next() {
                None => break,
                Some(Err(error)) => {
                    found.push(self.unlisted(&error));
                    continue;
                }
                Some(Ok(entry)) => entry,
            };
            let Some(name) = self.name(&entry) else {
                continue;
            };
            if !entry.file_type().is_dir() {
                let same = names
                    .last()
                    .map(|last| Arc::ptr_eq(&last.folder, &name.folder));
                folders += usize::from(same != Some(true));
                names.push(name);
            } else if !self.enter(name, entry.depth(), &mut found)
                && let Stage::Below(entries) = &mut self.stage
                && entry.depth() < MAX_DEPTH
            {
                entries.skip_current_dir();
            }
        }
        let looked = parallel::map(&names, || (), |(), name| name.look(self.volume));
        for (inode, object) in looked {
            found.push(self.once(inode, object));
        }
        (!found.is_empty()).then_some(found)
    }
}
