//! `cargo xtask windows build`: builds the release program.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::setup;
use crate::cargo;

const PROGRAM: &str = "diskmend.exe";

/// Builds the release program for Windows and returns its path.
///
/// # Errors
/// If the tools are missing and can't be downloaded, or if the build fails.
pub fn program() -> Result<PathBuf> {
    let compiler = setup::compiler()?;
    let mut build = compiler.cargo("build", &["--quiet", "--release", "--package", "diskmend"])?;
    cargo::run(&mut build)?;
    let program = compiler.output("release")?.join(PROGRAM);
    if program.is_file() {
        Ok(program)
    } else {
        bail!("{}: not built", program.display())
    }
}

pub(super) fn run() -> Result<String> {
    let program = program()?;
    let len = program.metadata()?.len();
    println!("{} ({len} bytes)", program.display());
    Ok(format!("{PROGRAM}, {} KiB", len / 1024))
}
