//! Inspecting a large disk that is mostly empty.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use super::{Options, mib};
use crate::bench::descriptors::files::{CONFIG, make};
use crate::bench::descriptors::volume::Volume;
use crate::bench::hive::{Shape, generate};
use crate::bench::measure;
use crate::program;

/// The number of files that have their permissions inspected along with the hive.
const KEYS: usize = 100;
/// The exit codes of an inspection: nothing found, or faults found.
const LOOKED: [i32; 2] = [0, 3];

pub(super) fn run(options: &Options, diskmend: &Path) -> Result<()> {
    let mut volume = Volume::new(options.size_gib << 30)?;
    make(&volume.root(), KEYS)?;
    let hive = generate(options.hive_mib << 20, Shape::Deep)?;
    let config = volume.root().join(CONFIG);
    std::fs::write(config.join("SYSTEM"), &hive)?;
    for log in ["SYSTEM.LOG1", "SYSTEM.LOG2"] {
        std::fs::write(config.join(log), b"")?;
    }
    volume.detach()?;
    let mut disks = vec![("raw", volume.image())];
    let other = volume.beside("disk.vhdx");
    if program::exists("qemu-img") {
        let arguments = ["convert", "-O", "vhdx"].map(AsRef::as_ref);
        let image = volume.image();
        let files = [image.as_os_str(), other.as_os_str()];
        program::stdout(Path::new("qemu-img"), &[&arguments[..], &files].concat())?;
        disks.push(("VHDX", other));
    } else {
        println!("SKIPPED: qemu-img is not installed")
    }
    println!(
        "`diskmend inspect` of {} GiB with a SYSTEM hive of {:.1} MiB, median of {} runs\n",
        options.size_gib,
        mib(hive.len() as u64),
        options.runs
    );
    println!("| disk | wall ms | peak memory, MiB |\n|---|---|---|");
    for (name, path) in disks {
        let mut times = Vec::new();
        let mut command = Command::new(diskmend);
        command.arg("inspect").arg(&path);
        for _ in 0..options.runs {
            let (time, code) = measure::time(&mut command)?;
            if !LOOKED.contains(&code) {
                bail!("inspect: exit code {code}");
            }
            times.push(time);
        }
        let usage = measure::usage(&mut command)?;
        let time: Duration = measure::median(&mut times);
        println!(
            "| {name} | {:.0} | {:.1} |",
            time.as_secs_f64() * 1e3,
            mib(usage.memory)
        );
    }
    println!();
    Ok(())
}
