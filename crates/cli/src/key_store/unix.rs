//! The key file on Unix: mode 0600 in a folder with mode 0700.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use diskmend_repair::KeyError;
use rustix::fs::OFlags;

use super::Place;

/// The folder for the state of programs.
pub(super) fn state_folder() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some(PathBuf::from("/var/lib"));
    }
    let absolute = |name: &str| {
        let path = PathBuf::from(std::env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))
}

impl Place {
    pub(super) fn create_folder(&self) -> Result<(), KeyError> {
        let folder = self.folder();
        if let Some(above) = folder.parent() {
            fs::create_dir_all(above).map_err(self.told("create the folder above it"))?;
        }
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.map_err(self.told("create its folder")),
        }?;
        if let Some(above) = folder.parent() {
            sync_folder(above).map_err(self.told("flush the folder above it"))?;
        }
        Ok(())
    }

    /// Fails if somebody else may have written or read the file.
    pub(super) fn check(&self, file: &File) -> Result<(), KeyError> {
        let shown = self.path.display();
        let own = rustix::process::geteuid().as_raw();
        let found = file.metadata().map_err(self.told("look at it"))?;
        if !found.is_file() {
            return Err(KeyError::new(format!("{shown}: it is not a regular file")));
        }
        if found.uid() != own {
            let owner = found.uid();
            return Err(KeyError::new(format!(
                "{shown}: it belongs to user {owner}, and diskmend runs as user {own}"
            )));
        }
        if found.mode() & 0o077 != 0 {
            let mode = found.mode() & 0o7777;
            return Err(KeyError::new(format!(
                "{shown}: others may read or write it (mode {mode:04o}): if nobody has, run 'chmod \
                 600 {shown}'; otherwise remove it, and diskmend creates a new key"
            )));
        }
        // In a folder that others can write, they could replace the file.
        let folder = self.folder();
        let above = fs::symlink_metadata(folder).map_err(self.told("look at its folder"))?;
        let sticky = above.mode() & 0o1000 != 0;
        let others = above.mode() & 0o022 != 0 && !sticky;
        let owned = [own, 0].contains(&above.uid());
        if above.is_dir() && owned && !others {
            Ok(())
        } else {
            Err(KeyError::new(format!(
                "{shown}: its folder is a link, belongs to somebody else, or can be written by \
             others"
            )))
        }
    }
}

pub(super) fn open(path: &Path) -> io::Result<File> {
    // It follows no link, and does not wait for a FIFO.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

pub(super) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
