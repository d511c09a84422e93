//! The security descriptors of an NTFS volume that is not mounted. The records of many files are
//! read and written together.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::vec;

use diskmend_image::ntfs::secure::{self, FileSecurity, Secure, SecurityError, SecurityId};
use diskmend_image::ntfs::{Entry, FileId, Volume, VolumeError};

use super::ImageDir;
use super::ntfs::kind;
use super::tree::Tree;
use crate::metadata::Kind;
use crate::nt_path::NtPath;
use crate::security::{Change, Changed, MAX_DESCRIPTOR_LEN, Object, ObjectError};

/// Objects of a batch of a walk: their records are read together.
const BATCH: usize = 4096;
/// How deep folders are looked into below the start, as on a mounted volume.
const MAX_DEPTH: usize = 64;
/// Most descriptors whose ids are remembered.
const MAX_KNOWN: usize = 4096;
/// Files that are looked at beyond the one that was asked for last, before a name is searched for.
const NEAR: usize = 32;

/// The security descriptors of a volume.
#[derive(Debug)]
pub(crate) struct ImageDescriptors {
    tree: Arc<dyn Tree>,
    /// The folder that was asked for last: neighbours are asked for next.
    last: Mutex<Option<(NtPath, Names)>>,
    /// The ids of descriptors that were set before.
    known: Mutex<HashMap<Vec<u8>, SecurityId>>,
}

/// What lies in a folder, in the order of the records, in which a walk gives it.
#[derive(Debug)]
struct Names {
    /// Each file, and where its name ends in `units`.
    files: Vec<(FileId, usize)>,
    /// The names one behind the other: neighbours in memory are asked for after each other.
    units: Vec<u16>,
    /// Behind the file that was asked for last.
    next: usize,
    /// The files in the order of their names; filled when one has to be searched for.
    by_name: OnceCell<Vec<usize>>,
}

impl Names {
    fn new(entries: &[Entry]) -> Self {
        let mut order: Vec<&Entry> = entries.iter().collect();
        order.sort_unstable_by_key(|entry| entry.id.record);
        let mut files = Vec::with_capacity(order.len());
        let mut units = Vec::with_capacity(entries.iter().map(|entry| entry.name.len()).sum());
        for entry in order {
            units.extend_from_slice(&entry.name);
            files.push((entry.id, units.len()));
        }
        Self {
            files,
            units,
            next: 0,
            by_name: OnceCell::new(),
        }
    }

    fn name(&self, index: usize) -> Option<&[u16]> {
        let end = |index: usize| self.files.get(index).map(|(_, end)| *end);
        let start = index.checked_sub(1).and_then(end).unwrap_or(0);
        self.units.get(start..end(index)?)
    }

    fn find(&mut self, name: &[u16]) -> Option<FileId> {
        let mut near = self.next..self.next.saturating_add(NEAR);
        let index = match near.find(|index| self.name(*index) == Some(name)) {
            Some(near) => near,
            None => self.search(name)?,
        };
        self.next = index.saturating_add(1);
        self.files.get(index).map(|(file, _)| *file)
    }

    fn search(&self, name: &[u16]) -> Option<usize> {
        let by_name = self.by_name.get_or_init(|| {
            let mut order: Vec<usize> = (0..self.files.len()).collect();
            order.sort_unstable_by_key(|index| self.name(*index));
            order
        });
        let found = by_name.binary_search_by_key(&Some(name), |index| self.name(*index));
        by_name.get(found.ok()?).copied()
    }
}

/// A file that gets another descriptor, whose id is not known yet.
struct Due {
    file: FileId,
    from: FileSecurity,
}

/// What a file's record says.
struct Looked {
    kind: Kind,
    security: FileSecurity,
    descriptor: Arc<[u8]>,
}

impl ImageDescriptors {
    /// Those of a volume; `None` where its file system has none.
    pub(crate) fn of(root: &ImageDir) -> Option<Self> {
        root.tree().ntfs()?;
        Some(Self {
            tree: Arc::clone(root.tree()),
            last: Mutex::default(),
            known: Mutex::default(),
        })
    }

    fn volume(&self) -> Result<&Volume, ObjectError> {
        let none = || ObjectError::io("read the volume")(io::ErrorKind::Unsupported.into());
        let (volume, _) = self.tree.ntfs().ok_or_else(none)?;
        Ok(volume)
    }

    pub(crate) fn object(&self, path: &NtPath) -> Object {
        let found = self.find(path).map(|id| self.look(&[id]).pop());
        match found {
            Ok(Some(Ok(looked))) => object(path.clone(), Ok(looked)),
            Ok(Some(Err(error))) | Err(error) => Object::failed(path.clone(), error),
            Ok(None) => Object::failed(path.clone(), ObjectError::NoDescriptor),
        }
    }

    pub(crate) fn walk(&self, path: &NtPath) -> ImageWalk<'_> {
        ImageWalk {
            volume: self,
            start: Some(path.clone()),
            open: Vec::new(),
            entered: HashSet::new(),
        }
    }

    /// Makes changes and reads them back; the results are in their order.
    pub(crate) fn change(&self, changes: &[Change]) -> Vec<Result<Changed, ObjectError>> {
        let found: Vec<_> = changes
            .iter()
            .map(|change| self.find(&change.path))
            .collect();
        let ids: Vec<FileId> = found.iter().flatten().copied().collect();
        let mut looked = self.look(&ids).into_iter();
        let mut results = Vec::with_capacity(changes.len());
        let mut due = Vec::new();
        for (index, (change, found)) in changes.iter().zip(found).enumerate() {
            let judged = found.and_then(|file| {
                let looked = looked.next().unwrap_or(Err(ObjectError::NoDescriptor))?;
                self.judge(change, &looked, file)
            });
            results.push(match judged {
                Ok(None) => Ok(Changed::AlreadyThere),
                Ok(Some(file)) => {
                    due.push((index, file));
                    Ok(Changed::Set)
                }
                Err(error) => Err(error),
            });
        }
        let due = self.with_new_ids(changes, due, &mut results);
        self.set(changes, &due, &mut results);
        results
    }

    /// What has to be set; `None` where the file has the new descriptor already.
    fn judge(
        &self,
        change: &Change,
        looked: &Looked,
        file: FileId,
    ) -> Result<Option<Due>, ObjectError> {
        if looked.kind != change.kind {
            return Err(ObjectError::Other {
                expected: change.kind,
                found: looked.kind,
            });
        }
        if *looked.descriptor == *change.after {
            return Ok(None);
        }
        if *looked.descriptor != *change.before {
            return Err(ObjectError::ChangedMeanwhile);
        }
        Ok(Some(Due {
            file,
            from: looked.security,
        }))
    }

    /// Fills in the ids of the new descriptors, which the volume gets where it lacks them.
    fn with_new_ids(
        &self,
        changes: &[Change],
        due: Vec<(usize, Due)>,
        results: &mut [Result<Changed, ObjectError>],
    ) -> Vec<(usize, secure::Change)> {
        let mut ready = Vec::with_capacity(due.len());
        let mut refused: HashMap<&[u8], String> = HashMap::new();
        let mut last: Option<(&[u8], SecurityId)> = None;
        for (index, due) in due {
            let Some(wanted) = changes.get(index).map(|change| change.after.as_slice()) else {
                continue;
            };
            let id = if let Some((_, id)) = last.filter(|(known, _)| *known == wanted) {
                Ok(id)
            } else if let Some(reason) = refused.get(wanted) {
                Err(io::Error::other(reason.clone()))
            } else {
                self.id(wanted).map_err(|error| {
                    let error = into_io(error);
                    refused.insert(wanted, error.to_string());
                    error
                })
            };
            match id {
                Ok(id) => {
                    last = Some((wanted, id));
                    let Due { file, from } = due;
                    ready.push((index, secure::Change { file, from, to: id }));
                }
                Err(error) => note(
                    results,
                    index,
                    ObjectError::io("store its security descriptor")(error),
                ),
            }
        }
        ready
    }

    /// The id of a descriptor, which the volume gets where it lacks it.
    fn id(&self, descriptor: &[u8]) -> Result<SecurityId, SecurityError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = known.get(descriptor) {
            return Ok(*id);
        }
        let added = self.secure()?.add(&[descriptor])?;
        let id = added.first().copied();
        let id = id.ok_or(SecurityError::UnknownId(SecurityId(0)))?;
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(descriptor.to_vec(), id);
        Ok(id)
    }

    /// Sets the ids, and reads them back.
    fn set(
        &self,
        changes: &[Change],
        due: &[(usize, secure::Change)],
        results: &mut [Result<Changed, ObjectError>],
    ) {
        let sets: Vec<secure::Change> = due.iter().map(|(_, set)| *set).collect();
        if sets.is_empty() {
            return;
        }
        let action = "set its security descriptor";
        let set = self.secure().and_then(|secure| secure.set(&sets));
        let set = match set {
            Ok(set) => set,
            Err(error) => {
                let reason = into_io(error);
                for (index, _) in due {
                    let error = io::Error::new(reason.kind(), reason.to_string());
                    note(results, *index, ObjectError::io(action)(error));
                }
                return;
            }
        };
        let files: Vec<FileId> = sets.iter().map(|set| set.file).collect();
        let read = self.look(&files);
        for (((index, _), set), read) in due.iter().zip(set).zip(read) {
            let wanted = changes.get(*index).map(|change| change.after.as_slice());
            match (set, read) {
                (Err(error), _) => note(results, *index, failed(action)(error)),
                (Ok(()), Ok(read)) if Some(&*read.descriptor) == wanted => {}
                (Ok(()), Ok(_)) => note(results, *index, ObjectError::ReadBack),
                (Ok(()), Err(error)) => note(results, *index, error),
            }
        }
    }

    /// Returns when all changes are durable.
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.tree.sync()
    }

    fn secure(&self) -> Result<&Secure, SecurityError> {
        let gone = || VolumeError::NotNtfs;
        let (_, secure) = self.tree.ntfs().ok_or_else(gone)?;
        Ok(secure)
    }

    /// The file at a path that is spelled as on disk. No link is followed.
    fn find(&self, path: &NtPath) -> Result<FileId, ObjectError> {
        let Some((parent, name)) = path.split_last_units() else {
            return Ok(self.volume()?.root());
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let names = match &mut *last {
            Some((folder, names)) if folder.units() == parent => names,
            other => {
                let parent = NtPath::from_units(parent.to_vec());
                let id = self.folder(&parent)?;
                let entries = self.volume()?.list(id).map_err(listing)?;
                &mut other.insert((parent, Names::new(&entries))).1
            }
        };
        let gone = || ObjectError::io("look it up")(io::ErrorKind::NotFound.into());
        names.find(name).ok_or_else(gone)
    }

    /// The folder at a path that is spelled as on disk.
    fn folder(&self, path: &NtPath) -> Result<FileId, ObjectError> {
        let volume = self.volume()?;
        let mut at = volume.root();
        for name in path.unit_names() {
            let found = volume.find(at, name).map_err(listing)?;
            let gone = || ObjectError::io("open the folder")(io::ErrorKind::NotFound.into());
            let found = found.filter(|entry| entry.name == name).ok_or_else(gone)?;
            let metadata = volume.metadata(found.id);
            match kind(metadata.map_err(failed("open the folder"))?.kind) {
                Kind::Folder => at = found.id,
                Kind::Link => return Err(ObjectError::Link),
                other => {
                    return Err(ObjectError::Other {
                        expected: Kind::Folder,
                        found: other,
                    });
                }
            }
        }
        Ok(at)
    }

    /// Looks at files whose descriptors may be changed; the results are in their order.
    fn look(&self, files: &[FileId]) -> Vec<Result<Looked, ObjectError>> {
        let Some((volume, _)) = self.tree.ntfs() else {
            return Vec::new();
        };
        let found = volume.metadata_of_all(files);
        // Neighbours have the same one, mostly.
        let mut last: Option<(FileSecurity, Arc<[u8]>)> = None;
        files
            .iter()
            .zip(found)
            .map(|(file, found)| {
                let found = found.map_err(failed("look at it"))?;
                let kind = kind(found.kind);
                match kind {
                    Kind::Link => return Err(ObjectError::Link),
                    Kind::Other => return Err(ObjectError::Special),
                    Kind::File if found.links > 1 => {
                        let names = found.links.into();
                        return Err(ObjectError::HardLinked { names });
                    }
                    Kind::File | Kind::Folder => {}
                }
                let shared = FileSecurity::Shared(SecurityId(found.security_id));
                let (security, descriptor) = match &last {
                    Some((known, descriptor)) if *known == shared => (shared, descriptor.clone()),
                    _ => self.descriptor(*file, found.security_id)?,
                };
                last = Some((security, descriptor.clone()));
                Ok(Looked {
                    kind,
                    security,
                    descriptor,
                })
            })
            .collect()
    }

    /// The descriptor of a file with this id, and where it is.
    fn descriptor(&self, file: FileId, id: u32) -> Result<(FileSecurity, Arc<[u8]>), ObjectError> {
        let read = || -> Result<_, SecurityError> {
            let secure = self.secure()?;
            if id != 0 {
                let id = SecurityId(id);
                return Ok(Some((FileSecurity::Shared(id), secure.descriptor(id)?)));
            }
            Ok(secure.of_file(file)?.map(|own| (FileSecurity::Own, own)))
        };
        let found = read().map_err(failed("read its security descriptor"))?;
        found
            .filter(|(_, bytes)| bytes.len() <= MAX_DESCRIPTOR_LEN)
            .ok_or(ObjectError::NoDescriptor)
    }
}

fn object(path: NtPath, looked: Result<Looked, ObjectError>) -> Object {
    match looked {
        Ok(looked) => Object::sound(path, looked.kind, looked.descriptor.to_vec()),
        Err(error) => Object::failed(path, error),
    }
}

fn note(results: &mut [Result<Changed, ObjectError>], index: usize, error: ObjectError) {
    if let Some(result) = results.get_mut(index) {
        *result = Err(error);
    }
}

fn into_io(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::other(error)
}

fn failed<E: std::error::Error + Send + Sync + 'static>(
    action: &'static str,
) -> impl FnOnce(E) -> ObjectError {
    move |error| ObjectError::io(action)(into_io(error))
}

fn listing(error: VolumeError) -> ObjectError {
    failed("list the folder")(error)
}

/// The objects below a folder, in batches, a folder before what it holds.
pub(crate) struct ImageWalk<'a> {
    volume: &'a ImageDescriptors,
    /// Where it begins, until that was looked at.
    start: Option<NtPath>,
    /// The folders that are yet to be walked, the innermost last.
    open: Vec<Listing>,
    /// The records of all folders that were: each lies in one other only.
    entered: HashSet<u64>,
}

/// A folder that is being walked.
struct Listing {
    path: NtPath,
    depth: usize,
    rest: vec::IntoIter<Entry>,
}

impl ImageWalk<'_> {
    fn begin(&mut self, start: NtPath) -> Object {
        let object = self.volume.object(&start);
        if object.kind != Some(Kind::Folder) {
            return object;
        }
        let listed = self.volume.find(&start);
        match listed.and_then(|id| self.enter(start.clone(), 0, id)) {
            Ok(()) => object,
            Err(error) => Object::failed(start, error),
        }
    }

    fn enter(&mut self, path: NtPath, depth: usize, id: FileId) -> Result<(), ObjectError> {
        if depth >= MAX_DEPTH {
            return Err(ObjectError::TooDeep { depth });
        }
        if !self.entered.insert(id.record) {
            let twice = io::Error::other("the folder lies in another one, too");
            return Err(ObjectError::io("list the folder")(twice));
        }
        let mut entries = self.volume.volume()?.list(id).map_err(listing)?;
        // In the order of their records, so that those of a batch are neighbours, which are read
        // and later written together.
        entries.sort_by_key(|entry| entry.id.record);
        self.open.push(Listing {
            path,
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
        let (above, depth, entries) = loop {
            let listing = self.open.last_mut()?;
            let entries: Vec<Entry> = listing.rest.by_ref().take(BATCH).collect();
            if !entries.is_empty() {
                break (listing.path.clone(), listing.depth, entries);
            }
            self.open.pop();
        };
        let files: Vec<FileId> = entries.iter().map(|entry| entry.id).collect();
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

#[cfg(test)]
mod tests {
    use diskmend_image::ntfs::Namespace;

    use super::*;

    #[test]
    fn names_are_found_in_any_order() {
        let name = |number: u64| {
            format!("{:x}", number * 7919 % 1009)
                .encode_utf16()
                .collect()
        };
        let entries = (0..500).rev().map(|number| Entry {
            name: name(number),
            id: FileId {
                record: number,
                sequence: 1,
            },
            namespace: Namespace::Posix,
        });
        let mut names = Names::new(&entries.collect::<Vec<_>>());
        let forward = 0..500;
        let rare = (0..500).step_by(NEAR + 9);
        let backward = (0..500).rev();
        for number in forward.chain(rare).chain(backward) {
            let name: Vec<u16> = name(number);
            assert_eq!(names.find(&name).map(|id| id.record), Some(number));
        }
        assert_eq!(names.find(&[0x7A]), None);
    }
}
