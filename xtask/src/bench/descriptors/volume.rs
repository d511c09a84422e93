//! The NTFS volume for the benchmark: an image file, a loop device and an ntfs-3g mount.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::bench::measure;
use crate::program;

/// The number of attempts to unmount.
const UNMOUNTING: usize = 20;
/// The time between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A volume. However the benchmark ends, it is unmounted, detached and removed.
pub(in crate::bench) struct Volume {
    folder: TempDir,
    device: Option<String>,
    mounted: bool,
}

/// Checks that volumes can be made and mounted. Returns the program to measure.
pub(in crate::bench) fn ready() -> Result<PathBuf> {
    if !rustix::process::geteuid().is_root() {
        bail!("this needs root: it attaches a loop device and mounts it with ntfs-3g");
    }
    for (program, package) in [("mkntfs", "ntfs-3g"), ("losetup", "mount")] {
        if !program::exists(program) {
            bail!("this needs {program} (Debian package {package})");
        }
    }
    let diskmend = program::diskmend(true)?;
    outlive_signals()?;
    Ok(diskmend)
}

/// Keeps signals from ending this process while a volume is mounted.
fn outlive_signals() -> Result<()> {
    Ok(ctrlc::set_handler(|| {
        INTERRUPTED.store(true, Ordering::Relaxed);
    })?)
}

/// An error after somebody has asked to stop.
pub(in crate::bench) fn go_on() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        bail!("interrupted")
    } else {
        Ok(())
    }
}

impl Volume {
    /// An empty, mounted volume of this number of bytes.
    pub(in crate::bench) fn new(bytes: u64) -> Result<Self> {
        let volume = Self {
            folder: tempfile::tempdir_in(crate::workspace::output("bench")?)?,
            device: None,
            mounted: false,
        };
        std::fs::create_dir(volume.root())?;
        std::fs::File::create(volume.image())?.set_len(bytes)?;
        let made = Command::new("/usr/sbin/mkntfs")
            .args(["-F", "-Q", "-q"])
            .arg(volume.image())
            .output()
            .context("mkntfs")?;
        if !made.status.success() {
            bail!("mkntfs: {}", String::from_utf8_lossy(&made.stderr).trim());
        }
        let mut volume = volume;
        volume.mount()?;
        Ok(volume)
    }

    /// The folder at which it is mounted.
    pub(in crate::bench) fn root(&self) -> PathBuf {
        self.folder.path().join("mount")
    }

    /// The file that holds it.
    pub(in crate::bench) fn image(&self) -> PathBuf {
        self.folder.path().join("disk.img")
    }

    fn kept(&self) -> PathBuf {
        self.folder.path().join("kept.img")
    }

    /// A file beside the volume.
    pub(in crate::bench) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The device while nothing is mounted on it.
    pub(in crate::bench) fn unmounted(&mut self) -> Result<String> {
        go_on()?;
        self.unmount()?;
        self.attach()
    }

    /// Mounts it again, so that the driver and the kernel forget what they have read.
    pub(in crate::bench) fn remount(&mut self) -> Result<()> {
        go_on()?;
        self.unmount()?;
        self.mount()
    }

    /// Remembers its content.
    pub(in crate::bench) fn keep(&mut self) -> Result<()> {
        self.detach()?;
        copy(&self.image(), &self.kept())
    }

    /// Restores its remembered content and mounts it.
    pub(in crate::bench) fn reset(&mut self) -> Result<()> {
        self.reset_image()?;
        self.mount()
    }

    /// Restores the image's remembered content.
    pub(in crate::bench) fn reset_image(&mut self) -> Result<()> {
        go_on()?;
        self.detach()?;
        copy(&self.kept(), &self.image())
    }

    /// The processor time that the mounted volume's driver has used.
    pub(in crate::bench) fn driver_cpu(&self) -> Result<Duration> {
        Ok(self.driver()?.map_or(Duration::ZERO, measure::cpu))
    }

    /// The process of the mounted volume's driver.
    pub(in crate::bench) fn driver(&self) -> Result<Option<u32>> {
        let root = self.root();
        let root = root.as_os_str().as_encoded_bytes();
        for entry in std::fs::read_dir("/proc")? {
            let entry = entry?;
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if line
                .split(|byte| *byte == 0)
                .any(|argument| argument == root)
                && let Some(process) = entry.file_name().to_str()
                && let Ok(process) = process.parse()
            {
                return Ok(Some(process));
            }
        }
        Ok(None)
    }

    fn attach(&mut self) -> Result<String> {
        if let Some(device) = &self.device {
            return Ok(device.clone());
        }
        let image = self.image();
        let arguments = ["--find".as_ref(), "--show".as_ref(), image.as_os_str()];
        let device = program::stdout(Path::new("losetup"), &arguments)?;
        let device = String::from_utf8_lossy(&device).trim().to_owned();
        self.device = Some(device.clone());
        Ok(device)
    }

    fn mount(&mut self) -> Result<()> {
        let device = self.attach()?;
        let root = self.root();
        let arguments = ["-t", "ntfs-3g", "-o", "permissions", &device].map(AsRef::as_ref);
        let arguments = [&arguments[..], &[root.as_os_str()]].concat();
        program::stdout(Path::new("mount"), &arguments)?;
        self.mounted = true;
        Ok(())
    }

    fn unmount(&mut self) -> Result<()> {
        let mut tries = 0;
        while self.mounted {
            tries += 1;
            match program::stdout(Path::new("umount"), &[self.root()]) {
                Ok(_) => self.mounted = false,
                // A program that reads all mounts of the machine may keep it busy for a moment.
                Err(_) if tries < UNMOUNTING => std::thread::sleep(PAUSE),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Removes everything but the image.
    pub(in crate::bench) fn detach(&mut self) -> Result<()> {
        self.unmount()?;
        if let Some(device) = self.device.take() {
            program::stdout(Path::new("losetup"), &["--detach", &device])?;
        }
        Ok(())
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if let Err(error) = self.detach() {
            println!("left mounted or attached: {error:#}");
        }
    }
}

/// Copies an image durably, so that nothing has to be written back during a measurement.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let arguments = ["--sparse=always".as_ref(), from.as_os_str(), to.as_os_str()];
    program::stdout(Path::new("cp"), &arguments)?;
    std::fs::File::open(to)?.sync_all()?;
    Ok(())
}
