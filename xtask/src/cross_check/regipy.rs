//! regipy, from the Python Package Index.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::content::Content;
use super::python;
use crate::program;

/// Prints a line for each key: its path, and its number of values.
const SCRIPT: &str = r#"
import sys
from regipy.registry import RegistryHive
hive = RegistryHive(sys.argv[1])
sys.stdout.reconfigure(encoding="utf-8")
def walk(key, path):
    print(f"{path}\t{len(list(key.iter_values()))}")
    for subkey in key.iter_subkeys():
        walk(subkey, path + "\\" + subkey.name)
sys.setrecursionlimit(5000)
walk(hive.root, "")
"#;

/// Installs regipy and returns the path of the Python that can import it.
///
/// # Errors
/// If the installation fails.
pub(crate) fn install() -> Result<PathBuf> {
    python::install("regipy")
}

/// The differences from `ours` in the keys and in the number of values of each.
pub(super) fn compare(python: &Path, hive: &Path, ours: &Content) -> Result<Vec<String>> {
    let hive = hive.to_string_lossy();
    let text = program::stdout(python, &["-c", SCRIPT, &*hive])?;
    let text = String::from_utf8(text).context("regipy's output")?;
    let mut theirs: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut our: Vec<String> = ours
        .iter()
        .map(|(path, values)| {
            let separator = if path.is_empty() { "" } else { "\\" };
            format!("{separator}{path}\t{}", values.len())
        })
        .collect();
    theirs.sort();
    our.sort();
    Ok(our
        .iter()
        .filter(|line| !theirs.contains(line))
        .map(|line| format!("only we have {line}"))
        .chain(
            theirs
                .iter()
                .filter(|line| !our.contains(line))
                .map(|line| format!("only they have {line}")),
        )
        .collect())
}
