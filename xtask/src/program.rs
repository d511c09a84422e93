//! Runs programs: the project's own, which is built first, and those of the system.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use crate::{cargo, workspace};

/// Builds `diskmend` and returns its path.
///
/// # Errors
/// If the build fails.
pub fn diskmend(release: bool) -> Result<PathBuf> {
    build("diskmend", release)
}

/// Builds xtask itself, for work that must be measured in a process of its own. Returns its path.
/// # Errors
/// If the build fails.
pub fn xtask() -> Result<PathBuf> {
    build("xtask", true)
}

fn build(package: &str, release: bool) -> Result<PathBuf> {
    let mut build = cargo::command(&["build", "--quiet", "--package", package])?;
    let profile = if release {
        build.arg("--release");
        "release"
    } else {
        // Together with this program, which is built already, the libraries have the same features
        // as in it, and are not built a second time.
        build.args(["--package", env!("CARGO_PKG_NAME")]);
        "debug"
    };
    cargo::run(&mut build)?;
    let name = format!("{package}{}", std::env::consts::EXE_SUFFIX);
    Ok(workspace::output(profile)?.join(name))
}

/// True if a program is on the PATH.
#[must_use]
pub fn exists(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    // Debian installs reged for administrators.
    folders.extend([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")]);
    folders.iter().any(|folder| folder.join(name).is_file())
}

/// Runs a program and returns its output, whatever its exit code.
///
/// # Errors
/// If it can't be started.
pub fn run<A: AsRef<OsStr>>(program: &Path, arguments: &[A]) -> Result<Output> {
    Command::new(program)
        .args(arguments)
        .env("PATH", path()?)
        // Otherwise Perl's hivexregedit writes Latin-1 and UTF-8 to one file.
        .env("PERL_UNICODE", "SD")
        .output()
        .with_context(|| program.display().to_string())
}

/// Runs a program that must succeed, and returns its standard output.
///
/// # Errors
/// If it can't be started or fails.
pub fn stdout<A: AsRef<OsStr>>(program: &Path, arguments: &[A]) -> Result<Vec<u8>> {
    let output = run(program, arguments)?;
    if !output.status.success() {
        let shown: Vec<_> = arguments
            .iter()
            .map(|argument| argument.as_ref().to_string_lossy())
            .collect();
        bail!(
            "{} {}: {}: {}",
            program.display(),
            shown.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(output.stdout)
}

fn path() -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let administrators = [PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")];
    Ok(std::env::join_paths(
        std::env::split_paths(&path).chain(administrators),
    )?)
}
