//! `cargo xtask demo`: the main job on a sample disk, from the question for the cause to undo.

mod disk;

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

pub use disk::make;

use crate::{program, workspace};

/// The name of the sample disk, in the folder in which the commands run.
const DISK: &str = "disk.vhd";

/// One command of the demonstration.
struct Step {
    /// The purpose of the command.
    why: &'static str,
    arguments: &'static [&'static str],
    /// The expected exit code.
    exit: i32,
    /// True if the command must change the disk; otherwise it must not change it.
    writes: bool,
}

const STEPS: [Step; 4] = [
    Step {
        why: "Remote Desktop says \"An internal error has occurred\". Why? Nothing is written.",
        arguments: &["diagnose", DISK],
        exit: 3,
        writes: false,
    },
    Step {
        why: "What would the repair change? Nothing is written.",
        arguments: &["plan", DISK, "tls"],
        exit: 3,
        writes: false,
    },
    Step {
        why: "Recover the hive from its log, repair it, and read it back.",
        arguments: &["repair", DISK, "tls", "--yes"],
        exit: 0,
        writes: true,
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
    let diskmend = program::diskmend(false)?;
    let folder = workspace::output("demo")?;
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let broken = disk::unpack()?;
    let disk = folder.join(DISK);
    std::fs::write(&disk, &broken)?;
    println!("# {} is the disk of a Windows server.", disk.display());
    let mut before = broken.clone();
    for step in STEPS {
        run_step(&diskmend, &folder, &step)?;
        let after = std::fs::read(&disk)?;
        if (after != before) != step.writes {
            let what = if step.writes { "nothing" } else { "something" };
            bail!("diskmend {} wrote {what}", step.arguments.join(" "));
        }
        before = after;
    }
    if before != broken {
        bail!("undo did not give back the disk as it was");
    }
    println!("\n# The disk is again what it was, byte for byte.");
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
