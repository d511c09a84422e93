//! `cargo xtask bench-images`: measures work on unmounted disks, as whole processes.

mod diagnose;
mod inspect;
mod keys;
mod set;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::descriptors::volume;
use super::measure;

pub use set::{SetOptions, set};

/// The exit codes of a command that looks: nothing found, or faults found.
const LOOKED: [i32; 2] = [0, 3];

/// What to measure.
#[derive(clap::Args)]
pub struct Options {
    /// Files whose permissions are repaired
    #[arg(long, default_value_t = 100_000)]
    files: usize,
    /// Runs of each program
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// The length of the disk that is inspected in GiB
    #[arg(long, default_value_t = 30)]
    size_gib: u64,
    /// The length of its SYSTEM hive in MiB
    #[arg(long, default_value_t = 16)]
    hive_mib: u64,
    /// The length of the SOFTWARE hive of the disk that is inspected in MiB
    #[arg(long, default_value_t = 80)]
    software_mib: u64,
    /// The length of the event logs of the disk that is diagnosed in MiB
    #[arg(long, default_value_t = 100)]
    logs_mib: usize,
    /// Measure only this
    #[arg(long, value_enum)]
    only: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Inspect,
    Diagnose,
    Keys,
}

/// Measures and prints a table for each part.
///
/// # Errors
/// If root rights, mkntfs or ntfs-3g are missing, or if a measured program fails.
pub fn run(options: &Options) -> Result<()> {
    let diskmend = volume::ready()?;
    let wanted = |part| options.only.is_none_or(|only| only == part);
    if wanted(Part::Inspect) {
        inspect::run(options, &diskmend)?;
    }
    if wanted(Part::Diagnose) {
        diagnose::run(options, &diskmend)?;
    }
    if wanted(Part::Keys) {
        keys::run(options, &diskmend)?;
    }
    Ok(())
}

/// Measures a command that only looks, on each of these disks, and prints the results.
fn table(
    looks: &str,
    at: &str,
    disks: &[(&str, PathBuf)],
    options: &Options,
    diskmend: &Path,
) -> Result<()> {
    let Options { size_gib, runs, .. } = options;
    println!("`diskmend {looks}` of {size_gib} GiB {at}, median of {runs} runs\n");
    println!("| disk | wall ms | peak memory, MiB | read, MiB |\n|---|---|---|---|");
    for (name, path) in disks {
        let mut times = Vec::new();
        let mut command = Command::new(diskmend);
        command.arg(looks).arg(path);
        for _ in 0..*runs {
            let (time, code) = measure::time(&mut command)?;
            if !LOOKED.contains(&code) {
                bail!("{looks}: exit code {code}");
            }
            times.push(time);
        }
        let usage = measure::usage(&mut command)?;
        println!(
            "| {name} | {:.0} | {:.1} | {:.1} |",
            measure::median(&mut times).as_secs_f64() * 1e3,
            mib(usage.memory),
            mib(usage.read)
        );
    }
    println!();
    Ok(())
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The folder beside an image that holds its undo data.
fn state_folder(image: &Path) -> PathBuf {
    let mut name = image.as_os_str().to_owned();
    name.push(".diskmend");
    name.into()
}
