//! A Rust compiler with the standard library for Windows: rustup's if it is available, otherwise
//! Debian's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::TARGET;
use super::cache::Cache;
use super::debian_rust;
use crate::{cargo, rust_target};

/// The environment variable that chooses the compiler.
const VARIABLE: &str = "DISKMEND_WINDOWS_RUST";

/// A compiler that builds for Windows.
#[derive(Debug)]
pub(super) enum Compiler {
    /// The compiler that cargo uses by itself.
    Rustup,
    /// Debian's compiler, in this folder.
    Debian(PathBuf),
}

impl Compiler {
    /// Finds or downloads a compiler.
    pub(super) fn get(cache: &Cache) -> Result<Self> {
        let wanted = std::env::var(VARIABLE).unwrap_or_default();
        match wanted.as_str() {
            "rustup" => {
                if rust_target::add(TARGET)? {
                    Ok(Self::Rustup)
                } else {
                    bail!("rustup has no standard library for {TARGET}")
                }
            }
            "debian" => Ok(Self::Debian(debian_rust::get(cache)?)),
            "" => {
                if rust_target::add(TARGET)? {
                    Ok(Self::Rustup)
                } else {
                    Ok(Self::Debian(debian_rust::get(cache).with_context(
                        || {
                            format!(
                                "no compiler for Windows: 'rustup target add {TARGET}' failed, too"
                            )
                        },
                    )?))
                }
            }
            other => bail!("{VARIABLE}={other}: say rustup or debian"),
        }
    }

    /// A run of cargo in the workspace for Windows that has not started yet.
    pub(super) fn cargo(&self, verb: &str, more: &[&str]) -> Result<Command> {
        // A separate folder: two compilers with one folder would rebuild each other's output.
        let output = crate::workspace::output("windows")?;
        let output = output.to_str().context("the target folder is not UTF-8")?;
        let arguments = [verb, "--target", TARGET, "--target-dir", output];
        let mut command = cargo::command(&[&arguments[..], more].concat())?;
        if let Self::Debian(folder) = self {
            command.env("RUSTC", debian_rust::rustc(folder));
        }
        Ok(command)
    }

    /// Runs the lints, with warnings denied.
    pub(super) fn clippy(&self) -> Result<Command> {
        let workspace = ["--workspace", "--all-targets"];
        match self {
            Self::Rustup => {
                let deny = ["--", "-D", "warnings"];
                self.cargo("clippy", &[&workspace[..], &deny].concat())
            }
            // This does what cargo-clippy does, with the driver of this compiler.
            Self::Debian(folder) => {
                let mut check = self.cargo("check", &workspace)?;
                check.env(
                    "RUSTC_WORKSPACE_WRAPPER",
                    debian_rust::clippy_driver(folder),
                );
                check.env(
                    "CLIPPY_ARGS",
                    "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__",
                );
                Ok(check)
            }
        }
    }

    /// The folder to which cargo writes the results.
    pub(super) fn output(&self, profile: &str) -> Result<PathBuf> {
        let output = crate::workspace::output("windows")?;
        let folder = if profile == "dev" { "debug" } else { profile };
        Ok(output.join(TARGET).join(folder))
    }

    /// A description for a person.
    pub(super) fn describe(&self) -> Result<String> {
        let rustc: OsString = match self {
            Self::Rustup => "rustc".into(),
            Self::Debian(folder) => debian_rust::rustc(folder).into(),
        };
        let version = crate::program::stdout(Path::new(&rustc), &["--version"])?;
        Ok(String::from_utf8_lossy(&version).trim().to_owned())
    }
}
