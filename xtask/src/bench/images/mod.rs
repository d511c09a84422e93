//! `cargo xtask bench-images`: measures work on unmounted disks, as whole processes.

mod inspect;
mod keys;
mod set;

use std::path::Path;

use anyhow::Result;

use super::descriptors::volume;

pub use set::{SetOptions, set};

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
    /// Measure only this
    #[arg(long, value_enum)]
    only: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Inspect,
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
    if wanted(Part::Keys) {
        keys::run(options, &diskmend)?;
    }
    Ok(())
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The folder beside an image that holds its undo data.
fn state_folder(image: &Path) -> std::path::PathBuf {
    let mut name = image.as_os_str().to_owned();
    name.push(".diskmend");
    name.into()
}
