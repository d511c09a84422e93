//! Inspecting a large disk that is mostly empty.

use std::path::Path;

use anyhow::Result;

use super::{Options, mib, table};
use crate::bench::descriptors::files::{CONFIG, make};
use crate::bench::descriptors::volume::Volume;
use crate::bench::hive::{Shape, generate};
use crate::program;

/// The number of files that have their permissions inspected along with the hive.
const KEYS: usize = 100;

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
    let hive = mib(hive.len() as u64);
    let title = format!("with a SYSTEM hive of {hive:.1} MiB");
    table("inspect", &title, &disks, options, diskmend)
}
