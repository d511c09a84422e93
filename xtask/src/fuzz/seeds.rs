//! Where fuzzing starts from: the fixtures, and real hives where DISKMEND_CORPUS names some.

use std::path::Path;

use anyhow::Result;

use super::{Target, join};
use crate::{fixtures, workspace};

/// Environment variable that names a folder of real hives.
pub(super) const CORPUS: &str = "DISKMEND_CORPUS";

/// Longer files are left out: a run gets more from many short inputs.
const MAX_LEN: usize = 1 << 20;

/// The inputs that a target's mutations start from.
///
/// # Errors
/// Where the fixtures can't be read.
pub(super) fn seeds(target: Target) -> Result<Vec<Vec<u8>>> {
    if target == Target::RegFile {
        return files(&workspace::root()?.join("fixtures").join("content"));
    }
    let mut seeds = Vec::new();
    let is_store = |name: &str| name.starts_with("bcd-");
    for fixture in fixtures::all()? {
        if target == Target::Bcd && !is_store(&fixture.name) {
            continue;
        }
        let hive = fixture.hive();
        seeds.extend(input(target, &hive)?);
    }
    if let Some(corpus) = std::env::var_os(CORPUS).filter(|corpus| !corpus.is_empty()) {
        let folder = if target == Target::Bcd {
            "bcd"
        } else {
            "hives"
        };
        add_corpus(target, &Path::new(&corpus).join(folder), &mut seeds)?;
    }
    Ok(seeds)
}

fn add_corpus(target: Target, folder: &Path, seeds: &mut Vec<Vec<u8>>) -> Result<()> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        let is_log = path.extension().is_some_and(|ending| ending != "dat");
        if path.is_dir() {
            add_corpus(target, &path, seeds)?;
        } else if !is_log && path.metadata()?.len() <= MAX_LEN as u64 {
            seeds.extend(input(target, &path)?);
        }
    }
    Ok(())
}

/// The input that a hive file gives a target, where it gives one.
fn input(target: Target, hive: &Path) -> Result<Option<Vec<u8>>> {
    let read = |ending: &str| {
        let mut path = hive.as_os_str().to_owned();
        path.push(ending);
        std::fs::read(path).unwrap_or_default()
    };
    let bytes = std::fs::read(hive)?;
    if target != Target::Replay {
        return Ok(Some(bytes));
    }
    let (log1, log2) = (read(".LOG1"), read(".LOG2"));
    let has_log = !(log1.is_empty() && log2.is_empty());
    Ok(has_log.then(|| join(&bytes, &log1, &log2)))
}

fn files(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    Ok(paths
        .iter()
        .map(std::fs::read)
        .collect::<Result<Vec<_>, _>>()?)
}
