//! The security descriptors of an NTFS volume that isn't mounted. The records of many files are
//! read and written together.

mod change;
mod names;
mod walk;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use diskmend_image::ntfs::secure::{FileSecurity, Secure, SecurityError, SecurityId};
use diskmend_image::ntfs::{FileId, Member, Metadata, Volume, VolumeError};

use self::names::Names;
use self::walk::ImageWalk;
use crate::dir::Dir;
use crate::metadata::Kind;
use crate::nt_path::NtPath;
use crate::security::{
    Change, Changed, Descriptors, MAX_DESCRIPTOR_LEN, Object, ObjectError, Walk,
};

/// The greatest number of descriptors with a remembered id.
const MAX_KNOWN: usize = 4096;

/// The security descriptors of a volume.
#[derive(Debug)]
pub(crate) struct ImageDescriptors {
    root: Box<dyn Dir>,
    volume: Volume,
    secure: Arc<Secure>,
    /// The last requested folder. The next request is usually for the same one.
    last: Mutex<Option<(NtPath, FileId, Names)>>,
    /// The ids of descriptors that were written before.
    known: Mutex<HashMap<Vec<u8>, SecurityId>>,
    /// The descriptors that files already had, by their ids.
    seen: Mutex<HashMap<SecurityId, Arc<[u8]>>>,
}

/// The result of looking up a path.
#[derive(Clone, Copy, Debug)]
struct Found {
    folder: FileId,
    file: FileId,
}

impl Found {
    /// The file as an entry of its folder.
    fn member(self, path: &NtPath) -> Member<'_> {
        match path.split_last_units() {
            None => Member::root(self.file),
            Some((_, name)) => Member {
                folder: self.folder,
                name,
                file: self.file,
            },
        }
    }
}

/// What a file's record holds.
struct Looked {
    kind: Kind,
    security: FileSecurity,
    descriptor: Arc<[u8]>,
}

impl ImageDescriptors {
    /// The descriptors of a volume with this root folder.
    pub(super) fn new(root: Box<dyn Dir>, volume: Volume, secure: Arc<Secure>) -> Self {
        Self {
            root,
            volume,
            secure,
            last: Mutex::default(),
            known: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    fn volume(&self) -> &Volume {
        &self.volume
    }

    fn secure(&self) -> &Secure {
        &self.secure
    }

    /// The file at a path with exactly this spelling, by the index of its folder. No link is
    /// followed. The file's record must still confirm that it is in this folder.
    fn find_file(&self, path: &NtPath) -> Result<Found, ObjectError> {
        let Some((parent, name)) = path.split_last_units() else {
            let root = self.volume().root();
            return Ok(Found {
                folder: root,
                file: root,
            });
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, folder, names) = match &mut *last {
            Some(last) if last.0.units() == parent => last,
            other => {
                let parent = NtPath::from_units(parent.to_vec());
                let id = self.folder(&parent)?;
                let entries = self.volume().list(id).map_err(listing)?;
                other.insert((parent, id, Names::new(&entries)))
            }
        };
        let gone = || ObjectError::io("look it up")(io::ErrorKind::NotFound.into());
        let file = names.find(name).ok_or_else(gone)?;
        let folder = *folder;
        Ok(Found { folder, file })
    }

    /// The folder at a path with exactly this spelling.
    fn folder(&self, path: &NtPath) -> Result<FileId, ObjectError> {
        let volume = self.volume();
        let mut at = volume.root();
        for name in path.unit_names() {
            let found = volume.find(at, name).map_err(listing)?;
            let gone = || ObjectError::io("open the folder")(io::ErrorKind::NotFound.into());
            let found = found.filter(|entry| entry.name == name).ok_or_else(gone)?;
            let metadata = volume.metadata(found.id);
            match Kind::from(metadata.map_err(failed("open the folder"))?.kind) {
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

    /// Reads files, and refuses those that must keep their descriptors. The results are in the
    /// order of `files`. It is an error if a file's own record says that the file is elsewhere.
    fn look(&self, files: &[Member<'_>]) -> Vec<Result<Looked, ObjectError>> {
        let found = self.volume().metadata_of_all(files);
        // Neighbours mostly have the same descriptor.
        let mut last: Option<(FileSecurity, Arc<[u8]>)> = None;
        files
            .iter()
            .zip(found)
            .map(|(file, found)| {
                let found = found.map_err(failed("look at it"))?;
                let kind = plain_kind(&found)?;
                let shared = FileSecurity::Shared(SecurityId(found.security_id));
                let (security, descriptor) = match &last {
                    Some((known, descriptor)) if *known == shared => (shared, descriptor.clone()),
                    _ => self.descriptor(file.file, found.security_id)?,
                };
                if last.as_ref().is_none_or(|(known, _)| *known != security) {
                    self.remember(security, &descriptor);
                }
                last = Some((security, descriptor.clone()));
                Ok(Looked {
                    kind,
                    security,
                    descriptor,
                })
            })
            .collect()
    }

    fn remember(&self, security: FileSecurity, descriptor: &Arc<[u8]>) {
        let FileSecurity::Shared(id) = security else {
            return;
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_KNOWN {
            seen.clear();
        }
        seen.insert(id, Arc::clone(descriptor));
    }

    /// The descriptor of a file with this id, and its place.
    fn descriptor(&self, file: FileId, id: u32) -> Result<(FileSecurity, Arc<[u8]>), ObjectError> {
        let read = || -> Result<_, SecurityError> {
            let secure = self.secure();
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

impl Descriptors for ImageDescriptors {
    fn root(&self) -> &dyn Dir {
        self.root.as_ref()
    }

    fn object(&self, path: &NtPath) -> Object {
        let found = self
            .find_file(path)
            .map(|found| self.look(&[found.member(path)]).pop());
        match found {
            Ok(Some(Ok(looked))) => object(path.clone(), Ok(looked)),
            Ok(Some(Err(error))) | Err(error) => Object::failed(path.clone(), error),
            Ok(None) => Object::failed(path.clone(), ObjectError::NoDescriptor),
        }
    }

    fn walk<'a>(&'a self, path: &NtPath) -> Walk<'a> {
        Box::new(ImageWalk::new(self, path))
    }

    fn change(&self, changes: &[Change]) -> Vec<Result<Changed, ObjectError>> {
        self.make(changes)
    }

    fn flush(&self) -> io::Result<()> {
        self.root.sync()
    }
}

fn object(path: NtPath, looked: Result<Looked, ObjectError>) -> Object {
    match looked {
        Ok(looked) => Object::sound(path, looked.kind, looked.descriptor.to_vec()),
        Err(error) => Object::failed(path, error),
    }
}

/// The kind of a file; an error if its descriptor must not be changed.
fn plain_kind(found: &Metadata) -> Result<Kind, ObjectError> {
    match Kind::from(found.kind) {
        Kind::Link => Err(ObjectError::Link),
        Kind::Other => Err(ObjectError::Special),
        Kind::File | Kind::Folder if found.links > 1 => {
            Err(ObjectError::HardLinked { names: found.links })
        }
        plain @ (Kind::File | Kind::Folder) => Ok(plain),
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
