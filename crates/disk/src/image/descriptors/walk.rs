//! Walking a folder and everything below it.

use std::collections::HashSet;
use std::io;
use std::vec;

use diskmend_image::ntfs::{Entry, FileId};

use super::{ImageDescriptors, listing, object};
use crate::metadata::Kind;
use crate::nt_path::NtPath;
use crate::security::{Descriptors, Object, ObjectError};

/// The number of objects in a batch of a walk. Their records are read together.
const BATCH: usize = 4096;
/// The greatest depth of a folder below the start, as on a mounted volume.
const MAX_DEPTH: usize = 64;

/// The objects below a folder, in batches. A folder comes before its content.
pub(crate) struct ImageWalk<'a> {
    volume: &'a ImageDescriptors,
    /// The start, until it was read.
    start: Option<NtPath>,
    /// The folders still to walk, the innermost last.
    open: Vec<Listing>,
    /// The records of all walked folders. A folder can be in only one other folder.
    entered: HashSet<u64>,
}

/// A folder that is being walked.
struct Listing {
    path: NtPath,
    folder: FileId,
    depth: usize,
    rest: vec::IntoIter<Entry>,
}

impl<'a> ImageWalk<'a> {
    pub(super) fn new(volume: &'a ImageDescriptors, start: &NtPath) -> Self {
        Self {
            volume,
            start: Some(start.clone()),
            open: Vec::new(),
            entered: HashSet::new(),
        }
    }

    fn begin(&mut self, start: NtPath) -> Object {
        let object = self.volume.object(&start);
        if object.kind != Some(Kind::Folder) {
            return object;
        }
        let listed = self.volume.find_file(&start);
        match listed.and_then(|found| self.enter(start.clone(), 0, found.file)) {
            Ok(()) => object,
            Err(error) => Object::failed(start, error),
        }
    }

    fn enter(&mut self, path: NtPath, depth: usize, id: FileId) -> Result<(), ObjectError> {
        if depth >= MAX_DEPTH {
            return Err(ObjectError::TooDeep { depth });
        }
        if !self.entered.insert(id.record) {
            let twice = io::Error::other("the folder is in another folder, too");
            return Err(ObjectError::io("list the folder")(twice));
        }
        let mut entries = self.volume.volume().list(id).map_err(listing)?;
        // The order of the records makes those of a batch neighbours, which are read and later
        // written together.
        entries.sort_by_key(|entry| entry.id.record);
        self.open.push(Listing {
            path,
            folder: id,
            depth,
            rest: entries.into_iter(),
        });
        Ok(())
    }
}

impl Iterator for ImageWalk<'_> {
    type Item = Vec<Object>;

    fn next(&mut self) -> Option<Vec<Object>> {
        if let Some(start) = self.start.take() {
            return Some(vec![self.begin(start)]);
        }
        let (above, folder, depth, entries) = loop {
            let listing = self.open.last_mut()?;
            let entries: Vec<Entry> = listing.rest.by_ref().take(BATCH).collect();
            if !entries.is_empty() {
                let above = listing.path.clone();
                break (above, listing.folder, listing.depth, entries);
            }
            self.open.pop();
        };
        let files: Vec<_> = entries.iter().map(|entry| entry.member(folder)).collect();
        let mut found = Vec::with_capacity(files.len());
        for (entry, looked) in entries.iter().zip(self.volume.look(&files)) {
            let path = above.join_units(&entry.name);
            if entry.name.contains(&NtPath::SEPARATOR) {
                found.push(Object::failed(path, ObjectError::Name));
                continue;
            }
            let is_folder = matches!(&looked, Ok(looked) if looked.kind == Kind::Folder);
            found.push(object(path.clone(), looked));
            if is_folder && let Err(error) = self.enter(path.clone(), depth + 1, entry.id) {
                found.push(Object::failed(path, error));
            }
        }
        Some(found)
    }
}
