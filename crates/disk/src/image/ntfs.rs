//! Folders and files of an NTFS volume on a disk that isn't mounted.

use std::fs::TryLockError;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use diskmend_base::Storage;
use diskmend_image::device::Device;
use diskmend_image::ntfs::secure::Secure;
use diskmend_image::ntfs::{self, FileId, VolumeError};

use super::descriptors::ImageDescriptors;
use super::names::{Named, choose, not_on_an_image, refuse, spellings};
use crate::details::{Details, regular};
use crate::dir::{Access, Dir};
use crate::error::{NotRegular, not_a_folder};
use crate::file::File;
use crate::filetime;
use crate::metadata::{Identity, Kind, Metadata};
use crate::name::component;
use crate::security::Descriptors;
use crate::system::too_many;

/// The notice about a volume on which one of the readers can't find all files.
const SPREAD_MFT: &str = "the NTFS volume's $MFT needs several records to describe it. The ntfs \
                          crate can't read files in its later parts, so only diskmend's own \
                          reading of the raw records confirms where these files are";

/// A folder, by its record. Clones are the same folder.
#[derive(Clone, Debug)]
pub(crate) struct NtfsDir {
    volume: ntfs::Volume,
    secure: Arc<Secure>,
    /// A number that no other volume has.
    number: u64,
    id: FileId,
}

impl NtfsDir {
    /// The root folder of the volume on a device. `number` identifies the volume here.
    pub(super) fn open(device: Arc<dyn Device>, number: u64) -> Result<Self, VolumeError> {
        let volume = ntfs::Volume::open(device)?;
        Ok(Self {
            secure: Arc::new(Secure::new(&volume)),
            id: volume.root(),
            volume,
            number,
        })
    }

    pub(crate) fn volume(&self) -> &ntfs::Volume {
        &self.volume
    }

    pub(super) fn secure(&self) -> &Secure {
        &self.secure
    }

    pub(super) fn notices(&self) -> Vec<String> {
        if self.volume.has_spread_mft() {
            vec![SPREAD_MFT.to_owned()]
        } else {
            Vec::new()
        }
    }

    fn metadata_of(&self, id: FileId) -> io::Result<Metadata> {
        let found = self.volume.metadata(id)?;
        Ok(Metadata {
            kind: found.kind.into(),
            len: found.len,
            identity: Identity {
                device: self.number,
                inode: id.record,
            },
            links: found.links,
        })
    }

    /// Every name in this folder that Windows finds for `name`, with its record.
    fn find_all(&self, name: &str) -> io::Result<Vec<Named<FileId>>> {
        component(name.as_ref())?;
        let units: Vec<u16> = name.encode_utf16().collect();
        let found = self.volume.find_all(self.id, &units)?.into_iter();
        let named = found.filter_map(|entry| {
            let name = String::from_utf16(&entry.name).ok()?;
            Some(Named { name, at: entry.id })
        });
        Ok(named.collect())
    }

    /// The name as it is spelled on the disk.
    fn spelled(&self, name: &str) -> io::Result<Vec<u16>> {
        let found = choose(self.find_all(name)?, name)?;
        Ok(found.name.encode_utf16().collect())
    }

    /// The name of a folder as it is spelled on the disk.
    fn spelled_folder(&self, name: &str) -> io::Result<Vec<u16>> {
        let found = choose(self.find_all(name)?, name)?;
        match self.metadata_of(found.at)?.kind {
            Kind::Folder => Ok(found.name.encode_utf16().collect()),
            kind => Err(not_a_folder(kind)),
        }
    }

    fn child(&self, name: &str) -> io::Result<FileId> {
        Ok(choose(self.find_all(name)?, name)?.at)
    }
}

/// A name in UTF-16 units.
fn units(name: &str) -> io::Result<Vec<u16>> {
    component(name.as_ref())?;
    Ok(name.encode_utf16().collect())
}

impl From<ntfs::Kind> for Kind {
    fn from(kind: ntfs::Kind) -> Self {
        match kind {
            ntfs::Kind::File => Self::File,
            ntfs::Kind::Folder => Self::Folder,
            ntfs::Kind::Link => Self::Link,
            ntfs::Kind::Other => Self::Other,
        }
    }
}

impl Dir for NtfsDir {
    fn try_clone(&self) -> io::Result<Box<dyn Dir>> {
        Ok(Box::new(self.clone()))
    }

    fn own_metadata(&self) -> io::Result<Metadata> {
        self.metadata_of(self.id)
    }

    fn metadata(&self, name: &str) -> io::Result<Metadata> {
        self.metadata_of(self.child(name)?)
    }

    fn names(&self, limit: usize) -> io::Result<Vec<String>> {
        let entries = self.volume.list(self.id)?;
        if entries.len() > limit {
            return Err(too_many(limit));
        }
        let names = entries.iter().map(|entry| String::from_utf16(&entry.name));
        let mut names: Vec<String> = names.filter_map(Result::ok).collect();
        names.sort();
        Ok(names)
    }

    fn spellings(&self, name: &str) -> io::Result<Vec<String>> {
        Ok(spellings(self.find_all(name)?, name))
    }

    fn open(&self, name: &str, _access: Access) -> io::Result<Box<dyn File>> {
        let id = self.child(name)?;
        match self.metadata_of(id)?.kind {
            Kind::File => Ok(Box::new(NtfsFile {
                file: self.volume.file(id)?,
                dir: self.clone(),
                id,
            })),
            kind => Err(NotRegular { kind }.into()),
        }
    }

    fn can_create(&self, name: &str, _len: u64) -> io::Result<()> {
        refuse(name, "creates no file on NTFS")
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        if !self.find_all(name)?.is_empty() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        refuse(name, "creates no file on NTFS")
    }

    fn can_remove(&self, name: &str) -> io::Result<()> {
        Ok(self.volume.can_remove(self.id, &self.spelled(name)?)?)
    }

    fn remove_file(&self, name: &str) -> io::Result<()> {
        let name = self.spelled(name)?;
        Ok(self.volume.remove(self.id, &name, filetime::now())?)
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
        refuse(name, "creates no file on NTFS")
    }

    fn can_rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.spelled(from)?, units(to)?);
        Ok(self.volume.can_rename(self.id, &from, &to)?)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.spelled(from)?, units(to)?);
        Ok(self.volume.rename(self.id, &from, &to, filetime::now())?)
    }

    fn can_rename_folder(&self, name: &str, new_name: &str) -> io::Result<()> {
        let (from, to) = (self.spelled_folder(name)?, units(new_name)?);
        Ok(self.volume.can_rename_folder(self.id, &from, &to)?)
    }

    fn rename_folder(&self, name: &str, new_name: &str) -> io::Result<()> {
        let (from, to) = (self.spelled_folder(name)?, units(new_name)?);
        let now = filetime::now();
        Ok(self.volume.rename_folder(self.id, &from, &to, now)?)
    }

    fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        component(from.as_ref())?;
        refuse(to, "replaces no name")
    }

    fn open_dir(&self, name: &str) -> io::Result<Box<dyn Dir>> {
        let id = self.child(name)?;
        match self.metadata_of(id)?.kind {
            Kind::Folder => Ok(Box::new(Self { id, ..self.clone() })),
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
        Ok(self.volume.sync()?)
    }

    fn descriptors(&self) -> io::Result<Option<Box<dyn Descriptors>>> {
        if self.id != self.volume.root() {
            return Err(not_on_an_image("finds descriptors only from the root"));
        }
        Ok(Some(Box::new(ImageDescriptors::new(
            self.try_clone()?,
            self.volume.clone(),
            Arc::clone(&self.secure),
        ))))
    }
}

/// An open file.
#[derive(Debug)]
struct NtfsFile {
    file: ntfs::File,
    /// The folder that it was opened in, which holds the volume.
    dir: NtfsDir,
    id: FileId,
}

impl Storage for NtfsFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.len())
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        Ok(self.file.read(buf, offset)?)
    }

    fn write_all_at(&mut self, data: &[u8], offset: u64) -> io::Result<()> {
        let end = offset.saturating_add(data.len() as u64);
        if end > self.file.len() {
            self.file.set_len(end)?;
        }
        Ok(self.file.write(data, offset)?)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        Ok(self.file.set_len(len)?)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(self.file.sync()?)
    }
}

impl File for NtfsFile {
    fn metadata(&self) -> io::Result<Metadata> {
        let metadata = self.dir.metadata_of(self.id)?;
        Ok(Metadata {
            len: self.file.len(),
            ..metadata
        })
    }

    fn modified(&self) -> io::Result<Option<SystemTime>> {
        let metadata = self.dir.volume.metadata(self.id)?;
        Ok(filetime::to_system(metadata.modified))
    }

    fn check_room(&self, len: u64, extents: &[(u64, u64)]) -> io::Result<()> {
        Ok(self.file.check_write(len, extents)?)
    }

    fn touch(&mut self) -> io::Result<()> {
        Ok(self.file.touch(filetime::now())?)
    }

    fn check_in_place(&self) -> io::Result<()> {
        Ok(self.file.check_in_place()?)
    }

    fn stored_len(&self) -> io::Result<Option<u64>> {
        Ok(Some(self.file.stored_len()))
    }

    fn try_lock(&self) -> Result<(), TryLockError> {
        Ok(())
    }
}
