//! `cargo xtask windows build`: builds the program.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::setup;
use crate::cargo;

const PROGRAM: &str = "diskmend.exe";

/// Builds the release program for Windows and returns its path.
///
/// # Errors
/// If the tools are missing and can't be downloaded, or if the build fails.
pub fn program() -> Result<PathBuf> {
    build("release")
}

/// Builds the program that is compared with the one for Linux: like that one without optimization,
/// which takes long. Returns its path.
///
/// # Errors
/// If the tools are missing and can't be downloaded, or if the build fails.
pub(super) fn compared() -> Result<PathBuf> {
    build("dev")
}

fn build(profile: &str) -> Result<PathBuf> {
    let compiler = setup::compiler()?;
    let build = ["--quiet", "--profile", profile, "--package", "diskmend"];
    cargo::run(&mut compiler.cargo("build", &build)?)?;
    let program = compiler.output(profile)?.join(PROGRAM);
    if program.is_file() {
        Ok(program)
    } else {
        bail!("{}: not built", program.display())
    }
}

/// Tells the path and the length of a program, and returns a note for the summary.
pub(super) fn tell(program: &Path) -> Result<String> {
    let len = program.metadata()?.len();
    println!("{} ({len} bytes)", program.display());
    Ok(format!("{PROGRAM}, {} KiB", len / 1024))
}
