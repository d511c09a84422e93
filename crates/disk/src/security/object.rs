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
    /// What it is: a file or a folder, and also something else where the descriptor was not read.
    pub kind: Option<Kind>,
    /// The descriptor's bytes, or why they were not read.
    pub descriptor: Result<Vec<u8>, ObjectError>,
}

/// Why an object is left alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// A symbolic link, a junction or another reparse point: not followed, not changed.
    #[error("a link or reparse point, which is neither followed nor changed")]
    Link,
    /// Another volume is mounted there.
    #[error("another volume is mounted here, which is not entered")]
    OtherVolume,
    /// A device, FIFO or socket.
    #[error("a device, FIFO or socket")]
    Special,
    /// It has other names, which may lie anywhere on the volume, and whoever opens it there would be
    /// subject to the change. A folder has one, but a forged record may tell of more.
    #[error("it has {names} names (hard links), of which others may lie elsewhere")]
    HardLinked {
        /// How many names it has, the short one for DOS not counted.
        names: u64,
    },
    /// The file is reached by an entry of a folder in which it does not lie: the folder's index is
    /// damaged, or was forged.
    #[error(
        "the folder's index is damaged: by its own record the file with the number {number} does \
         not lie here"
    )]
    Elsewhere {
        /// The number of its record.
        number: u64,
    },
    /// The same, of a file that has another place.
    #[error("the folder's index is damaged: it is the same as {path}, which has only one name")]
    SameAs {
        /// The other place.
        path: NtPath,
    },
    /// Only the places of what Windows starts from tell here what a forged entry leads to, and one
    /// of them is not known.
    #[error(
        "what it really is can't be told: the volume's records can't be read, and {path}, which a \
         damaged or forged entry may lead to, can't be looked up: {reason}"
    )]
    PlacesUnknown {
        /// What can't be looked up.
        path: NtPath,
        /// Why.
        reason: String,
    },
    /// One of the volume's own files, `$MFT` and the like.
    #[error("one of the volume's own files (number {number}), which is left alone")]
    OwnFile {
        /// The number of its record.
        number: u64,
    },
    /// The driver shows no descriptor of it. The kernel's ntfs3 shows those in `$Secure` only, and
    /// not one in the file's own record, where Windows NT 4 and ntfs-3g without its option
    /// `permissions` keep it.
    #[error("the driver shows no security descriptor of it")]
    NoDescriptor,
    /// The name is none that NTFS could hold.
    #[error("not a name of NTFS")]
    Name,
    /// The folder lies deeper than is looked.
    #[error("folders within it are not looked at: it lies {depth} folders deep")]
    TooDeep {
        /// How deep it lies below where the walk began.
        depth: usize,
    },
    /// It is gone, or is no longer what it was.
    #[error("it was {expected} before, and is now {found}")]
    Other {
        /// What it was.
        expected: Kind,
        /// What is there now.
        found: Kind,
    },
    /// The descriptor is neither the one from before the change nor the one from after it.
    #[error("its security descriptor was changed by somebody else meanwhile")]
    ChangedMeanwhile,
    /// What was read back after the change is not what was written.
    #[error("reading its security descriptor back found another than was written")]
    ReadBack,
    /// What the system reported.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the system reported.
        source: io::Error,
    },
}

impl ObjectError {
    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }

    /// Whether it stands for what is there instead of a file or folder of this volume, as opposed
    /// to one that could not be read or changed.
    #[must_use]
    pub const fn is_by_nature(&self) -> bool {
        matches!(self, Self::Link | Self::OtherVolume | Self::Special)
    }
}

impl Object {
    /// One that was read.
    #[must_use]
    pub const fn sound(path: NtPath, kind: Kind, descriptor: Vec<u8>) -> Self {
        Self {
            path,
            kind: Some(kind),
            descriptor: Ok(descriptor),
        }
    }

    /// One that was not read.
    #[must_use]
    pub const fn failed(path: NtPath, error: ObjectError) -> Self {
        Self {
            path,
            kind: None,
            descriptor: Err(error),
        }
    }
}

/// An object that is open and may be looked at and changed.
pub(super) struct Opened {
    pub(super) handle: Handle,
    pub(super) kind: Kind,
    /// Its inode.
    pub(super) inode: u64,
}

/// The folder that was opened last: neighbours need it again.
#[derive(Clone, Default)]
pub(super) struct Parents {
    last: Option<(NtPath, Arc<SystemDir>)>,
}

impl Parents {
    /// Begins with the folder that holds the object at a path.
    pub(super) fn of(volume: &SystemDescriptors, path: &NtPath) -> Self {
        let mut parents = Self::default();
        if let Some((parent, _)) = path.split_last() {
            // Where it can't be opened, the object's own turn says so.
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
    /// Opens a folder one name at a time; no link is followed, no mount entered.
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

    /// Opens a folder in a folder; `path` is where that is.
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

    /// Makes sure that what an entry of a folder leads to lies there, as far as that can be known.
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
            Some(names) if names > 1 => Err(ObjectError::HardLinked {
                names: names.into(),
            }),
            _ => Ok(()),
        }
    }

    /// Whether inodes are the numbers of records: then the root has that of its own. Windows puts a
    /// sequence number in front.
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

    /// Opens an object by its name in a folder, and makes sure that it is one whose descriptor may
    /// be changed; `path` is where it is.
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
