//! The sample disk: a VHD with one active NTFS partition, on which lie the hives and the boot store
//! of fixtures. It is made with `mkntfs` and `qemu-img` and kept compressed, so that the
//! demonstration itself needs neither.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::{cargo, fixtures, workspace};

const SECTOR: u64 = 512;
/// The first sector of the partition, as the fixture's boot store names it.
const START: u64 = 0x1f50_0000 / SECTOR;
/// The length of the partition in sectors.
const LEN: u64 = (16 << 20) / SECTOR;
/// The disk's signature in the boot store.
const SIGNATURE: [u8; 4] = [0x4d, 0x3e, 0x5c, 0xd1];

/// The files of fixtures, and their folders on the disk.
const FIXTURES: [(&str, &str); 3] = [
    ("demo-system", "Windows/System32/config"),
    ("demo-software", "Windows/System32/config"),
    ("bcd-bios", "Boot"),
];
/// Files that only have to be there.
const FILES: [&str; 5] = [
    "bootmgr",
    "Windows/System32/ntoskrnl.exe",
    "Windows/System32/services.exe",
    "Windows/System32/svchost.exe",
    "Windows/System32/winload.exe",
];
/// Boot and system drivers of the fixture's hive, whose files only have to be there.
const DRIVERS: [&str; 9] = [
    "afd", "disk", "fvevol", "iorate", "partmgr", "rdyboost", "storvsc", "vmbus", "volsnap",
];

fn packed() -> Result<PathBuf> {
    Ok(workspace::root()?.join("fixtures/demo-disk/disk.vhd.gz"))
}

/// The bytes of the disk.
///
/// # Errors
/// If the file is missing or damaged, or the fixtures have changed since it was made.
pub(super) fn unpack() -> Result<Vec<u8>> {
    let path = packed()?;
    let file = std::fs::File::open(&path).with_context(|| path.display().to_string())?;
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes)?;
    for (_, name, content) in content()? {
        // Each of the files lies in one piece, from the start of a sector.
        let mut places = (0..bytes.len()).step_by(SECTOR as usize);
        if !places.any(|at| {
            bytes
                .get(at..)
                .is_some_and(|rest| rest.starts_with(&content))
        }) {
            bail!("{name} has changed: run `cargo xtask demo --make-disk`");
        }
    }
    Ok(bytes)
}

/// The files of the fixtures: the folder on the disk, the name and the bytes of each.
fn content() -> Result<Vec<(&'static str, String, Vec<u8>)>> {
    let all = fixtures::all()?;
    let mut files = Vec::new();
    for (name, folder) in FIXTURES {
        let fixture = all.iter().find(|fixture| fixture.name == name);
        for (name, bytes) in fixture.context(name)?.build()? {
            files.push((folder, name, bytes));
        }
    }
    Ok(files)
}

/// Makes the disk anew. It needs root, `mkntfs`, `ntfs-3g` and `qemu-img`.
///
/// # Errors
/// If a program fails.
pub fn make() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let volume = folder.path().join("volume");
    make_volume(&volume, &folder.path().join("mount"))?;

    let raw = folder.path().join("raw");
    let mut disk = std::fs::File::create(&raw)?;
    disk.write_all(&master_boot_record())?;
    disk.seek(SeekFrom::Start(START * SECTOR))?;
    std::io::copy(&mut std::fs::File::open(&volume)?, &mut disk)?;
    disk.set_len((START + LEN + 2048) * SECTOR)?;

    let vhd = folder.path().join("vhd");
    let convert = ["convert", "-f", "raw", "-O", "vpc"];
    cargo::run(Command::new("qemu-img").args(convert).args([&raw, &vhd]))?;

    let path = packed()?;
    let file = std::fs::File::create(&path).with_context(|| path.display().to_string())?;
    let mut packer = GzEncoder::new(file, Compression::best());
    packer.write_all(&std::fs::read(&vhd)?)?;
    let packed = packer.finish()?.metadata()?.len();
    println!("wrote {} ({packed} bytes)", path.display());
    Ok(())
}

fn master_boot_record() -> Vec<u8> {
    const ACTIVE: u8 = 0x80;
    const NTFS: u8 = 0x07;
    let mut sector = vec![0; 440];
    sector.extend(SIGNATURE);
    sector.extend([0, 0, ACTIVE, 0xfe, 0xff, 0xff, NTFS, 0xfe, 0xff, 0xff]);
    sector.extend((START as u32).to_le_bytes());
    sector.extend((LEN as u32).to_le_bytes());
    sector.resize(510, 0);
    sector.extend([0x55, 0xaa]);
    sector
}

fn make_volume(volume: &Path, mount: &Path) -> Result<()> {
    std::fs::File::create(volume)?.set_len(LEN * SECTOR)?;
    let start = START.to_string();
    let format = [
        "--force",
        "--quick",
        "--quiet",
        "--with-uuid",
        "--label",
        "Windows",
    ];
    let mut mkntfs = Command::new("mkntfs");
    cargo::run(
        mkntfs
            .args(format)
            .args(["--partition-start", &start])
            .arg(volume),
    )?;

    std::fs::create_dir(mount)?;
    cargo::run(Command::new("ntfs-3g").args([volume, mount]))?;
    let filled = fill(mount);
    cargo::run(Command::new("umount").arg(mount))?;
    filled
}

fn fill(root: &Path) -> Result<()> {
    for (folder, name, bytes) in content()? {
        let folder = root.join(folder);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(name), bytes)?;
    }
    let drivers = root.join("Windows/System32/drivers");
    std::fs::create_dir_all(&drivers)?;
    let drivers = DRIVERS.map(|name| drivers.join(format!("{name}.sys")));
    let files = FILES.map(|name| root.join(name));
    for path in files.iter().chain(&drivers) {
        std::fs::write(path, "stands for the file of Windows\n")?;
    }
    Ok(())
}
