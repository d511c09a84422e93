//! `cargo xtask man` and `cargo xtask dist`: manual pages, shell completions, the archive.

use std::path::Path;

use anyhow::{Context, Result};
use clap_complete::Shell;

use crate::{program, workspace};

const SHELLS: [Shell; 5] = [
    Shell::Bash,
    Shell::Elvish,
    Shell::Fish,
    Shell::PowerShell,
    Shell::Zsh,
];

/// Writes the manual pages and the completions of every shell to `folder`.
///
/// # Errors
/// Where a file can't be written.
pub fn write_man(folder: &Path) -> Result<()> {
    clap_mangen::generate_to(diskmend::command(), folder)?;
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut diskmend::command(), "diskmend", folder)?;
    }
    let count = std::fs::read_dir(folder)?.count();
    println!("{count} files in {}", folder.display());
    Ok(())
}

/// Builds the release program and packs it with its manual pages, completions and licence.
///
/// # Errors
/// Where the build or `tar` fails.
pub fn archive() -> Result<()> {
    let diskmend = program::diskmend(true)?;
    let name = format!(
        "diskmend-{}-{}-{}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS
    );
    let output = workspace::output("dist")?;
    let folder = output.join(&name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let man = folder.join("man");
    std::fs::create_dir_all(&man)?;
    write_man(&man)?;
    let program = diskmend.file_name().context("program name")?;
    std::fs::copy(&diskmend, folder.join(program))?;
    for file in ["LICENSE", "README.md"] {
        std::fs::copy(workspace::root()?.join(file), folder.join(file))?;
    }
    let archive = output.join(format!("{name}.tar.gz"));
    let (archive, output) = (archive.to_string_lossy(), output.to_string_lossy());
    program::stdout(
        Path::new("tar"),
        &["-C", &*output, "-czf", &*archive, &*name],
    )?;
    println!("{archive}");
    Ok(())
}
