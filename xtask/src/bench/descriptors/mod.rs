//! `cargo xtask bench-descriptors`: repairing the permissions of many files on a real NTFS volume,
//! beside the calls that this takes at least and beside ntfssecaudit, as whole processes.

mod contender;
mod files;
mod floor;
mod instructions;
mod volume;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub use floor::{FloorOptions, floor};

use self::contender::{Contender, Expected};
use self::files::{look, make};
use self::volume::Volume;
use super::measure::{self, Usage};
use crate::program;

/// Bytes of the volume beside those for the files.
const ROOM: u64 = 256 << 20;
/// Bytes of the volume for each file: its record, its names in the index, its lines in the reports.
const ROOM_FOR_FILE: u64 = 8 << 10;
/// How often a process under measurement is looked at.
const PERIOD: Duration = Duration::from_millis(5);

/// What to measure.
#[derive(clap::Args)]
pub struct Options {
    /// Files in the folder; several numbers are measured one after the other
    #[arg(long, value_delimiter = ',', default_value = "100000")]
    files: Vec<usize>,
    /// Runs of each program
    #[arg(long, default_value_t = 1)]
    runs: usize,
    /// Count the instructions of one more repair, which valgrind makes slow
    #[arg(long)]
    instructions: bool,
}

struct Row {
    contender: Contender,
    times: Vec<Duration>,
    usage: Usage,
}

/// Measures and prints a table for each number of files.
///
/// # Errors
/// Without root, mkntfs or ntfs-3g, and where something that is measured fails.
pub fn run(options: &Options) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        bail!("this needs root: it attaches a loop device and mounts it with ntfs-3g");
    }
    for (program, package) in [("mkntfs", "ntfs-3g"), ("losetup", "mount")] {
        if !program::exists(program) {
            bail!("this needs {program} (Debian package {package})");
        }
    }
    let diskmend = program::diskmend(true)?;
    volume::outlive_signals()?;
    for files in &options.files {
        compare(*files, options, &diskmend)?;
    }
    Ok(())
}

fn compare(files: usize, options: &Options, diskmend: &Path) -> Result<()> {
    let mut volume = Volume::new(ROOM + ROOM_FOR_FILE * files as u64)?;
    make(&volume.root(), files)?;
    let broken = look(&volume.root())?;
    volume.keep()?;
    println!(
        "{files} files, median of {} runs, mounted anew before each\n",
        options.runs
    );
    let mut rows = Vec::new();
    for contender in Contender::ALL {
        match contender.exists() {
            true => rows.push(Row {
                contender,
                times: Vec::new(),
                usage: Usage::default(),
            }),
            false => println!("SKIPPED: {} is not installed", contender.name()),
        }
    }
    for _ in 0..options.runs {
        for row in &mut rows {
            row.contender.prepare(&mut volume)?;
            let before = look(&volume.root())?;
            // What looking has made the driver and the kernel remember is forgotten again.
            volume.remount()?;
            let mut command = row.contender.command(&mut volume, diskmend)?;
            let (time, usage) = measure::watch(&mut command, PERIOD)?;
            if usage.code != 0 {
                bail!("{} fails: exit code {}", row.contender.name(), usage.code);
            }
            row.contender
                .verify(&mut volume, &Expected { broken, before })?;
            row.times.push(time);
            row.usage.memory = row.usage.memory.max(usage.memory);
            row.usage.written = usage.written;
        }
    }
    print(&mut rows, files)?;
    if options.instructions {
        volume.reset()?;
        let command = Contender::Repair.command(&mut volume, diskmend)?;
        let count = instructions::count(&command)?;
        println!(
            "\ninstructions of diskmend for all changes: {count}, {} for each file",
            count / files.max(1) as u64
        );
    }
    println!();
    Ok(())
}

fn print(rows: &mut [Row], files: usize) -> Result<()> {
    println!(
        "| program | seconds | of its floor | µs for each file | peak memory, MiB | MiB written |"
    );
    println!("|---|---|---|---|---|---|");
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let times: Vec<(Contender, f64)> = rows
        .iter_mut()
        .map(|row| (row.contender, measure::median(&mut row.times).as_secs_f64()))
        .collect();
    for (row, (contender, time)) in rows.iter().zip(&times) {
        let floor = times.iter().find(|(other, _)| *other == contender.floor());
        let (_, floor) = floor.context("no floor")?;
        println!(
            "| {} | {time:.2} | {:.2} | {:.0} | {:.1} | {:.1} |",
            contender.name(),
            time / floor,
            time * 1e6 / files.max(1) as f64,
            mib(row.usage.memory),
            mib(row.usage.written),
        );
    }
    Ok(())
}
