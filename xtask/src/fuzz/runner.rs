//! `cargo xtask fuzz`: mutated inputs for a bounded time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::mutate::{Seed, mutate};
use super::watchdog::{self, Current};
use super::{Target, seeds};
use crate::random::Random;
use crate::workspace;

/// What to run.
#[derive(clap::Args)]
pub struct Options {
    /// Seconds for all targets together
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// Where the random numbers start
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Only this target
    #[arg(long)]
    pub target: Option<Target>,
    /// Run this one input instead of mutated ones; needs --target
    #[arg(long, requires = "target")]
    pub input: Option<PathBuf>,
}

/// Fuzzes.
///
/// # Errors
/// Where an input made a target panic.
pub fn run(options: &Options) -> Result<()> {
    let folder = workspace::output("fuzz-failures")?;
    if let (Some(target), Some(path)) = (options.target, &options.input) {
        target.run(&std::fs::read(path).with_context(|| path.display().to_string())?);
        println!("{}: {} passes", target.name(), path.display());
        return Ok(());
    }
    if std::env::var_os(seeds::CORPUS).is_none() {
        println!(
            "SKIPPED: seeds from real hives, {} is not set",
            seeds::CORPUS
        );
    }
    let targets = match options.target {
        Some(target) => vec![target],
        None => Target::ALL.to_vec(),
    };
    let time = Duration::from_secs(options.seconds) / u32::try_from(targets.len())?;
    let current = watchdog::start(folder.clone());
    let mut failed = Vec::new();
    for target in targets {
        let seeds: Vec<_> = seeds::seeds(target)?.into_iter().map(Seed::new).collect();
        let mut random = Random::new(options.seed);
        let start = Instant::now();
        let mut executions = 0_u64;
        while start.elapsed() < time {
            let input = mutate(target, &seeds, &mut random);
            let set = |value| {
                *current.lock().unwrap_or_else(PoisonError::into_inner) = value;
            };
            set(Some(Current {
                target,
                input: input.clone(),
                since: Instant::now(),
            }));
            let result = catch_unwind(AssertUnwindSafe(|| target.run(&input)));
            set(None);
            executions += 1;
            if result.is_err() {
                let path = save(&folder, target, executions, &input)?;
                println!("FAILED {}: {}", target.name(), path.display());
                failed.push(target.name());
                break;
            }
        }
        println!(
            "{:<10} {executions:>8} executions in {:.1} s from {} seeds",
            target.name(),
            start.elapsed().as_secs_f64(),
            seeds.len()
        );
    }
    if !failed.is_empty() {
        bail!("panics in {}", failed.join(", "));
    }
    Ok(())
}

fn save(folder: &Path, target: Target, number: u64, input: &[u8]) -> Result<PathBuf> {
    let path = folder.join(format!("{}-{number}", target.name()));
    std::fs::write(&path, input).with_context(|| path.display().to_string())?;
    Ok(path)
}

/// Writes the seeds of every target to `fuzz/corpus`, where cargo-fuzz looks for them.
///
/// # Errors
/// Where a file can't be written.
pub fn write_corpus() -> Result<()> {
    for &target in Target::ALL {
        // cargo-fuzz names targets as Rust does.
        let name = target.name().replace('-', "_");
        let folder = workspace::root()?.join("fuzz").join("corpus").join(name);
        std::fs::create_dir_all(&folder)?;
        let seeds = seeds::seeds(target)?;
        for (number, mut seed) in seeds.into_iter().enumerate() {
            if target == Target::Edit {
                seed.extend((0..64_u8).map(|i| i.wrapping_mul(37)));
            }
            std::fs::write(folder.join(format!("seed-{number:03}")), seed)?;
        }
        println!("{}", folder.display());
    }
    Ok(())
}
