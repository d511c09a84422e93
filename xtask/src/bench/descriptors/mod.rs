//! `cargo xtask bench-descriptors`: repairing the permissions of many files on a real NTFS volume,
//! compared with the calls that are needed at least and with ntfssecaudit, as whole processes.

mod contender;
mod count;
pub(super) mod files;
mod floor;
pub(super) mod volume;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub use floor::{FloorOptions, floor};

use self::contender::{Contender, Expected};
use self::files::{Look, look, make};
use self::volume::Volume;
use super::measure::{self, Usage};

/// The volume's size in bytes without the space for the files.
const ROOM: u64 = 256 << 20;
/// The space in bytes for each file: its record, its names in the index, its lines in the reports.
const ROOM_FOR_FILE: u64 = 8 << 10;
/// The time between two looks at a measured process.
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
    /// Count in further runs the requests to the driver and the instructions, which strace and
    /// valgrind make slow
    #[arg(long)]
    count: bool,
}

struct Row {
    contender: Contender,
    times: Vec<Duration>,
    /// Of the process and the driver together.
    cpu: Vec<Duration>,
    usage: Usage,
}

/// Measures and prints a table for each number of files.
///
/// # Errors
/// If root rights, mkntfs or ntfs-3g are missing, or if a measured program fails.
pub fn run(options: &Options) -> Result<()> {
    let diskmend = volume::ready()?;
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
        if contender.exists() {
            rows.push(Row {
                contender,
                times: Vec::new(),
                cpu: Vec::new(),
                usage: Usage::default(),
            })
        } else {
            println!("SKIPPED: {} is not installed", contender.name())
        }
    }
    for _ in 0..options.runs {
        for row in &mut rows {
            row.measure(&mut volume, broken, diskmend)?;
        }
    }
    print(&mut rows, files)?;
    if options.count {
        count::print(&mut volume, files, diskmend)?;
    }
    println!();
    Ok(())
}

impl Row {
    fn measure(&mut self, volume: &mut Volume, broken: Look, diskmend: &Path) -> Result<()> {
        self.contender.prepare(volume)?;
        let before = look(&volume.root())?;
        // This makes the driver and the kernel forget what they read for the check.
        volume.remount()?;
        let mut command = self.contender.command(volume, diskmend)?;
        let driver = volume.driver_cpu()?;
        let (time, usage) = measure::watch(&mut command, PERIOD)?;
        let driver = volume.driver_cpu()?.saturating_sub(driver);
        if usage.code != 0 {
            bail!("{} fails: exit code {}", self.contender.name(), usage.code);
        }
        self.contender
            .verify(volume, &Expected { broken, before })?;
        self.times.push(time);
        self.cpu.push(usage.cpu + driver);
        self.usage.memory = self.usage.memory.max(usage.memory);
        self.usage.written = usage.written;
        Ok(())
    }
}

fn print(rows: &mut [Row], files: usize) -> Result<()> {
    println!(
        "| program | wall µs for each file | of its floor | processor µs, with the driver | \
         of its floor | peak memory, MiB | MiB written |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let each = |times: &mut Vec<Duration>| {
        measure::median(times).as_secs_f64() * 1e6 / files.max(1) as f64
    };
    let times: Vec<(Contender, f64, f64)> = rows
        .iter_mut()
        .map(|row| (row.contender, each(&mut row.times), each(&mut row.cpu)))
        .collect();
    for (row, (contender, time, cpu)) in rows.iter().zip(&times) {
        let floor = times.iter().find(|(other, ..)| *other == contender.floor());
        let (_, floor, floor_cpu) = floor.context("no floor")?;
        println!(
            "| {} | {time:.0} | {:.2} | {cpu:.0} | {:.2} | {:.1} | {:.1} |",
            contender.name(),
            time / floor,
            cpu / floor_cpu,
            mib(row.usage.memory),
            mib(row.usage.written),
        );
    }
    Ok(())
}
