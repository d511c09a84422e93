//! Every hive and boot store that a recipe writes in the tests of the catalogue, judged by chkreg.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

use super::chkreg::{Chkreg, Verdict};
use crate::cargo;

/// The tests of the catalogue write the hives into the folder that this variable names.
const KEEP: &str = "DISKMEND_KEEP_HIVES";
/// The end of the names of folders with the hives as they were before.
const BEFORE: &str = ".before";
const TESTS: &str = "engine_tests::catalogue";

/// Returns the number of hives that chkreg rejects.
///
/// # Errors
/// If the tests fail or write nothing, or chkreg does not run.
pub(super) fn check(chkreg: &Chkreg) -> Result<usize> {
    let folder = tempfile::tempdir()?;
    let mut tests = cargo::command(&["test", "--package", "diskmend-repair", "--lib", TESTS])?;
    cargo::run(tests.env(KEEP, folder.path()))?;
    let mut seen = BTreeSet::new();
    let mut hives = 0;
    let mut failures = 0;
    for case in WalkDir::new(folder.path())
        .min_depth(1)
        .max_depth(1)
        .sort_by_file_name()
    {
        let case = case?;
        let name = case.file_name().to_string_lossy();
        if name.ends_with(BEFORE) {
            continue;
        }
        let before = folder.path().join(format!("{name}{BEFORE}"));
        for hive in hives_below(case.path())? {
            hives += 1;
            if !seen.insert(std::fs::read(case.path().join(&hive))?) {
                continue;
            }
            let Some(why) = rejected(chkreg, &case.path().join(&hive))? else {
                continue;
            };
            let shown = format!("{name}/{}", hive.display());
            let old = before.join(&hive);
            if old.is_file() && rejected(chkreg, &old)?.is_some() {
                println!("{shown}: chkreg rejected it before the repair, too");
                continue;
            }
            println!("FAILED: {shown}: {why}");
            failures += 1;
        }
    }
    if hives == 0 {
        bail!("the tests wrote no hive into {KEEP}");
    }
    println!(
        "chkreg: {hives} hives of recipes, {} different ones",
        seen.len()
    );
    Ok(failures)
}

/// The paths of the hives below a folder, relative to it. chkreg itself reads the logs beside them.
fn hives_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut hives = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        let is_log = entry.file_name().to_string_lossy().contains(".LOG");
        if entry.file_type().is_file() && !is_log {
            hives.push(entry.path().strip_prefix(folder)?.to_owned());
        }
    }
    Ok(hives)
}

fn rejected(chkreg: &Chkreg, hive: &Path) -> Result<Option<String>> {
    let verdict = chkreg
        .check(hive)
        .with_context(|| hive.display().to_string())?;
    Ok(match verdict {
        Verdict::Loads => None,
        Verdict::Rejected(why) => Some(why),
    })
}
