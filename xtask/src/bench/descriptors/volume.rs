//! The NTFS volume that is worked on: an image file, a loop device and an ntfs-3g mount.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::bench::measure;
use crate::program;

/// Times that unmounting is tried.
const UNMOUNTING: usize = 20;
/// How long to wait before it is tried again.
const PAUSE: Duration = Duration::from_millis(200);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A volume. However the benchmark ends, it is unmounted, detached and removed.
pub(in crate::bench) struct Volume {
    folder: TempDir,
    device: Option<String>,
    mounted: bool,
}

/// Whether volumes can be made and mounted; gives the program that is measured.
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

/// An error once somebody wants the end.
pub(in crate::bench) fn go_on() -> Result<()> {
    match INTERRUPTED.load(Ordering::Relaxed) {
        true => bail!("interrupted"),
        false => Ok(()),
    }
}

impl Volume {
    /// An empty volume of so many bytes, mounted.
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

    /// Where it is mounted.
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

    /// Mounts it anew, so that the driver and the kernel remember nothing of it.
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

    /// Gives it the remembered content back and mounts it.
    pub(in crate::bench) fn reset(&mut self) -> Result<()> {
        self.reset_image()?;
        self.mount()
    }

    /// Gives the image the remembered content back.
    pub(in crate::bench) fn reset_image(&mut self) -> Result<()> {
        go_on()?;
        self.detach()?;
        copy(&self.kept(), &self.image())
    }

    /// The time that the mounted volume's driver has had on a processor.
    pub(in crate::bench) fn driver_cpu(&self) -> Result<Duration> {
        Ok(self.driver()?.map_or(Duration::ZERO, measure::cpu))
    }

    /// The process that is the mounted volume's driver.
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
                // Whatever looks at all mounts of the machine may hold it for a moment.
                Err(_) if tries < UNMOUNTING => std::thread::sleep(PAUSE),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Leaves nothing but the image.
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

/// Copies an image, and leaves nothing to be written back while something is measured.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let arguments = ["--sparse=always".as_ref(), from.as_os_str(), to.as_os_str()];
    program::stdout(Path::new("cp"), &arguments)?;
    std::fs::File::open(to)?.sync_all()?;
    Ok(())
}
