//! An open folder, and everything that can be done to the names in it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, OpenOptions};

use crate::error::{NotRegular, OpenError};
use crate::file::File;
use crate::metadata::{Kind, Metadata};
use crate::name::component;

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
}

impl Folder {
    /// Opens a folder by any path of this machine, links included.
    pub(crate) fn open_ambient(path: &Path) -> io::Result<Self> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        Ok(Self { dir })
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

    /// The handle, for calls that name an open folder.
    #[cfg(unix)]
    pub(crate) fn as_dir(&self) -> &Dir {
        &self.dir
    }

    /// A second handle to the same folder.
    ///
    /// # Errors
    /// What the system reported.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            dir: self.dir.try_clone()?,
        })
    }

    /// Metadata of the folder itself.
    ///
    /// # Errors
    /// What the system reported.
    pub fn own_metadata(&self) -> io::Result<Metadata> {
        Ok((&self.dir.dir_metadata()?).into())
    }

    /// Metadata of a name, not of what a link points to.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the system reported.
    pub fn metadata(&self, name: impl AsRef<OsStr>) -> io::Result<Metadata> {
        let name = component(name.as_ref())?;
        Ok((&self.dir.symlink_metadata(name)?).into())
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
        // wait for a FIFO's other end, and `File::new` looks at what was opened.
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(access == Access::ReadWrite)
            .follow(FollowSymlinks::No)
            .nonblock(true);
        File::new(self.dir.open_with(name, &options)?.into_std())
    }

    /// Creates a file for reading and writing. On Unix only its owner may read it: copies of
    /// registry hives hold secrets.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] whatever the name stands for, a link included; what the
    /// system reported.
    pub fn create_file(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        let name = component(name.as_ref())?;
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create_new(true)
            .follow(FollowSymlinks::No);
        #[cfg(unix)]
        cap_fs_ext::OpenOptionsExt::mode(&mut options, 0o600);
        File::new(self.dir.open_with(name, &options)?.into_std())
    }

    /// Opens a folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or what the system reported for a link or anything else that
    /// is no folder.
    pub fn open_dir(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let name = component(name.as_ref())?;
        Ok(Self {
            dir: self.dir.open_dir_nofollow(name)?,
        })
    }

    /// Creates a folder. On Unix only its owner may enter it.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`], or what the system reported.
    pub fn create_dir(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        let name = component(name.as_ref())?;
        #[cfg_attr(windows, expect(unused_mut, reason = "nothing to set there"))]
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        cap_std::fs::DirBuilderExt::mode(&mut builder, 0o700);
        self.dir.create_dir_with(name, &builder)
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
    pub(crate) fn names(&self) -> io::Result<impl Iterator<Item = io::Result<OsString>>> {
        Ok(self
            .dir
            .entries()?
            .map(|entry| entry.map(|entry| entry.file_name())))
    }

    /// Returns when names that were created, renamed or removed here are durable. Windows offers
    /// no such call, nor do some file systems: there it does nothing.
    ///
    /// # Errors
    /// What the system reported.
    pub fn sync(&self) -> io::Result<()> {
        #[cfg(unix)]
        {
            use rustix::fs::{Mode, OFlags, fsync, openat};
            use rustix::io::{Errno, retry_on_intr};
            // The folder's own handle may be one that can only be used to find names.
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let handle = retry_on_intr(|| openat(&self.dir, ".", flags, Mode::empty()))?;
            match retry_on_intr(|| fsync(&handle)) {
                Ok(()) | Err(Errno::INVAL | Errno::NOTSUP | Errno::NOSYS) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
