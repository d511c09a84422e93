//! axe-core, which checks that people with disabilities can read a page. A Python package that
//! contains it is installed into a virtual environment in the target folder.

use std::path::Path;

use anyhow::{Context, Result};

use crate::{debian, program, workspace};

const PACKAGE: &str = "axe-playwright-python==0.1.8";
const SCRIPT: &str = "axe_playwright_python/axe.min.js";

/// axe-core's script.
///
/// # Errors
/// If the package can't be downloaded.
pub(super) fn script() -> Result<String> {
    let folder = workspace::output("axe")?;
    // The name has the version, so that another version is downloaded anew.
    let unpacked = folder.join(PACKAGE.replace("==", "-"));
    let script = unpacked.join(SCRIPT);
    if !script.is_file() {
        download(&folder, &unpacked)?;
    }
    std::fs::read_to_string(&script).with_context(|| script.display().to_string())
}

fn download(folder: &Path, unpacked: &Path) -> Result<()> {
    let environment = folder.join("python");
    let python = environment.join("bin").join("python3");
    if !python.is_file() {
        let make = || {
            let arguments = [Path::new("-m"), Path::new("venv"), &environment];
            program::stdout(Path::new("python3"), &arguments)
        };
        if make().is_err() {
            debian::install_packages(&["python3-venv"])?;
            make()?;
        }
    }
    // Only the script is needed, and not the packages with which it is usually run.
    let install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target"];
    let part = unpacked.with_extension("part");
    let part = part.to_string_lossy();
    program::stdout(&python, &[&install[..], &[&*part, PACKAGE]].concat())?;
    Ok(std::fs::rename(&*part, unpacked)?)
}
