//! Compares the program for Windows, under Wine, with the program for Linux on the same disks: a
//! repair must give the same files, and undo must restore every byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::wine::Wine;
use super::{build, image_parity, same_hive};
use crate::{program, workspace};

const DRIVE: &str = "F:";
const VOLUME: &str = "volume{6469736b-6d65-6e64-0000-706172697479}";
const RECIPES: [&str; 4] = ["tls", "nla", "crash-dump", "serial-console"];
/// The folders with the two copies of a disk.
const LINUX: &str = "linux";
const WINDOWS: &str = "windows";
const CONFIG: &str = "Windows/System32/config";
const BIOS: &str = "Boot/BCD";
const EFI: &str = "EFI/Microsoft/Boot/BCD";
/// The folder for undo data.
const STATE: &str = "diskmend";

/// A disk, as files with their sources and their paths on the disk.
struct Disk {
    name: &'static str,
    /// True if its files are in the repository; otherwise they are in `DISKMEND_CORPUS`.
    own: bool,
    /// True if something on it is a fault.
    faulty: bool,
    files: &'static [(&'static str, &'static str)],
}

const DISKS: [Disk; 3] = [
    Disk {
        name: "fixtures, BIOS",
        own: true,
        faulty: true,
        files: &[
            ("dirty-hvle-both/SYSTEM", "SYSTEM"),
            ("dirty-hvle-both/SYSTEM.LOG1", "SYSTEM.LOG1"),
            ("dirty-hvle-both/SYSTEM.LOG2", "SYSTEM.LOG2"),
            ("bcd-bios/BCD", BIOS),
        ],
    },
    Disk {
        name: "fixtures, EFI",
        own: true,
        faulty: true,
        files: &[
            ("dirty-dirt/SYSTEM", "SYSTEM"),
            ("dirty-dirt/SYSTEM.LOG1", "SYSTEM.LOG1"),
            ("bcd-efi/BCD", EFI),
        ],
    },
    Disk {
        name: "real hive and store",
        own: false,
        faulty: false,
        files: &[
            ("hives/regipy/SYSTEM_B", "SYSTEM"),
            ("hives/regipy/SYSTEM_B.LOG1", "SYSTEM.LOG1"),
            ("hives/regipy/SYSTEM_B.LOG2", "SYSTEM.LOG2"),
            ("bcd/windeploy-linux/BCD", BIOS),
        ],
    },
];

/// The files of a disk by their paths, with `/` as separator, without undo data.
type Files = BTreeMap<String, Vec<u8>>;

/// Compares both programs on every disk.
pub(super) fn run(wine: &Wine) -> Result<String> {
    println!("Comparing with the program for Linux...");
    let linux = program::diskmend(false)?;
    let windows = build::compared()?;
    let folder = workspace::output("windows-parity")?;
    // The volume is held from the first disk on, so that a second comparison waits for its turn.
    let root = folder.join(WINDOWS);
    let _drive = wine.volume(&DRIVE.to_lowercase(), &root)?;
    let _volume = wine.volume(VOLUME, &root)?;
    wine.keep_server()?;
    let mut compared = 0;
    for disk in &DISKS {
        let from = match (disk.own, std::env::var_os("DISKMEND_CORPUS")) {
            (true, _) => workspace::root()?.join("fixtures"),
            (false, Some(corpus)) if !corpus.is_empty() => PathBuf::from(corpus),
            (false, _) => {
                println!("SKIPPED: {}: DISKMEND_CORPUS is not set", disk.name);
                continue;
            }
        };
        compare(wine, &linux, &windows, disk, &from, &folder)
            .with_context(|| disk.name.to_owned())?;
        compared += 1;
    }
    refuse_own_disk(wine, &windows)?;
    if image_parity::can_be_made() {
        image_parity::run(wine, &linux, &windows).context("an image")?;
        compared += 1;
    } else {
        println!("SKIPPED: an image: only root can mount the volume that goes into it");
    }
    Ok(format!("{compared} disks repaired as on Linux"))
}

/// Checks that the disk of the running system is refused.
fn refuse_own_disk(wine: &Wine, windows: &Path) -> Result<()> {
    for name in ["C:", "c:", r"C:\", r"\\?\C:", r"C:\windows\.."] {
        expect(wine.command(windows), &["undo", name, "--yes"], 5)?;
    }
    Ok(())
}

fn compare(
    wine: &Wine,
    linux: &Path,
    windows: &Path,
    disk: &Disk,
    from: &Path,
    folder: &Path,
) -> Result<()> {
    let (ours, theirs) = (folder.join(LINUX), folder.join(WINDOWS));
    for root in [&ours, &theirs] {
        make(disk, from, root)?;
    }
    let before = files(&theirs)?;
    let on_linux = || {
        let mut command = Command::new(linux);
        command.current_dir(folder);
        (command, LINUX.to_owned())
    };
    let on_windows = || (wine.command(windows), DRIVE.to_owned());

    let exit = if disk.faulty { 3 } else { 0 };
    let inspect = |command, target: &str| {
        let arguments = [&["inspect", target][..], &RECIPES].concat();
        expect(command, &arguments, exit)
    };
    let (command, target) = on_linux();
    inspect(command, &target)?;
    for target in names(&theirs) {
        inspect(wine.command(windows), &target)?;
    }
    if files(&theirs)? != before {
        bail!("inspection has written");
    }
    let repair = |(command, target): (Command, String)| {
        expect(
            command,
            &[&["repair", &target][..], &RECIPES, &["--yes"]].concat(),
            0,
        )
    };
    repair(on_linux())?;
    repair(on_windows())?;
    let (on_ours, on_theirs) = (files(&ours)?, files(&theirs)?);
    same(&before, &on_ours, &on_theirs)?;
    repair(on_windows())?;
    if files(&theirs)? != on_theirs {
        bail!("a second repair has written");
    }
    for (command, target) in [on_linux(), on_windows()] {
        expect(command, &["undo", &target, "--yes"], 0)?;
    }
    for root in [&ours, &theirs] {
        if files(root)? != before {
            bail!("{}: undo did not give back every byte", root.display());
        }
    }
    println!("{}: the same repair, undone byte for byte", disk.name);
    Ok(())
}

/// All names by which a person may call the volume with the folder `root`.
fn names(root: &Path) -> Vec<String> {
    let mut names = vec![format!("Z:{}", root.display()), format!("{DRIVE}/")];
    for volume in [DRIVE, r"\\?\F:", &format!(r"\\?\{VOLUME}")] {
        names.extend([
            volume.to_owned(),
            volume.to_lowercase(),
            format!(r"{volume}\"),
        ]);
    }
    names
}

fn make(disk: &Disk, from: &Path, root: &Path) -> Result<()> {
    if root.exists() {
        fs::remove_dir_all(root).with_context(|| root.display().to_string())?;
    }
    for (source, to) in disk.files {
        let to = if to.contains('/') {
            root.join(to)
        } else {
            root.join(CONFIG).join(to)
        };
        fs::create_dir_all(to.parent().context("a file without a folder")?)?;
        // `fs::copy` would also copy the attribute read-only.
        let source = from.join(source);
        let bytes = fs::read(&source).with_context(|| source.display().to_string())?;
        fs::write(to, bytes)?;
    }
    Ok(())
}

fn files(root: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir()? {
            let path = entry?.path();
            let below = path.strip_prefix(root)?;
            match path.is_dir() {
                true if below == Path::new(STATE) => {}
                true => folders.push(path),
                false => {
                    let name = below.to_string_lossy().into_owned();
                    files.insert(name, fs::read(&path)?);
                }
            }
        }
    }
    Ok(files)
}

/// Runs the program and expects its exit code.
pub(super) fn expect(mut command: Command, arguments: &[&str], exit: i32) -> Result<()> {
    let output = command.args(arguments).output()?;
    if output.status.code() != Some(exit) {
        bail!(
            "diskmend {}: {}, expected {exit}: {}{}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }
    Ok(())
}

/// Checks that the files are equal. In hives, times may differ. A log contains pages of its hive
/// and hashes of them, so only the lengths of logs are compared.
fn same(before: &Files, linux: &Files, windows: &Files) -> Result<()> {
    let names: Vec<_> = linux.keys().collect();
    if names != windows.keys().collect::<Vec<_>>() {
        bail!("not the same files: {names:?} and {:?}", windows.keys());
    }
    for (name, ours) in linux {
        let theirs = windows.get(name).context("of the same name")?;
        let is_log = Path::new(name)
            .extension()
            .is_some_and(|kind| kind.to_string_lossy().starts_with("LOG"));
        let context = || name.clone();
        match is_log {
            false => same_hive::expect(ours, theirs).with_context(context)?,
            true if ours.len() != theirs.len() => {
                bail!("{name}: {} and {} bytes", ours.len(), theirs.len());
            }
            true => {}
        }
        let changed = before.get(name) != Some(ours);
        if changed != (before.get(name) != Some(theirs)) {
            bail!("{name}: only one program has written it");
        }
        if !is_log && !changed {
            bail!("{name}: the repair has changed nothing");
        }
    }
    Ok(())
}
