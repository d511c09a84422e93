//! `cargo xtask powershell`: looks at the PowerShell scripts in `packaging`. There is no PowerShell
//! here to run them with, so they are parsed, and read for what no parser would object to.

mod rules;
mod script;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Checks every script, and says how many there are.
///
/// # Errors
/// If there is none, or something is wrong with one.
pub fn run() -> Result<String> {
    let root = workspace::root()?;
    let mut paths = Vec::new();
    scripts(&root.join("packaging"), &mut paths)?;
    paths.sort();
    if paths.is_empty() {
        bail!("there is no script");
    }
    let mut findings = 0;
    for path in &paths {
        let name = path.strip_prefix(&root).unwrap_or(path).display();
        let text = fs::read_to_string(path).with_context(|| name.to_string())?;
        for finding in rules::check(&text)? {
            println!("{name}:{finding}");
            findings += 1;
        }
    }
    if findings > 0 {
        bail!("{findings} found in the scripts");
    }
    let note = format!("{} parsed, nothing found", paths.len());
    println!("{note}");
    Ok(note)
}

fn scripts(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            scripts(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "ps1") {
            found.push(path);
        }
    }
    Ok(())
}
