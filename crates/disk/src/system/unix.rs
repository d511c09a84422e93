//! Names below an open folder, through `openat` and similar calls.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{DirBuilder, OpenOptions};
use rustix::fs::{Mode, OFlags, fsync, openat};
use rustix::io::{Errno, retry_on_intr};

use crate::dir::Access;
use crate::metadata::Metadata;

/// The handle that the calls for an open folder take.
pub(crate) type RawDir = cap_std::fs::Dir;

/// An open folder.
#[derive(Debug)]
pub(super) struct OpenDir(cap_std::fs::Dir);

impl OpenDir {
    pub(super) fn open_ambient(path: &Path) -> io::Result<Self> {
        cap_std::fs::Dir::open_ambient_dir(path, ambient_authority()).map(Self)
    }

    pub(super) fn raw(&self) -> &RawDir {
        &self.0
    }

    pub(super) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    pub(super) fn own_metadata(&self) -> io::Result<Metadata> {
        Ok((&self.0.dir_metadata()?).into())
    }

    pub(super) fn metadata(&self, name: &Path) -> io::Result<Metadata> {
        Ok((&self.0.symlink_metadata(name)?).into())
    }

    /// Opening doesn't wait for the other end of a FIFO, so the caller must check the opened
    /// object.
    pub(super) fn open_file(&self, name: &Path, access: Access) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(access == Access::ReadWrite)
            .follow(FollowSymlinks::No)
            .nonblock(true);
        Ok(self.0.open_with(name, &options)?.into_std())
    }

    pub(super) fn create_file(&self, name: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create_new(true)
            .follow(FollowSymlinks::No);
        cap_fs_ext::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(self.0.open_with(name, &options)?.into_std())
    }

    pub(super) fn open_dir(&self, name: &Path) -> io::Result<Self> {
        self.0.open_dir_nofollow(name).map(Self)
    }

    pub(super) fn create_dir(&self, name: &Path) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        cap_std::fs::DirBuilderExt::mode(&mut builder, 0o700);
        self.0.create_dir_with(name, &builder)
    }

    pub(super) fn remove_file(&self, name: &Path) -> io::Result<()> {
        self.0.remove_file(name)
    }

    pub(super) fn remove_dir(&self, name: &Path) -> io::Result<()> {
        self.0.remove_dir(name)
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, &self.0, to)
    }

    /// Renames to a name that must not exist yet.
    pub(super) fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.move_to(from, self, to)
    }

    /// Renames into a folder, which may be another one, to a name that must not exist yet. A driver
    /// that can't check that while it renames is asked before; then another program could still make
    /// a file with this name in between.
    pub(super) fn move_to(&self, from: &Path, folder: &Self, to: &Path) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{RenameFlags, renameat_with};

            let flags = RenameFlags::NOREPLACE;
            match retry_on_intr(|| renameat_with(&self.0, from, &folder.0, to, flags)) {
                Ok(()) => return Ok(()),
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match folder.metadata(to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.0.rename(from, &folder.0, to)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn names(&self) -> io::Result<impl Iterator<Item = io::Result<OsString>> + use<>> {
        let entries = self.0.entries()?;
        Ok(entries.map(|entry| entry.map(|entry| entry.file_name())))
    }

    /// The names in the folder that the file system finds for `name`.
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "they are looked for elsewhere"
    )]
    pub(super) fn spellings(&self, name: &str) -> io::Result<Vec<String>> {
        Ok(vec![name.to_owned()])
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        // The folder's own handle may only allow finding names.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = retry_on_intr(|| openat(&self.0, ".", flags, Mode::empty()))?;
        match retry_on_intr(|| fsync(&handle)) {
            Ok(()) | Err(Errno::INVAL | Errno::NOTSUP | Errno::NOSYS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
