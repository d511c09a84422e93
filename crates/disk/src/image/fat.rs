//! Folders and files of a FAT volume on a disk that isn't mounted: an EFI system partition.

use std::fs::TryLockError;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;

use diskmend_base::Storage;
use diskmend_base::upcase::CaseTable;
use diskmend_image::device::Device;
use diskmend_image::fat::{self, EntryKind, FatError};

use super::names::{Named, choose, refuse, spellings};
use crate::details::{Details, regular};
use crate::dir::{Access, Dir};
use crate::error::{NotRegular, not_a_folder};
use crate::file::File;
use crate::metadata::{Identity, Kind, Metadata};
use crate::name::{self, component};
use crate::security::Descriptors;
use crate::system::too_many;

/// A folder, as the names on its path from the root. Clones are the same folder.
#[derive(Clone, Debug)]
pub(crate) struct FatDir {
    volume: fat::Volume,
    /// A number that no other volume has.
    number: u64,
    path: Vec<String>,
}

impl FatDir {
    /// The root folder of the volume on a device. `number` identifies the volume here.
    pub(super) fn open(device: Arc<dyn Device>, number: u64) -> Result<Self, FatError> {
        Ok(Self {
            volume: fat::Volume::open(device)?,
            number,
            path: Vec::new(),
        })
    }

    pub(super) fn volume(&self) -> &fat::Volume {
        &self.volume
    }

    /// The path of a name in this folder.
    fn below(&self, name: &str) -> io::Result<Vec<String>> {
        component(name.as_ref())?;
        let mut path = self.path.clone();
        path.push(name.to_owned());
        Ok(path)
    }

    /// FAT has no file numbers. A path identifies a file as long as nothing is renamed.
    fn identity(&self, path: &[String]) -> Identity {
        let mut hasher = DefaultHasher::new();
        for name in path {
            let units = name
                .encode_utf16()
                .map(|unit| CaseTable::FILES.upcase(unit));
            units.for_each(|unit| unit.hash(&mut hasher));
            '/'.hash(&mut hasher);
        }
        Identity {
            device: self.number,
            inode: hasher.finish(),
        }
    }

    fn metadata_of(&self, path: &[String]) -> io::Result<Metadata> {
        let (kind, len) = match path {
            [] => (Kind::Folder, 0),
            path => {
                let found = self.volume.metadata(path)?;
                match found.kind {
                    EntryKind::Folder => (Kind::Folder, 0),
                    EntryKind::File => (Kind::File, found.len),
                }
            }
        };
        Ok(Metadata {
            kind,
            len,
            identity: self.identity(path),
            links: 1,
        })
    }

    /// Every name in this folder that Windows finds for `name`, with its path.
    fn find_all(&self, name: &str) -> io::Result<Vec<Named<Vec<String>>>> {
        component(name.as_ref())?;
        let entries = self.volume.list(&self.path)?.into_iter();
        let same = entries.filter(|entry| name::same(entry.name.as_ref(), name.as_ref()));
        let named = same.map(|entry| {
            let mut at = self.path.clone();
            at.push(entry.name.clone());
            let name = entry.name;
            Named { name, at }
        });
        Ok(named.collect())
    }

    /// The path of the object with this name.
    fn child(&self, name: &str) -> io::Result<Vec<String>> {
        Ok(choose(self.find_all(name)?, name)?.at)
    }

    fn file(&self, file: fat::File, path: &[String]) -> Box<dyn File> {
        Box::new(FatFile {
            file,
            identity: self.identity(path),
        })
    }
}

impl Dir for FatDir {
    fn try_clone(&self) -> io::Result<Box<dyn Dir>> {
        Ok(Box::new(self.clone()))
    }

    fn own_metadata(&self) -> io::Result<Metadata> {
        self.metadata_of(&self.path)
    }

    fn metadata(&self, name: &str) -> io::Result<Metadata> {
        self.metadata_of(&self.child(name)?)
    }

    fn names(&self, limit: usize) -> io::Result<Vec<String>> {
        let entries = self.volume.list(&self.path)?;
        if entries.len() > limit {
            return Err(too_many(limit));
        }
        let mut names: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
        names.sort();
        Ok(names)
    }

    fn spellings(&self, name: &str) -> io::Result<Vec<String>> {
        Ok(spellings(self.find_all(name)?, name))
    }

    fn open(&self, name: &str, _access: Access) -> io::Result<Box<dyn File>> {
        let path = self.child(name)?;
        match self.metadata_of(&path)?.kind {
            Kind::File => Ok(self.file(self.volume.open_file(&path)?, &path)),
            kind => Err(NotRegular { kind }.into()),
        }
    }

    fn can_create(&self, name: &str, len: u64) -> io::Result<()> {
        self.volume.can_create(&self.below(name)?, len)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        if !self.find_all(name)?.is_empty() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let path = self.below(name)?;
        Ok(self.file(self.volume.create_file(&path)?, &path))
    }

    fn can_remove(&self, name: &str) -> io::Result<()> {
        regular(&self.metadata(name)?)
    }

    fn details(&self, name: &str) -> io::Result<Details> {
        regular(&self.metadata(name)?)?;
        Ok(Details::default())
    }

    fn set_details(&self, name: &str, details: &Details) -> io::Result<()> {
        self.child(name)?;
        if *details == Details::default() {
            return Ok(());
        }
        refuse(name, "sets nothing but the content of files")
    }

    fn can_rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.child(from)?;
        if !self.find_all(to)?.is_empty() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        refuse(to, "renames nothing on FAT")
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.can_rename(from, to)
    }

    fn remove_file(&self, name: &str) -> io::Result<()> {
        self.volume.remove_file(&self.child(name)?)
    }

    fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        component(from.as_ref())?;
        refuse(to, "renames nothing")
    }

    fn open_dir(&self, name: &str) -> io::Result<Box<dyn Dir>> {
        let path = self.child(name)?;
        match self.metadata_of(&path)?.kind {
            Kind::Folder => Ok(Box::new(Self {
                volume: self.volume.clone(),
                number: self.number,
                path,
            })),
            kind => Err(not_a_folder(kind)),
        }
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        refuse(name, "creates no folder")
    }

    fn remove_dir(&self, name: &str) -> io::Result<()> {
        refuse(name, "removes no folder")
    }

    fn sync(&self) -> io::Result<()> {
        self.volume.sync()
    }

    fn descriptors(&self) -> io::Result<Option<Box<dyn Descriptors>>> {
        Ok(None)
    }
}

/// An open file.
#[derive(Debug)]
struct FatFile {
    file: fat::File,
    identity: Identity,
}

impl Storage for FatFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        let end = offset.saturating_add(data.len() as u64);
        if end > self.file.len()? {
            self.file.set_len(end)?;
        }
        self.file.write_all_at(data, offset)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }
}

impl File for FatFile {
    fn metadata(&self) -> io::Result<Metadata> {
        Ok(Metadata {
            kind: Kind::File,
            len: self.file.len()?,
            identity: self.identity,
            links: 1,
        })
    }

    fn check_room(&self, len: u64, _extents: &[(u64, u64)]) -> io::Result<()> {
        self.file.can_set_len(len)
    }

    fn try_lock(&self) -> Result<(), TryLockError> {
        Ok(())
    }
}
