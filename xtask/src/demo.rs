//! `cargo xtask demo`: the main job from inspection to undo, on a sample disk that is made here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{fixtures, program, workspace};

/// The fixture with the sample disk's hive and log. It wasn't closed cleanly, and its Remote
/// Desktop is broken.
const FIXTURE: &str = "dirty-hvle-log1";
const CONFIG: &str = "Windows/System32/config";

/// The disk's folder, relative to the folder in which the commands run.
const DISK: &str = "disk";

/// One command of the demonstration.
struct Step {
    /// The purpose of the command.
    why: &'static str,
    arguments: &'static [&'static str],
    /// The expected exit code.
    exit: i32,
    /// True if the command must change the disk's files; otherwise it must not change them.
    writes: bool,
}

const STEPS: &[Step] = &[
    Step {
        why: "What is wrong with the disk? Nothing is written.",
        arguments: &["inspect", DISK],
        exit: 3,
        writes: false,
    },
    Step {
        why: "What would a repair change? Nothing is written.",
        arguments: &["plan", DISK, "tls", "nla", "crash-dump"],
        exit: 3,
        writes: false,
    },
    Step {
        why: "Recover the hive from its log, repair it, read it back.",
        arguments: &["repair", DISK, "tls", "nla", "crash-dump", "--yes"],
        exit: 0,
        writes: true,
    },
    Step {
        why: "Is anything left? Exit code 0: nothing is.",
        arguments: &["inspect", DISK],
        exit: 0,
        writes: false,
    },
    Step {
        why: "A second repair has nothing to do and writes nothing.",
        arguments: &["repair", DISK, "tls", "nla", "crash-dump", "--yes"],
        exit: 0,
        writes: false,
    },
    Step {
        why: "Which runs does the disk remember?",
        arguments: &["runs", DISK],
        exit: 0,
        writes: false,
    },
    Step {
        why: "Take it back.",
        arguments: &["undo", DISK, "--yes"],
        exit: 0,
        writes: true,
    },
];

/// Runs the demonstration.
///
/// # Errors
/// If a step does not end as expected, or undo does not restore the same bytes.
pub fn run() -> Result<()> {
    println!("Building diskmend...");
    let diskmend = program::diskmend(false)?;
    let folder = workspace::output("demo")?;
    let disk = make_disk(&folder)?;
    let broken = files(&disk)?;
    println!("A broken sample disk lies in {}:", disk.display());
    for (name, bytes) in &broken {
        println!("    {CONFIG}/{name} ({} bytes)", bytes.len());
    }
    let mut before = broken.clone();
    for step in STEPS {
        run_step(&diskmend, &folder, step)?;
        let after = files(&disk)?;
        if (after != before) != step.writes {
            let what = if step.writes { "nothing" } else { "something" };
            bail!("diskmend {} wrote {what}", step.arguments.join(" "));
        }
        before = after;
    }
    if before != broken {
        bail!("undo did not give back the files as they were");
    }
    println!("\nEvery file of the disk is again what it was, byte for byte.");
    Ok(())
}

fn run_step(diskmend: &Path, folder: &Path, step: &Step) -> Result<()> {
    println!("\n# {}\n$ diskmend {}", step.why, step.arguments.join(" "));
    let mut command = Command::new(diskmend);
    let status = command.args(step.arguments).current_dir(folder).status()?;
    println!("(exit code {})", status.code().unwrap_or(-1));
    if status.code() != Some(step.exit) {
        bail!("expected exit code {}, found {status}", step.exit);
    }
    Ok(())
}

/// Makes the folder tree of a Windows volume around the fixture's hive.
fn make_disk(folder: &Path) -> Result<PathBuf> {
    let disk = folder.join(DISK);
    if disk.exists() {
        std::fs::remove_dir_all(&disk).with_context(|| disk.display().to_string())?;
    }
    let config = disk.join(CONFIG);
    std::fs::create_dir_all(&config)?;
    let all = fixtures::all()?;
    let fixture = all.iter().find(|fixture| fixture.name == FIXTURE);
    for (name, bytes) in fixture.context(FIXTURE)?.build()? {
        std::fs::write(config.join(name), bytes)?;
    }
    Ok(disk)
}

/// The files in the disk's folder of hives, with their bytes.
fn files(disk: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(disk.join(CONFIG))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        files.insert(name.into_owned(), std::fs::read(&path)?);
    }
    Ok(files)
}
