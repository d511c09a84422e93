//! One file or folder, opened for its security descriptor.

use std::ffi::OsStr;
use std::io;
use std::sync::Arc;

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

/// The reason why an object isn't changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The object is a symbolic link, a junction or another reparse point. It is neither followed
    /// nor changed.
    #[error("a link or reparse point, which is neither followed nor changed")]
    Link,
    /// Another volume is mounted on the folder.
    #[error("another volume is mounted here, which diskmend doesn't enter")]
    OtherVolume,
    /// The object is a device, FIFO or socket.
    #[error("a device, FIFO or socket")]
    Special,
    /// The file has other names, which may be anywhere on the volume. Whoever opens the file there
    /// would be affected by the change. A folder has one name, but a forged record may hold more.
    #[error("it has {names} names (hard links), and the others may be elsewhere")]
    HardLinked {
        /// The number of its names; the short name for DOS doesn't count.
        names: u64,
    },
    /// The file was found in the index of a folder that it isn't in. The index is damaged or
    /// forged.
    #[error(
        "the folder's index is damaged: it leads to file {number}, but that file's own record says \
         that it isn't here"
    )]
    Elsewhere {
        /// The number of the file's record.
        number: u64,
    },
    /// The index of a folder leads to a file that is known to be elsewhere.
    #[error("the folder's index is damaged: it leads to {path}, which has only one name")]
    SameAs {
        /// The path at which the file is.
        path: NtPath,
    },
    /// A forged index may lead to one of the files that Windows starts from. Only their places
    /// could show that, and one of these is unknown.
    #[error(
        "diskmend can't tell which file this is: it can't read the volume's records, and it can't \
         look up {path}, which a damaged or forged index may lead to: {reason}"
    )]
    PlacesUnknown {
        /// The path that can't be looked up.
        path: NtPath,
        /// The reason.
        reason: String,
    },
    /// The file is one of the volume's own, such as `$MFT`.
    #[error("one of the volume's own files (number {number}), which diskmend doesn't change")]
    OwnFile {
        /// The number of the file's record.
        number: u64,
    },
    /// The driver doesn't show the object's descriptor. The kernel's ntfs3 shows only descriptors
    /// in `$Secure` and not those in a file's own record. Windows NT 4, and ntfs-3g without its
    /// option `permissions`, store them there.
    #[error("the driver shows no security descriptor of it")]
    NoDescriptor,
    /// NTFS can't hold this name.
    #[error("not a valid name on NTFS")]
    Name,
    /// The folder is deeper than the limit.
    #[error("the folders in it are skipped, because it is {depth} folders deep")]
    TooDeep {
        /// The number of folders between the start of the walk and this one.
        depth: usize,
    },
    /// The object has vanished or has become another kind.
    #[error("it was {expected} before, and is now {found}")]
    Other {
        /// The kind before.
        expected: Kind,
        /// The kind now.
        found: Kind,
    },
    /// The descriptor is neither the old nor the new one of the change.
    #[error("its security descriptor was changed by somebody else meanwhile")]
    ChangedMeanwhile,
    /// Reading back gave other bytes than were written.
    #[error("reading back its security descriptor gave another one than was written")]
    ReadBack,
    /// The system's error.
    #[error("cannot {action}")]
    Io {
        /// The action that failed.
        action: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

impl ObjectError {
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }

    /// True if the path has something other than a file or folder of this volume, false if the
    /// object couldn't be read or changed.
    #[must_use]
    pub const fn is_by_nature(&self) -> bool {
        matches!(self, Self::Link | Self::OtherVolume | Self::Special)
    }
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
