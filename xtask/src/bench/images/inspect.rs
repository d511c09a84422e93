//! Inspecting a large disk that is mostly empty.

use std::path::Path;

use anyhow::{Result, bail};
use diskmend_hive::{Editor, Opened, ValueType};

use super::{Options, mib, table};
use crate::bench::descriptors::files::{CONFIG, make};
use crate::bench::descriptors::volume::Volume;
use crate::bench::hive::{Shape, generate};
use crate::fixtures::{HiveFile, WRITTEN};
use crate::program;

/// The number of files that have their permissions inspected along with the hive.
const KEYS: usize = 100;

pub(super) fn run(options: &Options, diskmend: &Path) -> Result<()> {
    let mut volume = Volume::new(options.size_gib << 30)?;
    make(&volume.root(), KEYS)?;
    let hive = generate(options.hive_mib << 20, Shape::Deep)?;
    let config = volume.root().join(CONFIG);
    std::fs::write(config.join("SYSTEM"), &hive)?;
    let software = software(options.software_mib << 20)?;
    std::fs::write(config.join("SOFTWARE"), &software)?;
    for log in [
        "SYSTEM.LOG1",
        "SYSTEM.LOG2",
        "SOFTWARE.LOG1",
        "SOFTWARE.LOG2",
    ] {
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
    let [system, software] = [hive, software].map(|hive| mib(hive.len() as u64));
    let title =
        format!("with a SYSTEM hive of {system:.1} MiB and a SOFTWARE hive of {software:.1}");
    table("inspect", &title, &disks, options, diskmend)
}

/// A SOFTWARE hive that says which Windows it is.
fn software(len: u64) -> Result<Vec<u8>> {
    let bytes = generate(len, Shape::Deep)?;
    let Opened::Clean(hive) = diskmend_hive::open(Box::new(bytes))? else {
        bail!("the generated hive is dirty");
    };
    let mut editor = Editor::new(hive, WRITTEN);
    let key = r"Microsoft\Windows NT\CurrentVersion";
    editor.create_key(key)?;
    for (name, text) in [
        ("ProductName", "Windows Server 2022 Datacenter"),
        ("CurrentBuildNumber", "20348"),
        ("InstallationType", "Server"),
    ] {
        let data: Vec<u8> = text
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect();
        editor.set_value(key, name, ValueType::SZ, &data)?;
    }
    Ok(HiveFile::seal(editor.finish()?.hive(), "SOFTWARE", 1, WRITTEN)?.0)
}
