//! The checksums of the packages.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

const NAME: &str = "SHA256SUMS";

/// Writes the checksums of the files in `folder`, in the format of `sha256sum --check`. Returns the
/// name of the list.
pub(super) fn write(folder: &Path, files: &[String]) -> Result<String> {
    let output = Command::new("sha256sum")
        .args(files)
        .current_dir(folder)
        .output()
        .context("sha256sum")?;
    if !output.status.success() {
        bail!("sha256sum: {}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::write(folder.join(NAME), output.stdout)?;
    Ok(NAME.to_owned())
}
