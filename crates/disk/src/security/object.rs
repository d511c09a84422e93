//! One file or folder, opened for its security descriptor.

use std::ffi::OsStr;
use std::sync::Arc;

use super::error::ObjectError;
use super::own_places::OwnPlaces;
use super::{Handle, SystemDescriptors};
use crate::dir::Dir;
use crate::metadata::{Identity, Kind};
use crate::nt_path::NtPath;
use crate::places::Misplaced;
use crate::system::SystemDir;

/// A file or folder and its security descriptor.
#[derive(Debug)]
#[non_exhaustive]
pub struct Object {
    /// Its path below the root.
    pub path: NtPath,
    /// Its kind: a file or a folder. If the descriptor wasn't read, it may be something else.
    pub kind: Option<Kind>,
    /// The descriptor's bytes, or the reason why they weren't read.
    pub descriptor: Result<Vec<u8>, ObjectError>,
}

impl Object {
    /// An object that was read.
    #[must_use]
    pub const fn sound(path: NtPath, kind: Kind, descriptor: Vec<u8>) -> Self {
        Self {
            path,
            kind: Some(kind),
            descriptor: Ok(descriptor),
        }
    }

    /// An object that wasn't read.
    #[must_use]
    pub const fn failed(path: NtPath, error: ObjectError) -> Self {
        Self {
            path,
            kind: None,
            descriptor: Err(error),
        }
    }
}

/// An open object that may be read and changed.
pub(super) struct Opened {
    pub(super) handle: Handle,
    pub(super) kind: Kind,
    /// Its inode.
    pub(super) inode: u64,
}

/// The last opened folder. Neighbours need it again.
#[derive(Clone, Default)]
pub(super) struct Parents {
    last: Option<(NtPath, Arc<SystemDir>)>,
}

impl Parents {
    /// Starts with the folder that holds the object at a path.
    pub(super) fn of(volume: &SystemDescriptors, path: &NtPath) -> Self {
        let mut parents = Self::default();
        if let Some((parent, _)) = path.split_last() {
            // If the folder can't be opened, opening the object reports it.
            let _ = parents.folder(volume, parent);
        }
        parents
    }

    fn folder(
        &mut self,
        volume: &SystemDescriptors,
        path: NtPath,
    ) -> Result<&SystemDir, ObjectError> {
        let folder = match self.last.take() {
            Some((last, folder)) if last == path => folder,
            _ => Arc::new(volume.open_folder(&path)?),
        };
        Ok(&self.last.insert((path, folder)).1)
    }
}

impl SystemDescriptors {
    /// Opens a folder one name at a time. No link is followed, and no mount is entered.
    pub(super) fn open_folder(&self, path: &NtPath) -> Result<SystemDir, ObjectError> {
        let mut folder = self
            .root
            .clone_handle()
            .map_err(ObjectError::io("open the root"))?;
        let mut at = NtPath::default();
        for name in path.names() {
            let name = name.ok_or(ObjectError::Name)?;
            at = at.join(&name).ok_or(ObjectError::Name)?;
            folder = self.open_subfolder(&folder, &name, &at)?;
        }
        Ok(folder)
    }

    /// Opens a folder in a folder. `path` is the path of the folder to open.
    pub(super) fn open_subfolder(
        &self,
        parent: &SystemDir,
        name: &OsStr,
        path: &NtPath,
    ) -> Result<SystemDir, ObjectError> {
        let folder = parent.open_subfolder(name);
        let folder = folder.map_err(|error| match error.downcast::<Misplaced>() {
            Ok(Misplaced { number }) => ObjectError::Elsewhere { number },
            Err(error) => match parent.look_at(name) {
                Ok(metadata) if metadata.kind == Kind::Link => ObjectError::Link,
                _ => ObjectError::io("open the folder")(error),
            },
        })?;
        let metadata = folder.own_metadata();
        let metadata = metadata.map_err(ObjectError::io("look at the folder"))?;
        if metadata.identity.device != self.device {
            return Err(ObjectError::OtherVolume);
        }
        self.check_place(parent, name, path, metadata.identity.inode)?;
        Ok(folder)
    }

    /// Checks that a folder's index leads to an object in this folder, if that can be found out.
    fn check_place(
        &self,
        parent: &SystemDir,
        name: &OsStr,
        path: &NtPath,
        inode: u64,
    ) -> Result<(), ObjectError> {
        let own_places = self
            .own_places
            .get_or_init(|| OwnPlaces::of(&self.root, self.device));
        if !self.root.places().are_known() {
            own_places.check_whole()?;
        }
        if let Some(known) = own_places.get(inode)
            && !known.is(path)
        {
            let path = known.clone();
            return Err(ObjectError::SameAs { path });
        }
        if self.tells_records() && diskmend_image::ntfs::Volume::is_own_record(inode) {
            return Err(ObjectError::OwnFile { number: inode });
        }
        let device = self.device;
        let checked = self
            .root
            .places()
            .check(parent, name, Identity { device, inode });
        let names = checked.map_err(|error| match error.downcast::<Misplaced>() {
            Ok(Misplaced { number }) => ObjectError::Elsewhere { number },
            Err(error) => ObjectError::io("look at its record")(error),
        })?;
        match names {
            Some(names) if names > 1 => Err(ObjectError::HardLinked { names }),
            _ => Ok(()),
        }
    }

    /// True if inodes are record numbers, which the root's inode shows. Windows puts a sequence
    /// number in front.
    fn tells_records(&self) -> bool {
        const ROOT: u64 = 5;
        let own = self.own_places.get();
        own.and_then(|own| own.get(ROOT))
            .is_some_and(NtPath::is_root)
    }

    /// Opens the object at a path.
    pub(super) fn open(&self, path: &NtPath, parents: &mut Parents) -> Result<Opened, ObjectError> {
        let Some((parent, _)) = path.split_last() else {
            let handle =
                Handle::of(&self.root, &self.keeping).map_err(ObjectError::io("open the root"))?;
            let inode = handle.metadata().map_err(ObjectError::io("look at it"))?;
            return Ok(Opened {
                handle,
                kind: Kind::Folder,
                inode: inode.identity.inode,
            });
        };
        let name = path.name().ok_or(ObjectError::Name)?;
        self.open_in(parents.folder(self, parent)?, &name, path)
    }

    /// Opens an object by its name in a folder and checks that its descriptor may be changed.
    /// `path` is the object's path.
    pub(super) fn open_in(
        &self,
        parent: &SystemDir,
        name: &OsStr,
        path: &NtPath,
    ) -> Result<Opened, ObjectError> {
        let handle = Handle::open(parent, name, &self.keeping)
            .map_err(ObjectError::io("open it for its security descriptor"))?;
        let metadata = handle.metadata().map_err(ObjectError::io("look at it"))?;
        match metadata.kind {
            Kind::File | Kind::Folder => {}
            Kind::Link => return Err(ObjectError::Link),
            Kind::Other => return Err(ObjectError::Special),
        }
        if metadata.identity.device != self.device {
            return Err(ObjectError::OtherVolume);
        }
        if metadata.kind == Kind::File && metadata.links > 1 {
            let short = u64::from(handle.counts_short_name());
            let names = metadata.links.saturating_sub(short);
            if names > 1 {
                return Err(ObjectError::HardLinked { names });
            }
        }
        let inode = metadata.identity.inode;
        self.check_place(parent, name, path, inode)?;
        let kind = metadata.kind;
        Ok(Opened {
            handle,
            kind,
            inode,
        })
    }
}
