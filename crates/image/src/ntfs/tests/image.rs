//! Images that mkntfs makes, and the tools that check them.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::super::Volume;
use crate::testing::Memory;

/// An image in a folder of its own.
pub(in crate::ntfs) struct Image {
    folder: tempfile::TempDir,
}

/// Prints that something is missing that the test needs; returns `true` for the caller's
/// convenience.
pub(in crate::ntfs) fn skip(what: &str) -> bool {
    assert!(
        std::env::var_os("DISKMEND_NO_SKIP").is_none(),
        "{what}, and DISKMEND_NO_SKIP is set"
    );
    eprintln!("SKIPPED: {what}");
    true
}

pub(in crate::ntfs) fn run(program: &str, arguments: &[&OsStr]) -> Option<Output> {
    let mut command = Command::new(program);
    match command.args(arguments).env("LC_ALL", "C").output() {
        Ok(output) => Some(output),
        Err(error) => {
            skip(&format!("{program} cannot be run: {error}"));
            None
        }
    }
}

fn expect_success(output: &Output, what: &str) {
    assert!(
        output.status.success(),
        "{what}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

impl Image {
    /// Makes a volume of `mib` MiB with further arguments of mkntfs; `None` if mkntfs is missing.
    pub(in crate::ntfs) fn make(mib: u64, arguments: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let image = Self { folder };
        let file = fs::File::create(image.path()).expect("an image");
        file.set_len(mib << 20).expect("a length");
        let path = image.path();
        let mut all: Vec<&OsStr> = ["-F", "-Q", "-q"].map(OsStr::new).to_vec();
        all.extend(arguments.iter().map(OsStr::new));
        all.push(path.as_os_str());
        expect_success(&run("mkntfs", &all)?, "mkntfs");
        Some(image)
    }

    pub(in crate::ntfs) fn path(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    /// Mounts it with ntfs-3g, calls `fill` with the mounted folder, and unmounts it; `None` if
    /// that is not possible.
    pub(in crate::ntfs) fn mounted<T>(
        &self,
        options: &str,
        fill: impl FnOnce(&Path) -> T,
    ) -> Option<T> {
        let mount = Mount::new(&self.path(), &self.folder.path().join("mounted"), options)?;
        let result = fill(&mount.folder);
        drop(mount);
        Some(result)
    }

    /// Its bytes as a device.
    pub(in crate::ntfs) fn device(&self) -> Arc<Memory> {
        Arc::new(Memory::new(fs::read(self.path()).expect("readable")))
    }

    /// Its volume, and the device below.
    pub(in crate::ntfs) fn open(&self) -> (Volume, Arc<Memory>) {
        let device = self.device();
        let volume = Volume::open(device.clone()).unwrap_or_else(|error| panic!("{error}"));
        (volume, device)
    }

    /// Replaces its bytes by those of a device.
    pub(in crate::ntfs) fn store(&self, device: &Memory) {
        fs::write(self.path(), device.bytes()).expect("writable");
    }

    /// Replaces its bytes by those of a device, and has the tools of ntfs-3g look for errors.
    pub(in crate::ntfs) fn store_and_check(&self, device: &Memory) {
        self.store(device);
        self.check();
    }

    /// Has the tools of ntfs-3g look for errors.
    pub(in crate::ntfs) fn check(&self) {
        let path = self.path();
        for (program, argument) in [("ntfsfix", "-n"), ("ntfsinfo", "-m")] {
            let arguments = [OsStr::new(argument), path.as_os_str()];
            if let Some(output) = run(program, &arguments) {
                expect_success(&output, program);
                let told = String::from_utf8_lossy(&output.stdout).to_lowercase();
                for word in ["corrupt", "fail", "error", "differ", "mismatch"] {
                    assert!(!told.contains(word), "{program}: {told}");
                }
            }
        }
    }

    /// The content of a file as ntfscat reads it.
    pub(in crate::ntfs) fn cat(&self, path: &str) -> Option<Vec<u8>> {
        let image = self.path();
        let output = run("ntfscat", &[image.as_os_str(), OsStr::new(path)])?;
        expect_success(&output, path);
        Some(output.stdout)
    }

    /// The output of ntfsinfo for a file.
    pub(in crate::ntfs) fn info(&self, path: &str) -> Option<String> {
        let image = self.path();
        let arguments = ["-v", "-F", path].map(OsStr::new);
        let mut all = arguments.to_vec();
        all.push(image.as_os_str());
        let output = run("ntfsinfo", &all)?;
        expect_success(&output, path);
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// A mounted image; it is unmounted even if the test fails.
struct Mount {
    folder: PathBuf,
    device: PathBuf,
}

impl Mount {
    fn new(image: &Path, folder: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(folder).expect("a folder");
        let arguments = [OsStr::new("-f"), OsStr::new("--show"), image.as_os_str()];
        let output = run("losetup", &arguments)?;
        if !output.status.success() {
            skip("losetup needs root");
            return None;
        }
        let device = String::from_utf8(output.stdout).expect("a path");
        let mount = Self {
            folder: folder.to_owned(),
            device: device.trim().into(),
        };
        let mut all: Vec<&OsStr> = ["-t", "ntfs-3g", "-o", options].map(OsStr::new).to_vec();
        all.extend([mount.device.as_os_str(), folder.as_os_str()]);
        let output = run("mount", &all)?;
        if !output.status.success() {
            skip("ntfs-3g cannot mount here");
            return None;
        }
        Some(mount)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // For a moment, a program that another test is starting has our open files.
        for _ in 0..100 {
            match Command::new("umount").arg(&self.folder).status() {
                Ok(status) if !status.success() => thread::sleep(Duration::from_millis(50)),
                _ => break,
            }
        }
        let _ = Command::new("losetup").arg("-d").arg(&self.device).output();
    }
}
