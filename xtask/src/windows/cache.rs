//! A folder outside the repository for everything that is made only once.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The environment variable that names the folder instead of the one in the user's cache.
pub(super) const VARIABLE: &str = "DISKMEND_WINDOWS_CACHE";

/// The folder that contains the compiler and the Wine prefix.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens the folder, and creates it if it is missing.
    pub(super) fn open() -> Result<Self> {
        let folder = chosen()?;
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        Ok(Self { folder })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits until no other task holds this lock, and takes it until the file is dropped.
    pub(super) fn lock(&self, name: &str) -> Result<File> {
        let path = self.path(&format!("{name}.lock"));
        let lock = File::create(&path).with_context(|| path.display().to_string())?;
        lock.lock().with_context(|| path.display().to_string())?;
        Ok(lock)
    }

    /// A folder that `make` fills only once. It gets its name when it is complete, so that a task
    /// that is killed leaves nothing that looks complete.
    pub(super) fn made_once(
        &self,
        name: &str,
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let folder = self.path(name);
        if folder.is_dir() {
            return Ok(folder);
        }
        let part = self.path(&format!("{name}.part"));
        if part.exists() {
            fs::remove_dir_all(&part).with_context(|| part.display().to_string())?;
        }
        fs::create_dir_all(&part).with_context(|| part.display().to_string())?;
        make(&part)?;
        fs::rename(&part, &folder).with_context(|| folder.display().to_string())?;
        Ok(folder)
    }
}

fn chosen() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = variable(VARIABLE) {
        return Ok(PathBuf::from(folder));
    }
    let user = match variable("XDG_CACHE_HOME") {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(variable("HOME").with_context(|| {
            format!("neither HOME nor {VARIABLE} says where to keep the tools for Windows")
        })?)
        .join(".cache"),
    };
    Ok(user.join("diskmend").join("windows"))
}
