//! Where fuzzing starts from: the fixtures, and real hives where DISKMEND_CORPUS names some.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Target, acl_seeds, image, join};
use crate::random::Random;
use crate::{fixtures, workspace};

/// Environment variable that names a folder of real hives.
pub(super) const CORPUS: &str = "DISKMEND_CORPUS";

/// Longer files are left out: a run gets more from many short inputs.
const MAX_LEN: usize = 1 << 20;

/// Seeds of a target for images, which say what is done with a sound image.
const IMAGE_SEEDS: usize = 64;

/// The inputs that a target's mutations start from.
///
/// # Errors
/// Where the fixtures can't be read.
pub(super) fn seeds(target: Target) -> Result<Vec<Vec<u8>>> {
    if let Some(kind) = image::Kind::of(target) {
        let mut random = Random::new(1);
        return Ok((0..IMAGE_SEEDS)
            .map(|_| image::input(kind, &mut random))
            .collect());
    }
    match target {
        #[cfg(target_os = "linux")]
        Target::Forge => return Ok(super::forge::seeds()),
        Target::RegFile => return files(&workspace::root()?.join("fixtures").join("content")),
        Target::Descriptor | Target::Sddl | Target::AclSave => {
            return acl_seeds::seeds(target, &hives(target)?);
        }
        _ => {}
    }
    let mut seeds = Vec::new();
    for hive in hives(target)? {
        seeds.extend(input(target, &hive)?);
    }
    Ok(seeds)
}

/// The hive files that seeds are made from.
fn hives(target: Target) -> Result<Vec<PathBuf>> {
    let only_stores = target == Target::Bcd;
    let mut hives: Vec<PathBuf> = fixtures::all()?
        .iter()
        .filter(|fixture| !only_stores || fixture.name.starts_with("bcd-"))
        .map(fixtures::Fixture::hive)
        .collect();
    if let Some(corpus) = std::env::var_os(CORPUS).filter(|corpus| !corpus.is_empty()) {
        let folder = if only_stores { "bcd" } else { "hives" };
        add_corpus(&Path::new(&corpus).join(folder), &mut hives)?;
    }
    Ok(hives)
}

fn add_corpus(folder: &Path, hives: &mut Vec<PathBuf>) -> Result<()> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        let is_log = path.extension().is_some_and(|ending| ending != "dat");
        if path.is_dir() {
            add_corpus(&path, hives)?;
        } else if !is_log && path.metadata()?.len() <= MAX_LEN as u64 {
            hives.push(path);
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
