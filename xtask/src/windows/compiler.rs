//! A Rust compiler with the standard library for Windows: rustup's if it can be had, else Debian's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::TARGET;
use super::cache::Cache;
use super::debian_rust;
use crate::{cargo, rust_target};

/// Says which compiler to take.
const VARIABLE: &str = "DISKMEND_WINDOWS_RUST";

/// The compiler that builds for Windows.
#[derive(Debug)]
pub(super) enum Compiler {
    /// The one that cargo takes by itself.
    Rustup,
    /// Debian's, in this folder.
    Debian(PathBuf),
}

impl Compiler {
    /// Finds or fetches one.
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

    /// A run of cargo in the workspace for Windows, not started yet.
    pub(super) fn cargo(&self, verb: &str, more: &[&str]) -> Result<Command> {
        // A folder of its own: two compilers in one would build each other's things again.
        let output = crate::workspace::output("windows")?;
        let output = output.to_str().context("the target folder is not UTF-8")?;
        let arguments = [verb, "--target", TARGET, "--target-dir", output];
        let mut command = cargo::command(&[&arguments[..], more].concat())?;
        if let Self::Debian(folder) = self {
            command.env("RUSTC", debian_rust::rustc(folder));
        }
        Ok(command)
    }

    /// The lints, with warnings denied.
    pub(super) fn clippy(&self) -> Result<Command> {
        let workspace = ["--workspace", "--all-targets"];
        match self {
            Self::Rustup => {
                let deny = ["--", "-D", "warnings"];
                self.cargo("clippy", &[&workspace[..], &deny].concat())
            }
            // What cargo-clippy does, with the driver that belongs to the compiler.
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

    /// Where cargo puts what it builds.
    pub(super) fn output(&self, profile: &str) -> Result<PathBuf> {
        let output = crate::workspace::output("windows")?;
        Ok(output.join(TARGET).join(profile))
    }

    /// For a person.
    pub(super) fn describe(&self) -> Result<String> {
        let rustc: OsString = match self {
            Self::Rustup => "rustc".into(),
            Self::Debian(folder) => debian_rust::rustc(folder).into(),
        };
        let version = crate::program::stdout(Path::new(&rustc), &["--version"])?;
        Ok(String::from_utf8_lossy(&version).trim().to_owned())
    }
}
