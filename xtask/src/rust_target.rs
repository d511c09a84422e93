//! Standard libraries for other targets than this machine's.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::program;

/// True if the compiler can build for `target`. If rustup is installed, it downloads what is
/// missing.
///
/// # Errors
/// If there is no compiler.
pub fn add(target: &str) -> Result<bool> {
    if is_installed(target)? {
        return Ok(true);
    }
    if !program::exists("rustup") {
        return Ok(false);
    }
    println!("$ rustup target add {target}");
    let added = Command::new("rustup")
        .args(["target", "add", target])
        .status();
    Ok(added.is_ok_and(|status| status.success()) && is_installed(target)?)
}

fn is_installed(target: &str) -> Result<bool> {
    let ask = ["--print", "target-libdir", "--target", target];
    let folder = program::stdout(Path::new("rustc"), &ask)?;
    let folder = PathBuf::from(String::from_utf8_lossy(&folder).trim());
    let Ok(entries) = folder.read_dir() else {
        return Ok(false);
    };
    let is_std = |name: &str| name.starts_with("libstd-") && name.ends_with(".rlib");
    Ok(entries
        .flatten()
        .any(|entry| is_std(&entry.file_name().to_string_lossy())))
}
