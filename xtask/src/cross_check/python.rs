//! Packages from the Python Package Index, for which Debian has none, in virtual environments in the
//! target folder.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::{debian, program, workspace};

/// Installs a package into an environment of its own, and returns the path of the Python that can
/// import it.
///
/// # Errors
/// If the installation fails.
pub(super) fn install(package: &str) -> Result<PathBuf> {
    let environment = workspace::output(package)?;
    let python = environment.join("bin").join("python3");
    if !python.is_file() {
        let folder = environment.to_string_lossy();
        let make = || program::stdout(Path::new("python3"), &["-m", "venv", &*folder]);
        if make().is_err() {
            debian::install_packages(&["python3-venv"])?;
            make()?;
        }
    }
    program::stdout(&python, &["-m", "pip", "install", "--quiet", package])?;
    Ok(python)
}
