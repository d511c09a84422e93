//! Installs programs from Debian packages.

use std::process::Command;

use anyhow::{Context, Result};

use crate::{cargo, program};

/// Installs the packages of the missing programs, which needs root.
///
/// # Errors
/// If the installation fails; the error names the packages.
pub fn install(programs: &[(&str, &str)]) -> Result<String> {
    let missing: Vec<_> = programs
        .iter()
        .filter(|(program, _)| !program::exists(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok("all there".into());
    }
    install_packages(&missing)?;
    Ok(format!("installed {}", missing.join(" ")))
}

/// Installs packages.
///
/// # Errors
/// If the installation fails; the error names the packages.
pub fn install_packages(packages: &[&str]) -> Result<()> {
    let by_hand = || format!("install these Debian packages: {}", packages.join(" "));
    update().with_context(by_hand)?;
    let install = ["install", "--quiet", "--yes", "--no-install-recommends"];
    apt_get(&[&install[..], packages].concat()).with_context(by_hand)
}

/// Downloads the lists of packages.
///
/// # Errors
/// If the download fails.
pub fn update() -> Result<()> {
    apt_get(&["update", "--quiet"])
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.args(arguments);
    cargo::run(command.env("DEBIAN_FRONTEND", "noninteractive"))
}
