//! The key file on Windows: in a folder that only SYSTEM and Administrators may enter.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use diskmend_acl::{SecurityDescriptor, Sid};
use diskmend_disk::{Folder, Protection};
use diskmend_repair::KeyError;

use super::Place;

/// Where programs keep their state.
pub(super) fn state_folder() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("ProgramData")?);
    path.is_absolute().then_some(path)
}

impl Place {
    /// Only SYSTEM and Administrators may enter the folder, and the file inherits that.
    pub(super) fn create_folder(&self) -> Result<(), KeyError> {
        let (above, name) =
            Folder::containing(self.folder()).map_err(|error| KeyError::new(error.to_string()))?;
        match above.create_dir(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.map_err(self.told("make its folder")),
        }?;
        self.check_folder()
    }

    pub(super) fn check(&self, file: &File) -> Result<(), KeyError> {
        let found = file.metadata().map_err(self.told("look at it"))?;
        if !found.is_file() {
            let shown = self.path.display();
            return Err(KeyError::new(format!("{shown}: it is no regular file")));
        }
        match self.own_folder {
            true => self.check_folder(),
            false => Ok(()),
        }
    }

    /// Anybody may make a folder in ProgramData: one that was not made by an administrator, or that
    /// lets others in, and what is in it, is not believed.
    fn check_folder(&self) -> Result<(), KeyError> {
        let shown = self.path.display().to_string();
        let doubtful = |what: &str| {
            KeyError::new(format!(
                "{shown}: {what}: if no administrator of this machine made its folder, remove that, \
                 and a new key is made"
            ))
        };
        let (above, name) =
            Folder::containing(self.folder()).map_err(|error| KeyError::new(error.to_string()))?;
        let folder = above
            .open_dir(&name)
            .map_err(self.told("open its folder"))?;
        let protection = folder.protection();
        let protection = protection.map_err(|error| doubtful(&error.to_string()))?;
        let Protection::Descriptor { bytes, own } = protection else {
            return Err(doubtful("who may write its folder can't be told"));
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
    /// FILE_FLAG_OPEN_REPARSE_POINT: a link is opened itself, and is no regular file.
    const NO_LINK: u32 = 0x0020_0000;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(NO_LINK).open(path)
}

pub(super) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Names are durable here when they have been changed.
#[expect(clippy::unnecessary_wraps, reason = "elsewhere this can fail")]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
