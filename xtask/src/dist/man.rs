//! Manual pages and shell completions, generated from the definition of the command line.

use std::path::Path;

use anyhow::Result;
use clap_complete::Shell;

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
/// If a file can't be written.
pub fn write_man(folder: &Path) -> Result<()> {
    write_pages(folder)?;
    write_completions(folder)?;
    let count = std::fs::read_dir(folder)?.count();
    println!("{count} files in {}", folder.display());
    Ok(())
}

pub(super) fn write_pages(folder: &Path) -> Result<()> {
    Ok(clap_mangen::generate_to(diskmend::command(), folder)?)
}

pub(super) fn write_completions(folder: &Path) -> Result<()> {
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut diskmend::command(), "diskmend", folder)?;
    }
    Ok(())
}
