//! The commands that are interrupted, and what must be true of the disk afterwards.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::bench::{Bench, expect_success};
use super::disk::{Disk, Loss};
use super::sample::Holder;
use super::trace;
use crate::run_file;

/// A check of the disk after the power failure. It may use commands, as a person would.
type Check = Box<dyn Fn(&Bench) -> Result<()>>;

/// A command that is interrupted.
pub(super) struct Scenario {
    pub(super) command: Command,
    pub(super) check: Check,
}

/// The scenarios. Each makes its disk in the bench's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A repair.
    Repair,
    /// The undo of that repair.
    Undo,
    /// An undo after an undo that failed half way.
    UndoHindered,
    /// The undo, value by value, of a run after which another run has changed the same files.
    UndoByValues,
    /// A repair that completes one that was interrupted.
    Completion,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [
        Self::Repair,
        Self::Undo,
        Self::UndoHindered,
        Self::UndoByValues,
        Self::Completion,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Repair => "repair",
            Self::Undo => "undo",
            Self::UndoHindered => "undo after a failed undo",
            Self::UndoByValues => "undo by values",
            Self::Completion => "completion",
        }
    }

    /// True if the scenario exists for this target. Only NTFS has permissions, and only a repair of
    /// permissions can be completed.
    pub(super) const fn fits(self, holder: Holder) -> bool {
        !matches!((self, holder), (Self::Completion, Holder::Folder))
    }

    /// Prepares the disk, which is newly made.
    pub(super) fn prepare(self, bench: &Bench) -> Result<Scenario> {
        match self {
            Self::Repair => repair(bench),
            Self::Undo => undo(bench),
            Self::UndoHindered => undo_hindered(bench),
            Self::UndoByValues => undo_by_values(bench),
            Self::Completion => completion(bench),
        }
    }
}

/// The repairs that fit a target.
const fn recipes(holder: Holder) -> &'static [&'static str] {
    match holder {
        Holder::Folder => &["tls", "nla", "crash-dump", "--yes"],
        _ => &["tls", "nla", "crash-dump", "machine-keys", "--yes"],
    }
}

fn repair(bench: &Bench) -> Result<Scenario> {
    let before = bench.content()?;
    let check = move |bench: &Bench| {
        bench.run("inspect", &["tls"])?;
        bench.settle()?;
        let last = bench.runs()?.pop();
        if let Some(run) = last.filter(|run| run.state == "done") {
            bench.undo(&run.name)?;
        }
        bench.expect_content(&before)
    };
    Ok(Scenario {
        command: bench.command("repair", recipes(bench.holder)),
        check: Box::new(check),
    })
}

fn undo(bench: &Bench) -> Result<Scenario> {
    let before = bench.content()?;
    bench.succeed("repair", recipes(bench.holder))?;
    let run = bench.runs()?.pop().context("no run")?.name;
    let command = bench.command("undo", &[&run, "--yes"]);
    let check = move |bench: &Bench| {
        bench.undo(&run)?;
        bench.expect_content(&before)
    };
    Ok(Scenario {
        command,
        check: Box::new(check),
    })
}

fn undo_hindered(bench: &Bench) -> Result<Scenario> {
    let scenario = undo(bench)?;
    // strace makes a write fail, like a cable that comes loose while files are restored.
    let mut failing = Command::new("strace");
    failing.args(["-f", "-e", "trace=fsync"]);
    failing.args(["-e", "inject=fsync:error=EIO:when=4+", "-o", "/dev/null"]);
    failing.arg(scenario.command.get_program());
    failing.args(scenario.command.get_args());
    for (name, value) in scenario.command.get_envs() {
        failing.env(name, value.unwrap_or_default());
    }
    let output = failing.current_dir(&bench.folder).output()?;
    ensure!(
        !output.status.success(),
        "an undo succeeded without flushes"
    );
    Ok(scenario)
}

/// A later change to a place within the bytes that the first run has changed.
const LATER: &str = r#"
schema = 1
name = "later"
title = "A small dump"
summary = "Changes what a repair has set before."
sources = ["https://example.org/later"]

[[registry]]
hive = "SYSTEM"
key = 'ControlSet*\Control\CrashControl'
value = "CrashDumpEnabled"
type = "REG_DWORD"
data = 3
why = "3 writes a small dump"
"#;

fn undo_by_values(bench: &Bench) -> Result<Scenario> {
    const SETTINGS: [&str; 2] = ["tls", "crash-dump"];
    bench.succeed("repair", recipes(bench.holder))?;
    let first = bench.runs()?.pop().context("no run")?.name;
    std::fs::write(bench.folder.join("later.toml"), LATER)?;
    bench.succeed("repair", &["later", "--recipe", "later.toml", "--yes"])?;
    let second = bench.runs()?.pop().context("no run")?.name;
    let start = bench.tree()?;
    bench.succeed("undo", &[&first, "--yes"])?;
    let wanted = bench.settings(&SETTINGS)?;
    start.write(&bench.folder)?;
    ensure!(
        bench.settings(&SETTINGS)? != wanted,
        "the undo changed nothing"
    );
    let command = bench.command("undo", &[&first, "--yes"]);
    let check = move |bench: &Bench| {
        bench.settle()?;
        // What settles the reversal of a run may take the reversal back.
        bench.undo(&first)?;
        let found = bench.settings(&SETTINGS)?;
        for (path, value) in &wanted {
            let now = found.get(path);
            ensure!(now == Some(value), "{path} is {now:?}, expected {value}");
        }
        let runs = bench.runs()?;
        let later = runs.iter().find(|run| run.name == second);
        let state = &later.context("the later run is gone")?.state;
        ensure!(state == "done", "the later run is {state}");
        Ok(())
    };
    Ok(Scenario {
        command,
        check: Box::new(check),
    })
}

fn completion(bench: &Bench) -> Result<Scenario> {
    let before = bench.content()?;
    let start = bench.tree()?;
    let mut command = bench.command("repair", recipes(bench.holder));
    let trace = trace::record(&mut command, &bench.folder)?;
    expect_success(&trace.output)?;
    interrupt_late(bench, Disk::new(start), &trace.ops)?;
    let check = move |bench: &Bench| {
        // If only a part of the last flush was written, the repair is refused; then the run can
        // only be undone.
        let output = bench.run("repair", recipes(bench.holder))?;
        ensure!(
            matches!(output.status.code(), Some(0 | 5)),
            "the repair ended with {}",
            output.status
        );
        bench.settle()?;
        for run in bench.runs()?.iter().rev() {
            if run.state == "done" {
                bench.undo(&run.name)?;
            }
        }
        bench.expect_content(&before)
    };
    Ok(Scenario {
        command: bench.command("repair", recipes(bench.holder)),
        check: Box::new(check),
    })
}

/// Leaves the disk in one of the states in which a repair can be completed.
fn interrupt_late(bench: &Bench, mut disk: Disk, ops: &[trace::Op]) -> Result<()> {
    let mut fitting = Vec::new();
    for op in ops {
        disk.step(op)?;
        let tree = disk.after(Loss::Nothing);
        let in_runs = |path: &Path| path.parent().is_some_and(|above| above.ends_with("runs"));
        let files = tree.files(&|_| true);
        let runs = files.iter().filter(|(path, _)| in_runs(path));
        let mut journals = runs.filter_map(|(_, file)| run_file::journal(file));
        if journals.any(begun) {
            fitting.push(tree);
        }
    }
    // If only a part of the last flush was written, a repair is refused.
    for tree in fitting.iter().skip(fitting.len() / 2) {
        tree.write(&bench.folder)?;
        if bench.run("repair", recipes(bench.holder))?.status.success() {
            return tree.write(&bench.folder);
        }
    }
    bail!("no state that can be completed")
}

/// True if a journal says that permissions are being set.
fn begun(journal: &[u8]) -> bool {
    let journal: serde_json::Value = serde_json::from_slice(journal).unwrap_or_default();
    journal.get("state") == Some(&"applying".into())
        && journal.pointer("/descriptors/begun") == Some(&true.into())
}
