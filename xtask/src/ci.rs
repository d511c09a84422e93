//! `cargo xtask ci`: one command that sets up what it needs and runs all that must pass.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{cross_check, demo, dist, fixtures, program, workspace};

/// Programs that the cross-check needs, with their Debian packages.
const PACKAGES: [(&str, &str); 5] = [
    ("hivexget", "libhivex-bin"),
    ("hivexregedit", "libwin-hivex-perl"),
    ("reged", "chntpw"),
    ("mkntfs", "ntfs-3g"),
    ("getfattr", "attr"),
];
/// Seconds for all fuzz targets together.
const FUZZ_SECONDS: &str = "60";

/// What a step does; it may have something to say in the summary.
type Step = fn() -> Result<String>;

/// One line of the summary.
struct Outcome {
    step: &'static str,
    took: Duration,
    result: Result<String>,
}

/// Runs every step, also after one has failed, and prints a summary.
///
/// # Errors
/// Where a step failed.
pub fn run() -> Result<()> {
    let steps: [(&'static str, Step); 10] = [
        ("packages", packages),
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
        ("fixtures", || fixtures::run(true).map(|()| String::new())),
        ("cross-check", || {
            let options = cross_check::Options {
                strict: true,
                regipy: false,
            };
            cross_check::run(&options).map(|()| String::new())
        }),
        ("fuzzing", || {
            let run = ["run", "--profile", "checked", "--package", "xtask"];
            let fuzz = [
                "--no-default-features",
                "--",
                "fuzz",
                "--seconds",
                FUZZ_SECONDS,
            ];
            // The same seeds everywhere.
            cargo(&[&run[..], &fuzz].concat(), &[("DISKMEND_CORPUS", "")])
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
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.result.is_err())
        .map(|outcome| outcome.step)
        .collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn cargo(arguments: &[&str], variables: &[(&str, &str)]) -> Result<String> {
    let status = cargo_command(arguments)?
        .envs(variables.iter().copied())
        .status()?;
    if !status.success() {
        bail!("cargo {}: {status}", arguments.join(" "));
    }
    Ok(String::new())
}

fn cargo_command(arguments: &[&str]) -> Result<Command> {
    println!("$ cargo {}", arguments.join(" "));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(workspace::root()?);
    Ok(command)
}

/// Runs all tests, shows their output and counts them.
fn tests() -> Result<String> {
    // Tests that are left out say so, and others say how much they tried.
    let test = [
        "test",
        "--workspace",
        "--no-fail-fast",
        "--",
        "--show-output",
    ];
    let mut command = cargo_command(&test)?;
    if std::env::var_os("CI").is_some() {
        // There everything that the tests need can be had; one that is left out hides a failure.
        command.env("DISKMEND_NO_SKIP", "1");
    }
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().context("output of cargo test")?;
    let (mut passed, mut failed, mut ignored, mut skipped) = (0, 0, 0, 0);
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        passed += number_before(&line, " passed;");
        failed += number_before(&line, " failed;");
        ignored += number_before(&line, " ignored;");
        skipped += u64::from(line.contains("SKIPPED: "));
    }
    let status = child.wait()?;
    let counts = format!("{passed} passed, {failed} failed, {ignored} ignored");
    if !status.success() {
        bail!("cargo test: {status}; {counts}");
    }
    if passed == 0 {
        bail!("no test was run");
    }
    Ok(match skipped {
        0 => counts,
        _ => format!("{counts}, {skipped} skipped loudly"),
    })
}

/// The number that a line of results has before `label`.
fn number_before(line: &str, label: &str) -> u64 {
    let before = line
        .starts_with("test result:")
        .then(|| line.split_once(label))
        .flatten();
    before
        .and_then(|(before, _)| before.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// Installs the Debian packages whose programs are missing.
fn packages() -> Result<String> {
    let missing: Vec<_> = PACKAGES
        .iter()
        .filter(|(program, _)| !program::exists(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok("all there".into());
    }
    let names = missing.join(" ");
    let by_hand = || format!("install these Debian packages: {names}");
    apt_get(&["update", "--quiet"]).with_context(by_hand)?;
    let install = ["install", "--quiet", "--yes", "--no-install-recommends"];
    apt_get(&[&install[..], &missing].concat()).with_context(by_hand)?;
    Ok(format!("installed {names}"))
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    println!("$ apt-get {}", arguments.join(" "));
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()
        .context("apt-get")?;
    if !status.success() {
        bail!("apt-get: {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::number_before;

    #[test]
    fn results_of_cargo_test_are_counted() {
        let line = "test result: ok. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out";
        assert_eq!(number_before(line, " passed;"), 12);
        assert_eq!(number_before(line, " failed;"), 3);
        assert_eq!(number_before(line, " ignored;"), 1);
        assert_eq!(number_before("12 passed; of another line", " passed;"), 0);
    }
}
