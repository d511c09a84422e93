//! Where things lie in the workspace.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// The workspace's root.
///
/// # Errors
/// Never in a checkout.
pub fn root() -> Result<PathBuf> {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    Ok(xtask.parent().context("xtask has no parent")?.to_path_buf())
}

/// The folder for what the tasks make, in cargo's target folder.
///
/// # Errors
/// Where it can't be made.
pub fn output(name: &str) -> Result<PathBuf> {
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => PathBuf::from(target),
        None => root()?.join("target"),
    };
    let folder = target.join(name);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}
