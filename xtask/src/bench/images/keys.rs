//! Repairing the permissions of many files on an image, compared with a mount.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{Options, mib, set, state_folder};
use crate::bench::descriptors::files::{KEYS, Look, look, make};
use crate::bench::descriptors::volume::Volume;
use crate::bench::measure::{self, Usage};

/// The size of the volume in bytes without the space for the files.
const ROOM: u64 = 256 << 20;
/// The space in bytes for each file.
const ROOM_FOR_FILE: u64 = 8 << 10;
/// The time between two looks at a measured process.
const PERIOD: Duration = Duration::from_millis(1);
/// The length of a FILE record, as mkntfs creates it.
const RECORD_LEN: u64 = 1024;
/// The number of bytes that are read at once.
const CHUNK: usize = 1 << 20;

/// Something under measurement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Contender {
    Floor,
    Mounted,
    MountedAgain,
    ReadRecords,
    Image,
    ImageAgain,
    ImageUndo,
}

impl Contender {
    const ALL: [Self; 7] = [
        Self::Floor,
        Self::Mounted,
        Self::MountedAgain,
        Self::ReadRecords,
        Self::Image,
        Self::ImageAgain,
        Self::ImageUndo,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Floor => "mounted: `getxattr` and `setxattr` of each file",
            Self::Mounted => "mounted: `diskmend repair`, all change",
            Self::MountedAgain => "mounted: `diskmend repair`, none changes",
            Self::ReadRecords => "image: reading as many bytes as the MFT has",
            Self::Image => "image: `diskmend repair`, all change",
            Self::ImageAgain => "image: `diskmend repair`, none changes",
            Self::ImageUndo => "image: `diskmend undo`",
        }
    }
}

struct Row {
    contender: Contender,
    times: Vec<Duration>,
    usage: Usage,
    /// The number of bytes of the image that have changed, and of pages of 4096 bytes that contain
    /// them.
    changed: (u64, u64),
}

pub(super) fn run(options: &Options, diskmend: &Path) -> Result<()> {
    let files = options.files;
    let mut volume = Volume::new(ROOM + ROOM_FOR_FILE * files as u64)?;
    make(&volume.root(), files)?;
    let broken = look(&volume.root())?;
    volume.keep()?;
    let mut rows: Vec<Row> = Contender::ALL
        .into_iter()
        .map(|contender| Row {
            contender,
            times: Vec::new(),
            usage: Usage::default(),
            changed: (0, 0),
        })
        .collect();
    for _ in 0..options.runs {
        // On an image, each contender but the first finds it as the previous one has left it.
        for row in &mut rows {
            row.measure(&mut volume, broken, diskmend, files)?;
        }
    }
    println!(
        "{files} files in MachineKeys, median of {} runs\n",
        options.runs
    );
    print(&mut rows);
    let mut alone = Vec::new();
    for _ in 0..options.runs {
        volume.reset_image()?;
        alone.push(set::in_process(&volume.image())?);
        volume.remount()?;
        if look(&volume.root())?.descriptors == broken.descriptors {
            bail!("the descriptors were not set");
        }
    }
    println!(
        "\nSetting the descriptors alone, recorded, read back and durable: {:.0} ms.\n",
        measure::median(&mut alone).as_secs_f64() * 1e3
    );
    Ok(())
}

impl Row {
    fn measure(
        &mut self,
        volume: &mut Volume,
        broken: Look,
        diskmend: &Path,
        files: usize,
    ) -> Result<()> {
        match self.contender {
            Contender::Floor | Contender::Mounted => volume.reset()?,
            Contender::MountedAgain => volume.remount()?,
            Contender::ReadRecords => volume.reset_image()?,
            Contender::Image => {
                volume.reset_image()?;
                let state = state_folder(&volume.image());
                if state.exists() {
                    std::fs::remove_dir_all(state)?;
                }
            }
            Contender::ImageAgain | Contender::ImageUndo => volume.detach()?,
        }
        let image = volume.image();
        let before = match self.contender {
            Contender::Image => Some(volume.beside("before.img")),
            _ => None,
        };
        if let Some(before) = &before {
            copy(&image, before)?;
        }
        if self.contender == Contender::ReadRecords {
            self.times.push(read(&image, files as u64 * RECORD_LEN)?);
            return Ok(());
        }
        let mut command = self.command(volume, diskmend)?;
        let (time, usage) = measure::watch(&mut command, PERIOD)?;
        if usage.code != 0 {
            bail!("{}: exit code {}", self.contender.name(), usage.code);
        }
        self.times.push(time);
        self.usage = usage;
        if let Some(before) = before {
            self.changed = difference(&before, &image)?;
            std::fs::remove_file(before)?;
        }
        self.verify(volume, broken)
    }

    fn command(&self, volume: &Volume, diskmend: &Path) -> Result<Command> {
        let mut command = Command::new(diskmend);
        let root = volume.root();
        let target = match self.contender {
            Contender::Floor => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["bench-descriptors-floor", "--set"]);
                command.arg(root.join(KEYS));
                return Ok(command);
            }
            Contender::Mounted | Contender::MountedAgain => root,
            _ => volume.image(),
        };
        match self.contender {
            Contender::ImageUndo => command.arg("undo").arg(target),
            _ => command.arg("repair").arg(target).arg("machine-keys"),
        };
        command.arg("--yes");
        Ok(command)
    }

    /// Checks that it has done its job.
    fn verify(&self, volume: &mut Volume, broken: Look) -> Result<()> {
        volume.remount()?;
        let now = look(&volume.root())?;
        let is_broken = now.descriptors == broken.descriptors;
        if is_broken != (self.contender == Contender::ImageUndo) {
            bail!(
                "{}: the volume is not as it should be",
                self.contender.name()
            );
        }
        Ok(())
    }
}

/// The time for reading this number of bytes from the start of a file.
fn read(path: &Path, bytes: u64) -> Result<Duration> {
    let start = Instant::now();
    let file = File::open(path)?;
    let mut chunk = vec![0; CHUNK];
    let mut at = 0;
    while at < bytes {
        let read = file.read_at(&mut chunk, at)?;
        if read == 0 {
            break;
        }
        at += read as u64;
    }
    Ok(start.elapsed())
}

fn copy(from: &Path, to: &PathBuf) -> Result<()> {
    let status = Command::new("cp")
        .arg("--sparse=always")
        .args([from, to])
        .status()?;
    if status.success() {
        Ok(File::open(to)?.sync_all()?)
    } else {
        bail!("cp: {status}")
    }
}

/// The number of bytes that differ between two files of one length, and of pages that contain them.
fn difference(one: &Path, other: &Path) -> Result<(u64, u64)> {
    let (one, other) = (File::open(one)?, File::open(other)?);
    let (mut a, mut b) = (vec![0; CHUNK], vec![0; CHUNK]);
    let len = one.metadata()?.len();
    let (mut bytes, mut pages) = (0, 0);
    let mut at = 0;
    while at < len {
        let part = usize::try_from(len - at)?.min(CHUNK);
        let a = a.get_mut(..part).context("a part")?;
        let b = b.get_mut(..part).context("a part")?;
        one.read_exact_at(a, at)?;
        other.read_exact_at(b, at)?;
        if a != b {
            for (a, b) in a.chunks(4096).zip(b.chunks(4096)) {
                let differ = a.iter().zip(b).filter(|(a, b)| a != b).count() as u64;
                bytes += differ;
                pages += u64::from(differ > 0);
            }
        }
        at += part as u64;
    }
    Ok((bytes, pages))
}

fn print(rows: &mut [Row]) {
    println!(
        "| program | wall ms | of the mounted repair | processor ms | peak memory, MiB | \
         MiB written | MiB for the disk |\n|---|---|---|---|---|---|---|"
    );
    let medians: Vec<_> = rows
        .iter_mut()
        .map(|row| measure::median(&mut row.times).as_secs_f64())
        .collect();
    let of = |contender| {
        let at = Contender::ALL.iter().position(|one| *one == contender);
        at.and_then(|at| medians.get(at)).copied().unwrap_or(1.0)
    };
    for (row, time) in rows.iter().zip(&medians) {
        println!(
            "| {} | {:.0} | {:.3} | {:.0} | {:.1} | {:.1} | {:.1} |",
            row.contender.name(),
            time * 1e3,
            time / of(Contender::Mounted),
            row.usage.cpu.as_secs_f64() * 1e3,
            mib(row.usage.memory),
            mib(row.usage.written),
            mib(row.usage.stored),
        );
    }
    let changed = rows.iter().map(|row| row.changed).max().unwrap_or_default();
    println!(
        "\nThe repair of the image changed {:.1} MiB in {:.1} MiB of pages.",
        mib(changed.0),
        mib(changed.1 * 4096)
    );
}
