//! `cargo xtask fuzz`: runs the libFuzzer targets in `fuzz` for a limited time on the stable
//! toolchain. It uses libFuzzer's coverage, but no sanitizer, which needs a nightly toolchain and
//! `cargo fuzz`.

mod acl_seeds;
mod corpus;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{cargo, program, workspace};

/// The options that `cargo fuzz` passes to the compiler, so that libFuzzer sees what an input
/// reaches.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module \
     -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
     -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares";

/// The limits for one input, in seconds and in MiB. The slowest input needs far less.
const LIMITS: [&str; 2] = ["-timeout=20", "-rss_limit_mb=2048"];

/// What to run.
#[derive(clap::Args)]
pub struct Options {
    /// Seconds for each target
    #[arg(long, default_value_t = 4)]
    pub seconds: u64,
    /// Only this target, as its file in fuzz/fuzz_targets is named
    #[arg(long)]
    pub target: Option<String>,
    /// Run only this input; needs --target
    #[arg(long, requires = "target")]
    pub input: Option<PathBuf>,
    /// Start only from the fixtures, even if DISKMEND_CORPUS names a folder of real hives
    #[arg(long)]
    pub only_fixtures: bool,
}

/// Builds the targets and runs them. Inputs that fail are kept in `fuzz/artifacts`.
///
/// # Errors
/// If an input makes a target panic, hang or use too much memory.
pub fn run(options: &Options) -> Result<String> {
    let mut targets = targets()?;
    if let Some(only) = &options.target {
        targets.retain(|target| target == only);
    }
    if targets.is_empty() {
        bail!("there is no such target in fuzz/fuzz_targets");
    }
    let programs = build(&targets)?;
    let mut failed = Vec::new();
    for target in &targets {
        let mut command = Command::new(programs.join(target));
        command.args(LIMITS).arg(format!(
            "-artifact_prefix={}/",
            artifacts(target)?.display()
        ));
        match &options.input {
            Some(input) => command.arg(input),
            None => command
                .args(["-seed=1", &format!("-max_total_time={}", options.seconds)])
                .arg(corpus::write(target, !options.only_fixtures)?),
        };
        if !one(target, &mut command)? {
            failed.push(target.as_str());
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(format!("{} targets", targets.len()))
}

/// Writes the seeds of every target to `fuzz/corpus`, where `cargo fuzz` expects them.
///
/// # Errors
/// If a file can't be written.
pub fn write_corpus() -> Result<()> {
    for target in targets()? {
        println!("{}", corpus::write(&target, true)?.display());
    }
    Ok(())
}

/// The names of all targets.
fn targets() -> Result<Vec<String>> {
    let folder = workspace::root()?.join("fuzz").join("fuzz_targets");
    let mut names = Vec::new();
    for entry in folder
        .read_dir()
        .with_context(|| folder.display().to_string())?
    {
        let path = entry?.path();
        let name = path.file_stem().context("a file without a name")?;
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn artifacts(target: &str) -> Result<PathBuf> {
    let folder = workspace::root()?
        .join("fuzz")
        .join("artifacts")
        .join(target);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

/// Builds the targets with coverage, and returns the folder of the programs.
fn build(targets: &[String]) -> Result<PathBuf> {
    let host = program::stdout(Path::new("rustc"), &["--print", "host-tuple"])?;
    let host = String::from_utf8_lossy(&host).trim().to_owned();
    let folder = workspace::output("fuzz")?;
    // The target is named so that build scripts are built without coverage.
    let mut build = cargo::command(&["build", "--profile", "checked", "--target", &host])?;
    build.args(["--package", "diskmend-fuzz", "--features", "libfuzzer"]);
    for target in targets {
        build.args(["--bin", target]);
    }
    build.arg("--target-dir").arg(&folder);
    cargo::run(build.env("RUSTFLAGS", COVERAGE))?;
    Ok(folder.join(host).join("checked"))
}

/// Runs a target. Returns true if it found nothing.
fn one(target: &str, command: &mut Command) -> Result<bool> {
    let start = Instant::now();
    let output = command.output().with_context(|| target.to_owned())?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        println!("FAILED {target}: {}\n{said}", output.status);
        return Ok(false);
    }
    // "#4096 DONE cov: 812 ft: 3111 corp: 90/7Kb exec/s: 1365 rss: 61Mb"
    let done = said.lines().rev().find(|line| line.contains("\tDONE "));
    let done = done.unwrap_or("passes");
    println!(
        "{target:<12} {:>5.1} s  {done}",
        start.elapsed().as_secs_f64()
    );
    Ok(true)
}
