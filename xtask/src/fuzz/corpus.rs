//! The seeds for fuzzing: inputs for each fixture, and real hives if DISKMEND_CORPUS names a
//! folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::WalkDir;

use super::acl_seeds::{self, Form};
use crate::random::Random;
use crate::{fixtures, workspace};

/// The environment variable that names a folder of real hives.
const CORPUS: &str = "DISKMEND_CORPUS";

/// The maximum length of a seed in bytes: many short inputs find more than few long ones.
const MAX_LEN: u64 = 1 << 20;

/// The number of inputs for each fixture or image.
const SCRIPTS: u8 = 4;
/// A number above the number of images, and of kinds of changes, of any target.
const IMAGES: u8 = 4;
const CHANGES: u8 = 12;

/// Writes the seeds of a target to its folder in `fuzz/corpus`, and returns that folder.
///
/// # Errors
/// If a fixture can't be read, or a file can't be written.
pub(super) fn write(target: &str, with_real_hives: bool) -> Result<PathBuf> {
    let folder = workspace::root()?.join("fuzz").join("corpus").join(target);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for (number, seed) in seeds(target, with_real_hives)?.iter().enumerate() {
        let path = folder.join(format!("seed-{number:03}"));
        fs::write(&path, seed).with_context(|| path.display().to_string())?;
    }
    Ok(folder)
}

fn seeds(target: &str, with_real_hives: bool) -> Result<Vec<Vec<u8>>> {
    let real = |folder| match std::env::var_os(CORPUS).filter(|corpus| !corpus.is_empty()) {
        Some(corpus) if with_real_hives => real_hives(&Path::new(&corpus).join(folder)),
        _ => Ok(Vec::new()),
    };
    let hives = || -> Result<Vec<PathBuf>> {
        let own = fixtures::all()?;
        let own = own.iter().map(fixtures::Fixture::hive);
        Ok(own.chain(real("hives")?).collect())
    };
    let fixtures = u8::try_from(fixtures::all()?.len())?;
    let mut random = Random::new(1);
    Ok(match target {
        "reg_file" => contents(&workspace::root()?.join("fixtures").join("content"))?,
        "descriptor" => acl_seeds::seeds(&Form::Stored, &hives()?)?,
        "sddl" => acl_seeds::seeds(&Form::Sddl, &hives()?)?,
        "acl_save" => acl_seeds::seeds(&Form::SaveFile, &hives()?)?,
        "evidence" => evidence(),
        // The sound log, and changes of it.
        "events" => (0..SCRIPTS.into())
            .map(|changes| bytes(&mut random, 8 * changes))
            .collect(),
        "forge" => (0..CHANGES)
            .flat_map(|kind| [kind; SCRIPTS as usize])
            .map(|kind| folder_changes(kind, &mut random))
            .collect(),
        "open" | "check" | "edit" | "bcd" => {
            let real = real(if target == "bcd" { "bcd" } else { "hives" })?;
            let real = real.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;
            let own = scripts(fixtures, 0, &mut random);
            own.into_iter().chain(real).collect()
        }
        "replay" => scripts(fixtures, 0, &mut random),
        // An image is sealed if a flag is set, a hive if the flag is not set.
        _ => scripts(IMAGES, 1, &mut random),
    })
}

/// The number of a kind of evidence, and a sound piece of it.
fn evidence() -> Vec<Vec<u8>> {
    let record = |id: u8, data: &[u8]| {
        let len = u8::try_from(data.len()).unwrap_or(u8::MAX);
        [&[id, 0, 0, 0, 1, 0, 0, 0, len, 0, 0, 0], data].concat()
    };
    let dump = minidump();
    let certificate = [record(3, &[0; 20]), record(32, &[0x30, 0x80, 0, 0])].concat();
    let rule = r"v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|LPort=3389|LPort2_10=1-2|App=%SystemRoot%\system32\svchost.exe|Svc=termservice|EmbedCtxt=@FirewallAPI.dll,-28752|";
    let log = b"2024-01-01 10:00:00, Error                 CBS    Failed\r\n----\r\na cause.\r\n";
    let path = br#""C:\Program Files\A B\c.exe" -k d"#;
    let seeds = [&dump[..], &certificate, rule.as_bytes(), log, path];
    let numbered = (0_u8..).zip(seeds);
    numbered
        .map(|(kind, seed)| [&[kind], seed].concat())
        .collect()
}

/// A minidump that lists one driver, whose code is where the error happened.
fn minidump() -> Vec<u8> {
    let parts: [(usize, &[u8]); 11] = [
        (0, b"PAGEDU64"),
        (0x38, &[0xd1]),
        (0x58, &[0x10, 0, 0x40]),
        (0xf98, &[4]),
        (0x2008, &[0xf0, 0x21]),
        (0x2030, &[0x50, 0x20]),
        (0x2034, &[1]),
        (0x2050, &[0xe0, 0x20]),
        (0x2088, &[0, 0, 0x40]),
        (0x2098, &[0, 1]),
        (0x20e0, b"\x05\0\0\0a\0.\0s\0y\0s\0"),
    ];
    let mut dump = vec![0; 0x2200];
    for (at, bytes) in parts.into_iter().chain([(0x21f0, &b"TRGD"[..])]) {
        let (_, rest) = dump.split_at_mut(at);
        let (place, _) = rest.split_at_mut(bytes.len());
        place.copy_from_slice(bytes);
    }
    dump
}

/// Inputs that start from each fixture or image, leave it unchanged, and work with it.
fn scripts(count: u8, flags: u8, random: &mut Random) -> Vec<Vec<u8>> {
    let numbers = (0..count).flat_map(|number| [number; SCRIPTS as usize]);
    numbers
        .map(|number| {
            let mut input = vec![number, flags, 0];
            input.extend(bytes(random, 64));
            input
        })
        .collect()
}

/// An input for the forged folder: some changes of one kind.
fn folder_changes(kind: u8, random: &mut Random) -> Vec<u8> {
    let mut input = bytes(random, 1);
    for _ in 0..3 {
        input.push(kind);
        input.extend(bytes(random, 8));
    }
    input
}

fn bytes(random: &mut Random, len: usize) -> Vec<u8> {
    (0..len).map(|_| random.next() as u8).collect()
}

/// The hives in a folder that are short enough, without logs and descriptions.
fn real_hives(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut hives = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        let ending = entry.path().extension();
        let is_hive = ending.is_none_or(|ending| ending == "dat");
        if entry.file_type().is_file() && is_hive && entry.metadata()?.len() <= MAX_LEN {
            hives.push(entry.into_path());
        }
    }
    Ok(hives)
}

fn contents(folder: &Path) -> Result<Vec<Vec<u8>>> {
    WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_map(|entry| match entry {
            Ok(entry) if entry.file_type().is_dir() => None,
            Ok(entry) => Some(fs::read(entry.path()).map_err(Into::into)),
            Err(error) => Some(Err(error.into())),
        })
        .collect()
}
