//! Names below an open folder, through calls of the Windows kernel that take the folder's handle.
//! No path is looked up twice, and a volume needs no drive letter.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_CREATE, FILE_DIRECTORY_FILE, FILE_NON_DIRECTORY_FILE, FILE_OPEN, FILE_WRITE_THROUGH,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ATTRIBUTE_READONLY, FILE_FLAG_BACKUP_SEMANTICS, FILE_GENERIC_READ,
    FILE_GENERIC_WRITE, FILE_LIST_DIRECTORY, FILE_READ_ATTRIBUTES, FILE_TRAVERSE,
    FILE_WRITE_ATTRIBUTES, SYNCHRONIZE,
};

use crate::dir::Access;
use crate::error::{NotRegular, not_a_folder};
use crate::metadata::{Kind, Metadata};
use crate::name;
use crate::nt::{self, Opening};

/// The rights of a folder's own handle.
const FOLDER: u32 = FILE_LIST_DIRECTORY | FILE_TRAVERSE | FILE_READ_ATTRIBUTES | SYNCHRONIZE;

/// The handle that the calls for an open folder take.
pub(crate) type RawDir = File;

/// An open folder.
#[derive(Debug)]
pub(super) struct OpenDir(File);

impl OpenDir {
    pub(super) fn open_ambient(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options
            .access_mode(FOLDER)
            .custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
        let dir = Self(options.open(path)?);
        match dir.own_metadata()?.kind {
            Kind::Folder => Ok(dir),
            kind => Err(not_a_folder(kind)),
        }
    }

    pub(super) fn raw(&self) -> &RawDir {
        &self.0
    }

    pub(super) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    pub(super) fn own_metadata(&self) -> io::Result<Metadata> {
        nt::metadata(&self.0)
    }

    pub(super) fn metadata(&self, name: &Path) -> io::Result<Metadata> {
        nt::metadata(&self.open(name, FILE_READ_ATTRIBUTES | SYNCHRONIZE, FILE_OPEN, 0)?)
    }

    pub(super) fn open_file(&self, name: &Path, access: Access) -> io::Result<File> {
        let access = match access {
            Access::Read => FILE_GENERIC_READ,
            Access::ReadWrite => FILE_GENERIC_READ | FILE_GENERIC_WRITE,
        };
        let open = || self.open(name, access, FILE_OPEN, FILE_NON_DIRECTORY_FILE);
        match open() {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                self.without_read_only(name, open).unwrap_or(Err(error))
            }
            opened => opened,
        }
    }

    /// Opens a file that is marked as read-only. The mark is removed for the call and then
    /// restored; the open file can be written nevertheless. `None` if the file isn't marked.
    fn without_read_only(
        &self,
        name: &Path,
        open: impl FnOnce() -> io::Result<File>,
    ) -> Option<io::Result<File>> {
        let access = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | SYNCHRONIZE;
        let marked = self
            .open(name, access, FILE_OPEN, FILE_NON_DIRECTORY_FILE)
            .ok()?;
        let attributes = nt::dos_attributes(&marked).ok()?;
        let is_file = nt::metadata(&marked).ok()?.kind == Kind::File;
        if !is_file || attributes & FILE_ATTRIBUTE_READONLY == 0 {
            return None;
        }
        nt::set_attributes(&marked, attributes & !FILE_ATTRIBUTE_READONLY).ok()?;
        let opened = open();
        Some(nt::set_attributes(&marked, attributes).and(opened))
    }

    pub(super) fn create_file(&self, name: &Path) -> io::Result<File> {
        let access = FILE_GENERIC_READ | FILE_GENERIC_WRITE;
        self.open(name, access, FILE_CREATE, FILE_NON_DIRECTORY_FILE)
    }

    pub(super) fn open_dir(&self, name: &Path) -> io::Result<Self> {
        let dir = Self(self.open(name, FOLDER, FILE_OPEN, FILE_DIRECTORY_FILE)?);
        match dir.own_metadata()?.kind {
            Kind::Folder => Ok(dir),
            kind => Err(not_a_folder(kind)),
        }
    }

    pub(super) fn create_dir(&self, name: &Path) -> io::Result<()> {
        let options = FILE_DIRECTORY_FILE | FILE_WRITE_THROUGH;
        let opening = Opening {
            access: FOLDER,
            disposition: FILE_CREATE,
            options,
            private: true,
        };
        nt::open_beneath(&self.0, name.as_os_str(), &opening).map(drop)
    }

    pub(super) fn remove_file(&self, name: &Path) -> io::Result<()> {
        let file = self.open(name, DELETE_ACCESS, FILE_OPEN, FILE_WRITE_THROUGH)?;
        match nt::metadata(&file)?.kind {
            kind @ Kind::Folder => Err(NotRegular { kind }.into()),
            _ => nt::delete(&file),
        }
    }

    pub(super) fn remove_dir(&self, name: &Path) -> io::Result<()> {
        let options = FILE_DIRECTORY_FILE | FILE_WRITE_THROUGH;
        let dir = self.open(name, DELETE_ACCESS, FILE_OPEN, options)?;
        match nt::metadata(&dir)?.kind {
            Kind::Folder => nt::delete(&dir),
            kind => Err(not_a_folder(kind)),
        }
    }

    /// Renames with write-through: the new name is durable after the call.
    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let file = self.open(from, DELETE_ACCESS, FILE_OPEN, FILE_WRITE_THROUGH)?;
        nt::rename(&file, &self.0, to.as_os_str(), true)
    }

    /// Renames to a name that must not exist yet, with write-through.
    pub(super) fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.move_to(from, self, to)
    }

    /// Renames into a folder, which may be another one, to a name that must not exist yet, with
    /// write-through.
    pub(super) fn move_to(&self, from: &Path, folder: &Self, to: &Path) -> io::Result<()> {
        let file = self.open(from, DELETE_ACCESS, FILE_OPEN, FILE_WRITE_THROUGH)?;
        nt::rename(&file, &folder.0, to.as_os_str(), false)
    }

    /// Opens a file to read or set its attributes and times.
    pub(super) fn open_attributes(&self, name: &Path, set: bool) -> io::Result<File> {
        let set = if set { FILE_WRITE_ATTRIBUTES } else { 0 };
        let access = FILE_READ_ATTRIBUTES | set | SYNCHRONIZE;
        self.open(name, access, FILE_OPEN, FILE_NON_DIRECTORY_FILE)
    }

    pub(super) fn names(&self) -> io::Result<impl Iterator<Item = io::Result<OsString>>> {
        nt::names(&self.0, None)
    }

    /// The names in the folder that the file system finds for `name`. A file found by its short
    /// name doesn't count.
    pub(super) fn spellings(&self, name: &str) -> io::Result<Vec<String>> {
        let mut spellings = Vec::new();
        for found in nt::names(&self.0, Some(name.as_ref()))? {
            let found = found?;
            // A name that isn't valid Unicode can't be equal.
            if name::same(&found, name.as_ref())
                && let Ok(found) = found.into_string()
            {
                spellings.push(found);
            }
        }
        Ok(spellings)
    }

    /// Every change of a name is written through, so nothing is left to do.
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "there is something to do elsewhere"
    )]
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn open(&self, name: &Path, access: u32, disposition: u32, options: u32) -> io::Result<File> {
        let opening = Opening {
            access,
            disposition,
            options,
            private: false,
        };
        nt::open_beneath(&self.0, name.as_os_str(), &opening)
    }
}

/// The rights for renaming and removing.
const DELETE_ACCESS: u32 = DELETE | FILE_READ_ATTRIBUTES | SYNCHRONIZE;
