//! `cargo xtask ci`: one command that installs what it needs and runs everything that must pass.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{
    cargo, crash, cross_check, debian, demo, dist, fixtures, fuzz, powershell, test_run, upcase,
    windows, workspace,
};

/// Programs that the tests and the cross-check need, with their Debian packages.
const PACKAGES: [(&str, &str); 11] = [
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
const FUZZ_SECONDS: u64 = 4;

/// The number of states after a power failure that are tried in each scenario.
const CUTS: usize = 8;

/// The action of a step. It may return a note for the summary.
type Step = fn() -> Result<String>;

/// One line of the summary.
struct Outcome {
    step: &'static str,
    took: Duration,
    result: Result<String>,
}

/// Runs every step, even after one has failed, and prints a summary.
///
/// # Errors
/// If a step failed.
pub fn run() -> Result<()> {
    let steps: [(&'static str, Step); 15] = [
        ("packages", || debian::install(&PACKAGES)),
        ("format", || cargo(&["fmt", "--all", "--check"], &[])),
        ("clippy", || {
            let lint = [
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ];
            cargo(&lint, &[])
        }),
        ("documentation", || {
            let doc = ["doc", "--workspace", "--no-deps"];
            cargo(&doc, &[("RUSTDOCFLAGS", "-D warnings")])
        }),
        ("tests", tests),
        ("power cuts", || crash::run(&crash::Options::sample(CUTS))),
        ("powershell", powershell::run),
        ("fixtures", || fixtures::run(true).map(|()| String::new())),
        ("cross-check", || {
            let options = cross_check::Options {
                strict: true,
                regipy: true,
            };
            cross_check::run(&options).map(|()| String::new())
        }),
        ("fuzzing", || {
            fuzz::run(&fuzz::Options {
                seconds: FUZZ_SECONDS,
                target: None,
                input: None,
                only_fixtures: true,
            })
        }),
        ("windows build", || windows::run(&windows::Task::Build)),
        ("windows clippy", || windows::run(&windows::Task::Clippy)),
        ("windows tests", || {
            let arguments = Vec::new();
            windows::run(&windows::Task::Test { arguments })
        }),
        ("manual", || {
            dist::write_man(&workspace::output("man")?).map(|()| String::new())
        }),
        ("demo", || demo::run().map(|()| String::new())),
    ];
    let mut outcomes = Vec::new();
    for (step, action) in steps {
        println!("\n=== {step} ===");
        let start = Instant::now();
        let result = action();
        if let Err(error) = &result {
            println!("FAILED: {error:#}");
        }
        outcomes.push(Outcome {
            step,
            took: start.elapsed(),
            result,
        });
    }
    summarize(&outcomes)
}

fn summarize(outcomes: &[Outcome]) -> Result<()> {
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
    let total: Duration = outcomes.iter().map(|outcome| outcome.took).sum();
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
