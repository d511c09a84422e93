//! The real folders and files, through [`diskmend_disk`].

use std::any::Any;
use std::ffi::{OsStr, OsString};
use std::fs::TryLockError;
use std::io;
use std::path::Path;

use diskmend_disk::{
    Access, Change, Changed, Descriptors, File, Folder, GuardError, Identity, Kind, LookupError,
    MappedFile, NtPath, Object, ObjectError, Protection, TargetLock,
};
use diskmend_hive::{Buffer, Storage};

use super::{Dir, OpenFile, Place};
use crate::descriptors::Secured;

/// Most names that a folder of runs, or of hives, is read of.
const MAX_NAMES: usize = 1 << 16;

/// A folder of a disk.
pub(crate) struct DiskDir(Folder);

impl DiskDir {
    pub(crate) fn new(folder: Folder) -> Self {
        Self(folder)
    }
}

impl Dir for DiskDir {
    fn kind(&self, name: &str) -> io::Result<Option<Kind>> {
        match self.0.metadata(name) {
            Ok(metadata) => Ok(Some(metadata.kind)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = self.0.list(MAX_NAMES)?;
        Ok(entries
            .into_iter()
            .filter_map(|entry| entry.name.into_string().ok())
            .collect())
    }

    fn len_of(&self, name: &str) -> io::Result<u64> {
        Ok(self.0.metadata(name)?.len)
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn OpenFile>> {
        Ok(Box::new(DiskFile(self.0.open_file(name, access)?)))
    }

    fn can_create(&self, name: &str, len: u64) -> io::Result<()> {
        self.0.can_create(name, len)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn OpenFile>> {
        Ok(Box::new(DiskFile(self.0.create_file(name)?)))
    }

    fn remove_file(&self, name: &str) -> io::Result<()> {
        self.0.remove_file(name)
    }

    fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, &self.0, to)
    }

    fn open_dir(&self, name: &str) -> io::Result<Box<dyn Dir>> {
        Ok(Box::new(Self(self.0.open_dir(name)?)))
    }

    fn open_private_dir(&self, name: &str) -> io::Result<Box<dyn Dir>> {
        Ok(Box::new(Self(self.0.open_private_dir(name)?)))
    }

    fn protection(&self) -> io::Result<Protection> {
        self.0.protection()
    }

    fn take_over_empty_dir(&self, name: &str) -> io::Result<bool> {
        self.0.take_over_empty_dir(name)
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        self.0.create_dir(name)
    }

    fn remove_dir(&self, name: &str) -> io::Result<()> {
        self.0.remove_dir(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn lock_target(&self) -> Result<Box<dyn Any>, GuardError> {
        Ok(Box::new(TargetLock::acquire(&self.0)?))
    }

    fn secured(&self) -> io::Result<Option<Box<dyn Secured>>> {
        let descriptors = Descriptors::below(&self.0)?;
        Ok(descriptors.map(|descriptors| Box::new(descriptors) as Box<dyn Secured>))
    }

    fn find(&self, components: &[&str]) -> Result<Option<Place>, LookupError> {
        let Some(found) = self.0.find(components)? else {
            return Ok(None);
        };
        let not_unicode = |name: &OsStr| LookupError::Io {
            path: found.path().to_path_buf(),
            source: io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the name {name:?} is not valid Unicode"),
            ),
        };
        let name = found
            .name()
            .to_str()
            .ok_or_else(|| not_unicode(found.name()))?
            .to_owned();
        let path = with_slashes(found.path()).ok_or_else(|| not_unicode(found.name()))?;
        let dir = found
            .folder()
            .try_clone()
            .map_err(|source| LookupError::Io {
                path: found.path().to_path_buf(),
                source,
            })?;
        Ok(Some(Place {
            dir: Box::new(Self(dir)),
            name,
            path,
            kind: found.kind(),
        }))
    }
}

impl Secured for Descriptors {
    fn find(&self, components: &[&str]) -> Result<Option<(NtPath, Kind)>, LookupError> {
        self.find(components)
    }

    fn object(&self, path: &NtPath) -> Object {
        self.object(path)
    }

    fn walk<'a>(&'a self, path: &NtPath) -> Box<dyn Iterator<Item = Vec<Object>> + 'a> {
        Box::new(self.walk(path))
    }

    fn change(&self, changes: &[Change]) -> Vec<Result<Changed, ObjectError>> {
        self.change(changes)
    }

    fn flush(&self) -> io::Result<()> {
        self.flush()
    }
}

fn with_slashes(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.iter().map(OsStr::to_str).collect();
    Some(parts?.join("/"))
}

/// A name that must be Unicode, since it goes into the journal.
pub(crate) fn unicode(name: OsString) -> io::Result<String> {
    name.into_string().map_err(|name| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("the name {name:?} is not valid Unicode"),
        )
    })
}

struct DiskFile(File);

impl Storage for DiskFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buf, offset)
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(data, offset)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

impl OpenFile for DiskFile {
    fn try_lock(&self) -> Result<(), TryLockError> {
        self.0.try_lock_exclusive()
    }

    fn check_room(&self, len: u64, extents: &[(u64, u64)]) -> io::Result<()> {
        self.0.check_room(len, extents)
    }

    fn check_in_place(&self) -> io::Result<()> {
        self.0.check_in_place()
    }

    fn names(&self) -> io::Result<u64> {
        self.0.names()
    }

    fn identity(&self) -> io::Result<Option<Identity>> {
        self.0.identity().map(Some)
    }

    fn map(&self, reserve: usize, max_len: u64) -> io::Result<Box<dyn Buffer>> {
        Ok(Box::new(Mapped(MappedFile::open(
            &self.0, reserve, max_len,
        )?)))
    }
}

struct Mapped(MappedFile);

impl Buffer for Mapped {
    fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self.0.bytes_mut()
    }

    fn grow(&mut self, len: usize) -> io::Result<()> {
        self.0.grow(len)
    }
}
