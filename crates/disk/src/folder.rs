//! An open folder, and everything that can be done to the names in it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use crate::dir::{Dir, DirHandle, SystemDir, not_on_an_image};
use crate::error::{NotRegular, OpenError};
use crate::file::File;
use crate::image::ImageDir;
use crate::metadata::{Kind, Metadata};
use crate::name::component;
use crate::places::Places;

/// What an open file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only.
    Read,
    /// Reading and writing in place.
    ReadWrite,
}

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The name as spelled on disk.
    pub name: OsString,
    /// What it stands for.
    pub metadata: Metadata,
}

/// An open folder.
///
/// Every method takes the name of a direct child: names that could lead elsewhere (separators,
/// `..`) are [`io::ErrorKind::InvalidInput`], and a link is never followed. The folder stays the
/// same one if it is renamed or its path is redirected meanwhile.
#[derive(Debug)]
pub struct Folder {
    dir: Dir,
    /// Whether what is created in it is for the system and administrators only, where the file
    /// system keeps Windows's permissions.
    private: bool,
    /// What is known of the places of the volume's files.
    places: Places,
}

impl Folder {
    /// Opens a folder by any path of this machine, links included.
    pub(crate) fn open_ambient(path: &Path) -> io::Result<Self> {
        let dir = Dir::System(SystemDir::open_ambient(path)?);
        Ok(Self {
            dir,
            private: false,
            places: Places::default(),
        })
    }

    /// A folder of a disk that is not mounted.
    pub(crate) fn on_image(dir: ImageDir) -> Self {
        let dir = Dir::Image(dir);
        Self {
            dir,
            private: false,
            places: Places::default(),
        }
    }

    /// The same folder, which is the root of a volume: what is opened through it from now on must
    /// lie where the name says by its own record, as far as that can be known.
    pub(crate) fn with_places(self) -> Self {
        let places = match self.dir {
            Dir::System(_) => Places::of(&self),
            Dir::Image(_) => Places::default(),
        };
        Self { places, ..self }
    }

    /// What is known of the places of the volume's files.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// The folder of a disk that is not mounted, if it is one.
    pub(crate) fn image(&self) -> Option<&ImageDir> {
        match &self.dir {
            Dir::Image(dir) => Some(dir),
            Dir::System(_) => None,
        }
    }

    /// For a single file that a person named: the folder that holds it, and its name in there.
    ///
    /// Links on the way to the folder are followed, since the person chose that path. The file
    /// itself need not exist, but must not be a link.
    ///
    /// # Errors
    /// [`OpenError::NoFileName`], [`OpenError::Link`], or why the folder could not be opened.
    pub fn containing(path: &Path) -> Result<(Self, OsString), OpenError> {
        let name = path.file_name().ok_or_else(|| OpenError::NoFileName {
            path: path.to_path_buf(),
        })?;
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let folder = Self::open_ambient(parent)
            .map_err(|source| OpenError::from_io(parent.to_path_buf(), source))?;
        match folder.metadata(name) {
            Ok(found) if found.kind == Kind::Link => Err(OpenError::Link {
                path: path.to_path_buf(),
            }),
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(OpenError::from_io(path.to_path_buf(), source))
            }
            _ => Ok((folder, name.to_os_string())),
        }
    }

    /// The handle, for calls that name an open folder of the system.
    pub(crate) fn as_dir(&self) -> io::Result<&DirHandle> {
        match &self.dir {
            Dir::System(dir) => Ok(dir.handle()),
            Dir::Image(_) => Err(not_on_an_image("the system knows no folders")),
        }
    }

    /// A second handle to the same folder.
    ///
    /// # Errors
    /// What the system reported.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            dir: self.dir.try_clone()?,
            private: self.private,
            places: self.places.clone(),
        })
    }

    /// Metadata of the folder itself.
    ///
    /// # Errors
    /// What the system reported.
    pub fn own_metadata(&self) -> io::Result<Metadata> {
        self.dir.own_metadata()
    }

    /// Whether both are the same folder of the same volume, by whatever paths they were opened.
    #[cfg(unix)]
    pub(crate) fn is_same(&self, other: &Self) -> io::Result<bool> {
        Ok(self.own_metadata()?.identity == other.own_metadata()?.identity)
    }

    /// Whether both are the same folder of the same volume, by whatever paths they were opened.
    /// Not by volume serial number and file index: a clone of a disk has the same.
    #[cfg(windows)]
    pub(crate) fn is_same(&self, other: &Self) -> io::Result<bool> {
        if self.image().is_some() || other.image().is_some() {
            return Ok(self.own_metadata()?.identity == other.own_metadata()?.identity);
        }
        Ok(crate::nt::volume_path(self.as_dir()?)? == crate::nt::volume_path(other.as_dir()?)?)
    }

    /// Metadata of a name, not of what a link points to.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the system reported.
    pub fn metadata(&self, name: impl AsRef<OsStr>) -> io::Result<Metadata> {
        self.dir.metadata(component(name.as_ref())?)
    }

    /// Opens a regular file. Nothing else is ever opened, so this does not block on a FIFO or
    /// disturb a device.
    ///
    /// # Errors
    /// [`NotRegular`] inside an [`io::Error`] for anything else, links included;
    /// [`io::ErrorKind::NotFound`]; what the system reported.
    pub fn open_file(&self, name: impl AsRef<OsStr>, access: Access) -> io::Result<File> {
        let name = component(name.as_ref())?;
        let kind = self.metadata(name)?.kind;
        if kind != Kind::File {
            return Err(NotRegular { kind }.into());
        }
        // The name may stand for something else by now: no link is followed, opening does not
        // wait for a FIFO's other end, and what was opened is looked at once more.
        let file = self.dir.open_file(name, access)?;
        // What lies in a private folder nobody else can have put there.
        if self.private {
            return Ok(file);
        }
        let names = self
            .places
            .check(self, name.as_os_str(), file.identity()?)?;
        Ok(file.named(names))
    }

    /// Whether a file of that name can be created here and get so many bytes, as far as that can be
    /// told without writing: on a disk that is not mounted. On NTFS there it never can.
    ///
    /// # Errors
    /// Why it can't.
    pub fn can_create(&self, name: impl AsRef<OsStr>, len: u64) -> io::Result<()> {
        let name = component(name.as_ref())?;
        self.image()
            .map_or(Ok(()), |dir| dir.can_create(name.as_os_str(), len))
    }

    /// Creates a file for reading and writing. On Unix only its owner may read it: copies of
    /// registry hives hold secrets.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] whatever the name stands for, a link included; what the
    /// system reported.
    pub fn create_file(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        let name = component(name.as_ref())?;
        let file = self.dir.create_file(name)?;
        if self.private
            && let Err(error) = self.make_private(name.as_os_str(), false)
        {
            // Nothing was written to it. Where it stays, it is empty.
            let _ = self.dir.remove_file(name);
            return Err(error);
        }
        Ok(file)
    }

    /// Opens a folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the system reported for a link or anything else that
    /// is no folder.
    pub fn open_dir(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let name = component(name.as_ref())?;
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

    /// Opens a folder in which everything that is created through it, files and folders and what
    /// is created in those, is for the system and administrators only, where the file system keeps
    /// Windows's permissions.
    ///
    /// # Errors
    /// As [`open_dir`](Self::open_dir).
    pub fn open_private_dir(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let folder = self.open_dir(name)?;
        Ok(Self {
            private: true,
            ..folder
        })
    }

    /// Creates a folder. On Unix only its owner may enter it, and where the file system keeps
    /// Windows's permissions only the system and administrators.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], or what the system reported.
    pub fn create_dir(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        let name = component(name.as_ref())?;
        self.dir.create_dir(name)?;
        self.make_private(name.as_os_str(), true)
            .inspect_err(|_| drop(self.dir.remove_dir(name)))
    }

    /// Takes an empty folder from whoever else may write it; says whether that is done, or the
    /// folder is left as it is.
    ///
    /// That is only possible on a volume that no Windows has mounted: one that runs could have let
    /// somebody open the folder before.
    ///
    /// # Errors
    /// What the system reported.
    pub fn take_over_empty_dir(&self, name: impl AsRef<OsStr>) -> io::Result<bool> {
        let name = component(name.as_ref())?;
        if cfg!(windows) || self.open_dir(name)?.names()?.next().is_some() {
            return Ok(false);
        }
        self.make_private(name.as_os_str(), true)?;
        Ok(self.open_dir(name)?.names()?.next().is_none())
    }

    /// Gives what was just created here to the system and administrators, where that was not done
    /// in the same step.
    #[cfg(not(windows))]
    fn make_private(&self, name: &OsStr, is_folder: bool) -> io::Result<()> {
        match self.dir {
            Dir::System(_) => crate::security::make_private(self, name, is_folder),
            Dir::Image(_) => Ok(()),
        }
    }

    /// Folders were created so, and files take it over from their folder.
    #[cfg(windows)]
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "there is something to do elsewhere"
    )]
    fn make_private(&self, _name: &OsStr, _is_folder: bool) -> io::Result<()> {
        Ok(())
    }

    /// Removes the name of a file, or a link itself.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the system reported.
    pub fn remove_file(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        self.dir.remove_file(component(name.as_ref())?)
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::DirectoryNotEmpty`], or what the system reported.
    pub fn remove_dir(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        self.dir.remove_dir(component(name.as_ref())?)
    }

    /// Renames `from` to `to` in the folder `to_folder`, which may be this one. A file that has
    /// that name already is replaced.
    ///
    /// # Errors
    /// What the system reported.
    pub fn rename(
        &self,
        from: impl AsRef<OsStr>,
        to_folder: &Self,
        to: impl AsRef<OsStr>,
    ) -> io::Result<()> {
        let (from, to) = (component(from.as_ref())?, component(to.as_ref())?);
        self.dir.rename(from, &to_folder.dir, to)
    }

    /// The names in the folder, in the order of their bytes.
    ///
    /// # Errors
    /// [`io::ErrorKind::FileTooLarge`] when there are more than `limit`; what the system reported.
    pub fn list(&self, limit: usize) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for name in self.names()? {
            let name = name?;
            if entries.len() == limit {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    format!("more than {limit} names in the folder"),
                ));
            }
            // Not the kind that the folder itself records: drivers fill that in carelessly.
            match self.metadata(&name) {
                Ok(metadata) => entries.push(Entry { name, metadata }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// The names in the folder as the system lists them.
    pub(crate) fn names(&self) -> io::Result<impl Iterator<Item = io::Result<OsString>> + '_> {
        self.dir.names()
    }

    /// The names here that the file system finds for `name`, which it has found: usually one, as
    /// spelled on disk.
    pub(crate) fn spellings(&self, name: &OsStr) -> io::Result<Vec<OsString>> {
        self.dir.spellings(name)
    }

    /// Returns when names that were created, renamed or removed here are durable. Some file systems
    /// offer no such call: there it does nothing. On Windows they are when they have been changed.
    ///
    /// # Errors
    /// What the system reported.
    pub fn sync(&self) -> io::Result<()> {
        self.dir.sync()
    }
}
