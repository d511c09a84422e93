//! `cargo xtask ci`: one command that installs what it needs and runs everything that must pass.

mod lanes;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{
    browser, cargo, crash, cross_check, debian, demo, dist, fixtures, fuzz, powershell, test_run,
    upcase, windows, workspace,
};
use lanes::{Outcome, Runner};

/// Programs that the tests and the cross-check need, with their Debian packages.
const PACKAGES: [(&str, &str); 12] = [
    ("chromium", "chromium"),
    ("hivexget", "libhivex-bin"),
    ("hivexregedit", "libwin-hivex-perl"),
    ("reged", "chntpw"),
    ("mkntfs", "ntfs-3g"),
    ("getfattr", "attr"),
    ("qemu-img", "qemu-utils"),
    ("mkfs.fat", "dosfstools"),
    ("fsck.fat", "dosfstools"),
    ("mcopy", "mtools"),
    ("sfdisk", "fdisk"),
    ("strace", "strace"),
];
/// Seconds for each fuzz target.
const FUZZ_SECONDS: u64 = 3;

/// The number of states after a power failure that are tried in each scenario.
const CUTS: usize = 8;

/// The action of a step. It may return a note for the summary.
type Action = fn() -> Result<String>;

/// When a step runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    /// Before the others: what installs packages, or is soon done.
    First,
    /// Beside the steps for Windows. Each platform has a build folder of its own, because cargo
    /// locks it.
    Linux,
    /// Beside the steps for Linux: the tests mostly wait for Wine.
    Windows,
    /// After the others: it needs what both lanes build.
    Last,
}

const STEPS: [(&str, Lane, Action); 18] = [
    ("packages", Lane::First, || debian::install(&PACKAGES)),
    ("windows tools", Lane::First, || {
        windows::run(&windows::Task::Setup)
    }),
    ("format", Lane::First, || {
        cargo(&["fmt", "--all", "--check"], &[])
    }),
    ("clippy", Lane::Linux, clippy),
    ("documentation", Lane::Linux, || {
        let doc = ["doc", "--workspace", "--no-deps"];
        cargo(&doc, &[("RUSTDOCFLAGS", "-D warnings")])
    }),
    ("tests", Lane::Linux, tests),
    ("power cuts", Lane::Linux, || {
        crash::run(&crash::Options::sample(CUTS))
    }),
    ("powershell", Lane::Linux, powershell::run),
    ("fixtures", Lane::Linux, || {
        fixtures::run(true).map(|()| String::new())
    }),
    ("cross-check", Lane::Linux, || {
        let options = cross_check::Options {
            strict: true,
            regipy: true,
        };
        cross_check::run(&options).map(|()| String::new())
    }),
    ("fuzzing", Lane::Linux, || {
        fuzz::run(&fuzz::Options {
            seconds: FUZZ_SECONDS,
            target: None,
            input: None,
            only_fixtures: true,
        })
    }),
    ("browser", Lane::Linux, browser::run),
    ("manual", Lane::Linux, || {
        dist::write_man(&workspace::output("man")?).map(|()| String::new())
    }),
    ("demo", Lane::Linux, || demo::run().map(|()| String::new())),
    ("windows clippy", Lane::Windows, || {
        windows::run(&windows::Task::Clippy)
    }),
    ("windows tests", Lane::Windows, windows::tests),
    ("windows build", Lane::Windows, windows::build_compared),
    ("comparison", Lane::Last, || {
        windows::run(&windows::Task::Compare)
    }),
];

/// What to run.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Run only this step, in this process
    #[arg(long)]
    step: Option<String>,
    /// With --step: write to this file how the step ended
    #[arg(long, hide = true, requires = "step")]
    result: Option<PathBuf>,
}

/// Runs every step, even after one has failed, and prints a summary.
///
/// # Errors
/// If a step failed.
pub fn run(options: &Options) -> Result<()> {
    match &options.step {
        Some(step) => run_step(step, options.result.as_deref()),
        None => run_all(),
    }
}

fn run_step(name: &str, told: Option<&Path>) -> Result<()> {
    let step = STEPS.iter().find(|(step, ..)| *step == name);
    let (_, _, action) = step.with_context(|| format!("there is no step {name}"))?;
    let result = action();
    if let Some(told) = told {
        lanes::tell(told, &result)?;
    }
    result.map(drop)
}

fn run_all() -> Result<()> {
    let folder = workspace::output("ci")?;
    // Steps build this program anew while others start it, so they start a copy.
    let program = folder.join("xtask");
    fs::copy(std::env::current_exe()?, &program)?;
    let start = move |step: &str, told: &Path| {
        let mut command = Command::new(&program);
        command.args(["ci", "--step", step, "--result"]).arg(told);
        command
    };
    println!("The output of each step is shown when it ends; until then it is in {folder:?}.");
    let out = Box::new(std::io::stdout());
    let runner = Arc::new(Runner::new(folder, Box::new(start), out));
    let stopped = Arc::clone(&runner);
    ctrlc::set_handler(move || stop(&stopped))?;

    let begun = Instant::now();
    let of = |lane| -> Vec<&'static str> {
        let steps = STEPS.iter().filter(|(_, of, _)| *of == lane);
        steps.map(|(step, ..)| *step).collect()
    };
    let mut outcomes = runner.run(&[of(Lane::First)]);
    outcomes.extend(runner.run(&[of(Lane::Linux), of(Lane::Windows)]));
    outcomes.extend(runner.run(&[of(Lane::Last)]));
    summarize(&outcomes, begun.elapsed())
}

/// Shows what the running steps said, ends them and this process.
#[expect(clippy::exit, reason = "the other threads wait for processes")]
fn stop(runner: &Runner) {
    let _held = runner.stop();
    std::process::exit(1);
}

fn summarize(outcomes: &[Outcome], total: Duration) -> Result<()> {
    println!("\n=== summary ===");
    for outcome in outcomes {
        let (mark, note) = match &outcome.result {
            Ok(note) => ("ok", note.clone()),
            Err(error) => ("FAILED", format!("{error:#}")),
        };
        let note = note.lines().next().unwrap_or_default();
        let seconds = outcome.took.as_secs_f64();
        println!("{:<14} {mark:<7} {seconds:>7.1} s  {note}", outcome.step);
    }
    println!("{:<14} {:<7} {:>7.1} s", "all", "", total.as_secs_f64());
    let mut failed = Vec::new();
    for outcome in outcomes {
        if let Err(error) = &outcome.result {
            println!("\n{} FAILED: {error:#}", outcome.step);
            failed.push(outcome.step);
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn clippy() -> Result<String> {
    let lint = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    cargo(&lint, &[])
}

fn cargo(arguments: &[&str], variables: &[(&str, &str)]) -> Result<String> {
    let mut command = cargo::command(arguments)?;
    cargo::run(command.envs(variables.iter().copied()))?;
    Ok(String::new())
}

/// Runs all tests, shows their output and counts them.
fn tests() -> Result<String> {
    // Tests that were left out print this, and others print how much they tried.
    let test = [
        "test",
        "--workspace",
        "--no-fail-fast",
        "--",
        "--show-output",
    ];
    let mut command = cargo::command(&test)?;
    if std::env::var_os("CI").is_some() {
        // On this machine everything that the tests need can be installed, so a left-out test hides
        // a failure.
        command.env("DISKMEND_NO_SKIP", "1");
        command.env("DISKMEND_REGIPY", cross_check::regipy::install()?);
        command.env("DISKMEND_UPCASE", upcase::of_mkntfs()?);
    }
    test_run::run(&mut command)
}
