//! Partitions of raw disks on loop devices, mounted with ntfs-3g.

use std::io::Write as _;
use std::path::Path;

use crate::common::{Mount, run, skipped};
use crate::image_disk::Part;

/// A loop device; it is detached when this is dropped.
pub(crate) struct Loop {
    device: String,
}

impl Loop {
    pub(crate) fn new(path: &Path, part: Option<Part>, sector: u64) -> Option<Self> {
        let (start, len) = part.map_or((0, 0), |part| (part.start, part.len));
        let numbers = [start, len, sector].map(|number| number.to_string());
        let mut arguments = vec!["--find", "--show", "--sector-size", &numbers[2]];
        if part.is_some() {
            arguments.extend(["--offset", &numbers[0], "--sizelimit", &numbers[1]]);
        }
        arguments.push(path.to_str().expect("UTF-8"));
        match run("losetup", &arguments) {
            Ok(device) => Some(Self { device }),
            Err(error) => {
                skipped("a loop device, as root", &error);
                None
            }
        }
    }

    pub(crate) fn path(&self) -> &str {
        &self.device
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        if let Err(error) = run("losetup", &["--detach", &self.device]) {
            let _ = writeln!(std::io::stderr(), "left attached: {error}");
        }
        // It stays until the driver of the volume has closed it, which can be after umount has
        // ended.
        let name = self.device.trim_start_matches("/dev/");
        let backing = format!("/sys/block/{name}/loop/backing_file");
        for _ in 0..200 {
            if !Path::new(&backing).exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

/// A mounted volume of a disk; it is unmounted when this is dropped.
pub(crate) struct Volume {
    // Fields are dropped in this order, so the volume is unmounted before the device is detached.
    mount: Mount,
    _device: Loop,
}

impl Volume {
    /// Mounts the NTFS volume on a device with these options.
    pub(crate) fn new(device: Loop, options: &str) -> Option<Self> {
        let mount = Mount::new(&["-t", "ntfs-3g", "-o", options, device.path()])?;
        Some(Self {
            mount,
            _device: device,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.mount.path()
    }

    /// The path of its root, as an argument.
    pub(crate) fn root(&self) -> &str {
        self.path().to_str().expect("UTF-8")
    }
}
