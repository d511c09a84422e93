//! The key file on Windows: in a folder that only SYSTEM and Administrators may access.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use diskmend_acl::{SecurityDescriptor, Sid};
use diskmend_disk::{Protection, folder_and_name};
use diskmend_repair::KeyError;

use super::Place;

/// The folder for the state of programs.
pub(super) fn state_folder() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("ProgramData")?);
    path.is_absolute().then_some(path)
}

impl Place {
    /// Only SYSTEM and Administrators may access the folder, and the file inherits that.
    pub(super) fn create_folder(&self) -> Result<(), KeyError> {
        let (above, name) =
            folder_and_name(self.folder()).map_err(|error| KeyError::new(error.to_string()))?;
        match above.create_dir(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.map_err(self.told("create its folder")),
        }?;
        self.check_folder()
    }

    pub(super) fn check(&self, file: &File) -> Result<(), KeyError> {
        let found = file.metadata().map_err(self.told("look at it"))?;
        if !found.is_file() {
            let shown = self.path.display();
            return Err(KeyError::new(format!("{shown}: it is not a regular file")));
        }
        if self.own_folder {
            self.check_folder()
        } else {
            Ok(())
        }
    }

    /// Anybody may create a folder in ProgramData: diskmend does not believe a folder, or its
    /// content, if no administrator created it or if others may access it.
    fn check_folder(&self) -> Result<(), KeyError> {
        let shown = self.path.display().to_string();
        let doubtful = |what: &str| {
            KeyError::new(format!(
                "{shown}: {what}: if no administrator of this machine created its folder, remove \
                 the folder, and diskmend creates a new key"
            ))
        };
        let (above, name) =
            folder_and_name(self.folder()).map_err(|error| KeyError::new(error.to_string()))?;
        let folder = above
            .open_dir(&name)
            .map_err(self.told("open its folder"))?;
        let protection = folder.protection();
        let protection = protection.map_err(|error| doubtful(&error.to_string()))?;
        let Protection::Descriptor { bytes, own } = protection else {
            return Err(doubtful("can't find out who may write to its folder"));
        };
        let mut expected = vec![Sid::SYSTEM, Sid::ADMINISTRATORS];
        let own = own.as_deref().map(Sid::from_bytes);
        expected.extend(own.and_then(Result::ok));
        let descriptor = SecurityDescriptor::from_bytes(&bytes);
        let descriptor = descriptor.map_err(|error| doubtful(&error.to_string()))?;
        match descriptor.stranger(&expected) {
            None => Ok(()),
            Some(other) => Err(doubtful(&other.to_string())),
        }
    }
}

pub(super) fn open(path: &Path) -> io::Result<File> {
    /// FILE_FLAG_OPEN_REPARSE_POINT: a link itself is opened, and is not a regular file.
    const NO_LINK: u32 = 0x0020_0000;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(NO_LINK).open(path)
}

pub(super) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// On Windows, changed names are already durable.
#[expect(clippy::unnecessary_wraps, reason = "on other systems this can fail")]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
