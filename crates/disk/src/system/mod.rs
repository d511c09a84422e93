//! Folders and files of this machine, on a mounted volume.

mod details;
mod file;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::any::Any;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use self::file::SystemFile;
#[cfg(unix)]
use self::unix::OpenDir;
#[cfg(unix)]
pub(crate) use self::unix::RawDir;
#[cfg(windows)]
use self::windows::OpenDir;
#[cfg(windows)]
pub(crate) use self::windows::RawDir;
use crate::details::Details;
use crate::dir::{Access, Dir};
use crate::error::{NotRegular, OpenError};
use crate::file::File;
use crate::metadata::{Kind, Metadata};
use crate::name::component;
use crate::places::Places;
use crate::security::{self, Descriptors, Protection, SystemDescriptors};

/// A name in a folder.
pub(crate) struct Entry {
    /// The name as spelled on disk.
    pub(crate) name: OsString,
    /// The metadata of the object.
    pub(crate) metadata: Metadata,
}

/// An open folder of this machine.
#[derive(Debug)]
pub(crate) struct SystemDir {
    dir: OpenDir,
    /// True if objects created in it are for the system and administrators only, if the file system
    /// stores Windows permissions.
    private: bool,
    /// The places of the volume's files.
    places: Places,
}

/// For a single file that a person named: the folder that holds it, and its name there.
///
/// Links on the way to the folder are followed, because the person chose that path. The file itself
/// needn't exist, but it mustn't be a link.
///
/// # Errors
/// [`OpenError::NoFileName`], [`OpenError::Link`], or the reason why the folder couldn't be opened.
/// A name that isn't valid Unicode can't be opened.
pub fn folder_and_name(path: &Path) -> Result<(Box<dyn Dir>, String), OpenError> {
    let name = path.file_name().ok_or_else(|| OpenError::NoFileName {
        path: path.to_path_buf(),
    })?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = SystemDir::open_ambient(parent)
        .map_err(|source| OpenError::from_io(parent.to_path_buf(), source))?;
    let io_error = |source| OpenError::from_io(path.to_path_buf(), source);
    match folder.look_at(name) {
        Ok(found) if found.kind == Kind::Link => Err(OpenError::Link {
            path: path.to_path_buf(),
        }),
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(io_error(source)),
        _ => {
            let name = name.to_str().ok_or_else(|| {
                io_error(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    format!("the name \"{}\" is not valid Unicode", name.display()),
                ))
            })?;
            Ok((Box::new(folder), name.to_owned()))
        }
    }
}

impl SystemDir {
    /// Opens a folder by any path of this machine; links are followed.
    pub(crate) fn open_ambient(path: &Path) -> io::Result<Self> {
        Ok(Self {
            dir: OpenDir::open_ambient(path)?,
            private: false,
            places: Places::default(),
        })
    }

    /// The same folder as the root of a volume. From now on, what is opened through it must be
    /// where its own record says, if that can be found out.
    pub(crate) fn with_places(self) -> Self {
        let places = Places::of(&self);
        Self { places, ..self }
    }

    /// The places of the volume's files.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// The handle, for calls that take an open folder.
    pub(crate) fn raw(&self) -> &RawDir {
        self.dir.raw()
    }

    /// A second handle to the same folder.
    pub(crate) fn clone_handle(&self) -> io::Result<Self> {
        Ok(Self {
            dir: self.dir.try_clone()?,
            private: self.private,
            places: self.places.clone(),
        })
    }

    /// True if both are the same folder of the same volume, even if they were opened by different
    /// paths.
    #[cfg(unix)]
    pub(crate) fn is_same(&self, other: &Self) -> io::Result<bool> {
        Ok(self.own_metadata()?.identity == other.own_metadata()?.identity)
    }

    /// True if both are the same folder of the same volume, even if they were opened by different
    /// paths. Volume serial number and file index don't show that, because a clone of a disk has
    /// the same.
    #[cfg(windows)]
    pub(crate) fn is_same(&self, other: &Self) -> io::Result<bool> {
        Ok(crate::nt::volume_path(self.raw())? == crate::nt::volume_path(other.raw())?)
    }

    /// The metadata of a name in the system's spelling; for a link, of the link itself.
    pub(crate) fn look_at(&self, name: &OsStr) -> io::Result<Metadata> {
        self.dir.metadata(component(name)?)
    }

    /// Opens a folder by a name in the system's spelling.
    pub(crate) fn open_subfolder(&self, name: &OsStr) -> io::Result<Self> {
        let name = component(name)?;
        let folder = Self {
            dir: self.dir.open_dir(name)?,
            private: self.private,
            places: self.places.clone(),
        };
        if !self.private {
            let identity = folder.own_metadata()?.identity;
            self.places.check(self, name.as_os_str(), identity)?;
        }
        Ok(folder)
    }

    /// All names in the folder with their metadata, in the order of their bytes. An error if there
    /// are more than `limit`.
    pub(crate) fn list(&self, limit: usize) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for name in self.system_names(limit)? {
            // The kind in the folder's own listing isn't used, because some drivers fill it in
            // carelessly.
            match self.look_at(&name) {
                Ok(metadata) => entries.push(Entry { name, metadata }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(entries)
    }

    /// All names in the folder, in the order of their bytes.
    fn system_names(&self, limit: usize) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for name in self.dir.names()? {
            let name = name?;
            if names.len() == limit {
                return Err(too_many(limit));
            }
            names.push(name);
        }
        names.sort();
        Ok(names)
    }

    /// Makes a newly created object accessible to the system and administrators only, if creating
    /// it didn't do so.
    #[cfg(not(windows))]
    fn make_private(&self, name: &Path, is_folder: bool) -> io::Result<()> {
        security::make_private(self, name.as_os_str(), is_folder)
    }

    /// Folders are created that way, and files inherit it from their folder.
    #[cfg(windows)]
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "there is something to do elsewhere"
    )]
    fn make_private(&self, _name: &Path, _is_folder: bool) -> io::Result<()> {
        Ok(())
    }
}

/// The error for a folder with too many names.
pub(crate) fn too_many(limit: usize) -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        format!("more than {limit} names in the folder"),
    )
}

impl Dir for SystemDir {
    fn try_clone(&self) -> io::Result<Box<dyn Dir>> {
        Ok(Box::new(self.clone_handle()?))
    }

    fn own_metadata(&self) -> io::Result<Metadata> {
        self.dir.own_metadata()
    }

    fn metadata(&self, name: &str) -> io::Result<Metadata> {
        self.look_at(name.as_ref())
    }

    fn names(&self, limit: usize) -> io::Result<Vec<String>> {
        let names = self.system_names(limit)?.into_iter();
        Ok(names.filter_map(|name| name.into_string().ok()).collect())
    }

    fn spellings(&self, name: &str) -> io::Result<Vec<String>> {
        self.dir.spellings(name)
    }

    fn open(&self, name: &str, access: Access) -> io::Result<Box<dyn File>> {
        let name = component(name.as_ref())?;
        let kind = self.dir.metadata(name)?.kind;
        if kind != Kind::File {
            return Err(NotRegular { kind }.into());
        }
        // By now, something else may have the name. No link is followed, opening doesn't wait for
        // the other end of a FIFO, and the opened object is checked again.
        let file = SystemFile::new(self.dir.open_file(name, access)?)?;
        // Nobody else can have put a file into a private folder.
        if self.private {
            return Ok(Box::new(file));
        }
        let names = self
            .places
            .check(self, name.as_os_str(), file.identity()?)?;
        Ok(Box::new(file.named(names)))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        let name = component(name.as_ref())?;
        let file = SystemFile::new(self.dir.create_file(name)?)?;
        if self.private
            && let Err(error) = self.make_private(name, false)
        {
            // Nothing was written to it. If it stays, it is empty.
            let _ = self.dir.remove_file(name);
            return Err(error);
        }
        Ok(Box::new(file))
    }

    fn remove_file(&self, name: &str) -> io::Result<()> {
        self.dir.remove_file(component(name.as_ref())?)
    }

    fn can_remove(&self, name: &str) -> io::Result<()> {
        details::can_remove(self, component(name.as_ref())?)
    }

    fn details(&self, name: &str) -> io::Result<Details> {
        details::get(self, component(name.as_ref())?)
    }

    fn set_details(&self, name: &str, details: &Details) -> io::Result<()> {
        details::set(self, component(name.as_ref())?, details)
    }

    fn can_rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (component(from.as_ref())?, component(to.as_ref())?);
        details::can_rename(self, from, to)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (component(from.as_ref())?, component(to.as_ref())?);
        details::can_rename(self, from, to)?;
        self.dir.rename_new(from, to)
    }

    fn replace(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (component(from.as_ref())?, component(to.as_ref())?);
        self.dir.rename(from, to)
    }

    fn move_to(&self, name: &str, folder: &(dyn Dir + 'static), new_name: &str) -> io::Result<()> {
        let (name, new_name) = (component(name.as_ref())?, component(new_name.as_ref())?);
        let folder = (folder as &dyn Any).downcast_ref::<Self>();
        let folder = folder.ok_or(io::ErrorKind::CrossesDevices)?;
        if self.dir.metadata(name)?.kind == Kind::Folder {
            return Err(NotRegular { kind: Kind::Folder }.into());
        }
        self.dir.move_to(name, &folder.dir, new_name)
    }

    fn can_rename_folder(&self, name: &str, new_name: &str) -> io::Result<()> {
        let (name, new_name) = (component(name.as_ref())?, component(new_name.as_ref())?);
        details::can_rename_folder(self, name, new_name)
    }

    fn rename_folder(&self, name: &str, new_name: &str) -> io::Result<()> {
        let (name, new_name) = (component(name.as_ref())?, component(new_name.as_ref())?);
        details::can_rename_folder(self, name, new_name)?;
        self.dir.move_to(name, &self.dir, new_name)
    }

    fn open_dir(&self, name: &str) -> io::Result<Box<dyn Dir>> {
        Ok(Box::new(self.open_subfolder(name.as_ref())?))
    }

    fn open_private_dir(&self, name: &str) -> io::Result<Box<dyn Dir>> {
        Ok(Box::new(Self {
            private: true,
            ..self.open_subfolder(name.as_ref())?
        }))
    }

    fn create_dir(&self, name: &str) -> io::Result<()> {
        let name = component(name.as_ref())?;
        self.dir.create_dir(name)?;
        self.make_private(name, true)
            .inspect_err(|_| drop(self.dir.remove_dir(name)))
    }

    fn remove_dir(&self, name: &str) -> io::Result<()> {
        self.dir.remove_dir(component(name.as_ref())?)
    }

    /// That is only possible on a volume that no running Windows has mounted. A running Windows
    /// could have let somebody open the folder before.
    fn take_over_empty_dir(&self, name: &str) -> io::Result<bool> {
        let name = component(name.as_ref())?;
        let is_empty = || {
            let folder = self.open_subfolder(name.as_os_str())?;
            let first = folder.dir.names()?.next();
            Ok::<_, io::Error>(first.is_none())
        };
        if cfg!(windows) || !is_empty()? {
            return Ok(false);
        }
        self.make_private(name, true)?;
        is_empty()
    }

    fn protection(&self) -> io::Result<Protection> {
        security::protection(self, None)
    }

    fn protection_of(&self, name: &str) -> io::Result<Protection> {
        security::protection(self, Some(name))
    }

    fn sync(&self) -> io::Result<()> {
        self.dir.sync()
    }

    fn descriptors(&self) -> io::Result<Option<Box<dyn Descriptors>>> {
        let found = SystemDescriptors::below(self)?;
        Ok(found.map(|found| Box::new(found) as Box<dyn Descriptors>))
    }
}
