//! `cargo xtask bench`: comparing whole processes in one run, on copies of one hive.

mod contender;
#[cfg(target_os = "linux")]
mod descriptors;
#[cfg(target_os = "linux")]
mod flushes;
mod hive;
#[cfg(target_os = "linux")]
mod images;
mod measure;
mod wide;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use diskmend_hive::PAGE_LEN;

#[cfg(target_os = "linux")]
pub use descriptors::{
    FloorOptions, Options as DescriptorOptions, floor, run as compare_descriptors,
};
#[cfg(target_os = "linux")]
pub use flushes::{Options as FlushOptions, run as count_flushes};
pub use hive::{Options as HiveOptions, Shape, run as write_hive};
#[cfg(target_os = "linux")]
pub use images::{Options as ImageOptions, SetOptions, run as measure_images, set as set_on_image};
pub use wide::{Options as WideOptions, run as compare_wide};

use self::contender::{Contender, Scripts, VALUES};
use self::measure::Usage;
use crate::{program, workspace};

/// What to measure.
#[derive(clap::Args)]
pub struct Options {
    /// The length of the hive in MiB
    #[arg(long, default_value_t = 128)]
    size_mib: u64,
    /// How its keys lie
    #[arg(long, value_enum, default_value_t = Shape::Deep)]
    shape: Shape,
    /// Keys, spread over the hive, that get the 20 values in equal shares
    #[arg(long, default_value_t = 20)]
    keys: usize,
    /// Runs of each program
    #[arg(long, default_value_t = 7)]
    rounds: usize,
}

struct Row {
    contender: Contender,
    times: Vec<Duration>,
    usage: Usage,
    changed_pages: usize,
}

/// Measures and prints a table.
///
/// # Errors
/// If diskmend itself fails.
pub fn run(options: &Options) -> Result<()> {
    if options.keys == 0 || !VALUES.is_multiple_of(options.keys) {
        bail!(
            "{VALUES} values can't be shared out to {} keys",
            options.keys
        );
    }
    let folder = workspace::output("bench")?;
    let scripts = Scripts::write(&folder, program::diskmend(true)?, options.keys)?;
    let original = hive::generate(options.size_mib << 20, options.shape)?;
    let copy = folder.join("SYSTEM");
    println!(
        "{VALUES} values in {} keys of a {:?} hive of {} bytes, median of {} rounds, page cache warm\n",
        options.keys,
        options.shape,
        original.len(),
        options.rounds
    );
    let mut rows = Vec::new();
    for contender in Contender::ALL {
        if !contender.exists() {
            println!("SKIPPED: {} is not installed", contender.name());
            continue;
        }
        // The first run isn't timed. It shows the memory and the writes, and if the program works
        // at all.
        fresh(&original, &copy, &scripts)?;
        let usage = measure::usage(&mut contender.command(&scripts, &copy))?;
        if usage.code != contender.success() || !Contender::verify(&scripts, &copy)? {
            if matches!(contender, Contender::Diskmend | Contender::DiskmendNoCheck) {
                bail!("{} fails: exit code {}", contender.name(), usage.code);
            }
            println!("FAILS: {}: exit code {}", contender.name(), usage.code);
            continue;
        }
        rows.push(Row {
            contender,
            times: Vec::new(),
            usage,
            changed_pages: changed_pages(&original, &std::fs::read(&copy)?),
        });
    }
    for _ in 0..options.rounds {
        for row in &mut rows {
            fresh(&original, &copy, &scripts)?;
            let mut command = row.contender.command(&scripts, &copy);
            let (time, code) = measure::time(&mut command)?;
            if code != row.contender.success() {
                bail!("{} fails: exit code {code}", row.contender.name());
            }
            row.times.push(time);
        }
    }
    print(&mut rows, original.len())
}

/// Puts a fresh copy in place, without logs, on disk and in the page cache.
fn fresh(original: &[u8], copy: &Path, scripts: &Scripts) -> Result<()> {
    settled(original, copy, scripts.state())
}

/// Puts a fresh copy in place; `state` is the folder of diskmend's undo data.
fn settled(original: &[u8], copy: &Path, state: &Path) -> Result<()> {
    if state.exists() {
        std::fs::remove_dir_all(state)?;
    }
    for ending in ["LOG", "LOG1", "LOG2"] {
        let log = copy.with_extension(ending);
        if log.exists() {
            std::fs::remove_file(log)?;
        }
    }
    hive::place(original, copy)?;
    // Otherwise the previous program's data in the page cache would be flushed during the
    // measurement.
    program::run::<&str>(Path::new("sync"), &[]).map(drop)
}

fn changed_pages(before: &[u8], after: &[u8]) -> usize {
    let same = before
        .chunks(PAGE_LEN)
        .zip(after.chunks(PAGE_LEN))
        .filter(|(before, after)| before == after)
        .count();
    after.len().div_ceil(PAGE_LEN) - same
}

fn print(rows: &mut [Row], hive_len: usize) -> Result<()> {
    println!(
        "| program | wall ms | of diskmend | peak MiB | over hive MiB | MiB written | pages changed |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let reference = rows.first_mut().context("no row")?;
    let reference = measure::median(&mut reference.times).as_secs_f64();
    for row in rows {
        let time = measure::median(&mut row.times).as_secs_f64();
        println!(
            "| {} | {:.1} | {:.2} | {:.1} | {:.1} | {:.2} | {} |",
            row.contender.name(),
            time * 1000.0,
            time / reference,
            mib(row.usage.memory),
            mib(row.usage.memory) - mib(hive_len as u64),
            mib(row.usage.written),
            row.changed_pages
        );
    }
    Ok(())
}
