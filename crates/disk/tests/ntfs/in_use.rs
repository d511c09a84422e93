//! Images that are in use: attached to a loop device, or open in QEMU.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use diskmend_disk::{GuardError, Target, guard};

use crate::common::{Mount, run, skipped};

/// An NTFS volume in a file that is not in use.
struct Image {
    dir: tempfile::TempDir,
    path: PathBuf,
}

impl Image {
    /// An image in one of qemu-img's formats. If that is not possible, reports it and returns
    /// `None`.
    fn new(format: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("volume.img");
        fs::File::create(&path).unwrap().set_len(8 << 20).unwrap();
        if let Err(error) = run("mkntfs", &["-F", "-Q", "-q", text(&path)]) {
            skipped("mkntfs", &error);
            return None;
        }
        let raw = Self { dir, path };
        if format == "raw" {
            return Some(raw);
        }
        let path = raw.dir.path().join("disk");
        let convert = ["convert", "-f", "raw", "-O", format];
        match run(
            "qemu-img",
            &[&convert, &[text(&raw.path), text(&path)][..]].concat(),
        ) {
            Ok(_) => Some(Self { path, ..raw }),
            Err(error) => {
                skipped("qemu-img (Debian package qemu-utils)", &error);
                None
            }
        }
    }

    fn open(&self) -> Target {
        Target::open(&self.path).unwrap()
    }

    /// Checks that both guards refuse the image.
    #[track_caller]
    fn is_refused(&self, expected: fn(&GuardError) -> bool) {
        let target = self.open();
        for refused in [guard::not_in_use(&target), guard::writable(&target)] {
            let error = refused.unwrap_err();
            assert!(expected(&error), "{error}");
        }
    }

    #[track_caller]
    fn is_accepted(&self) {
        let target = self.open();
        eventually(|| guard::not_in_use(&target));
        eventually(|| guard::writable(&target));
        guard::not_in_use(&target).unwrap();
    }
}

/// For a moment, a program that another test is starting has all open files and locks of this
/// process.
#[track_caller]
fn eventually(accepted: impl Fn() -> Result<(), GuardError>) {
    for _ in 0..100 {
        if accepted().is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    accepted().unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const fn is_attached(error: &GuardError) -> bool {
    matches!(error, GuardError::DiskAttached { .. })
}

const fn is_locked(error: &GuardError) -> bool {
    matches!(error, GuardError::DiskLocked)
}

/// A loop device; it is detached when dropped.
struct Attached(String);

impl Attached {
    fn new(arguments: &[&str]) -> Option<Self> {
        match run("losetup", &[&["--find", "--show"], arguments].concat()) {
            Ok(device) => Some(Self(device)),
            Err(error) => {
                skipped("a loop device, as root", &error);
                None
            }
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        run("losetup", &["--detach", &self.0]).unwrap();
    }
}

/// diskmend 0.1.0 wrote to a mounted image. Then the driver wrote what it had in memory, and
/// destroyed a hive.
#[test]
fn an_image_that_is_attached_to_a_loop_device_is_left_alone() {
    let Some(image) = Image::new("raw") else {
        return;
    };
    image.is_accepted();
    let path = image.path.clone();
    let link = image.dir.path().join("link");
    let hard = image.dir.path().join("hard link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    fs::hard_link(&path, &hard).unwrap();
    for arguments in [
        &[text(&path)][..],
        &["--read-only", text(&path)],
        &[text(&link)],
        &[text(&hard)],
        // By an offset, as a partition is attached.
        &["--offset", "1048576", "--sizelimit", "1048576", text(&path)],
    ] {
        let Some(device) = Attached::new(arguments) else {
            return;
        };
        image.is_refused(is_attached);
        drop(device);
        image.is_accepted();
    }
    // By a name that is gone: the kernel adds " (deleted)" to the path that it shows.
    let device = Attached::new(&[text(&hard)]).expect("attached before");
    fs::remove_file(&hard).unwrap();
    image.is_refused(is_attached);
    drop(device);
    // Mounted; the kernel detaches it as soon as it is unmounted.
    let Some(mount) = Mount::new(&["-t", "ntfs-3g", "-o", "loop", text(&path)]) else {
        return;
    };
    image.is_refused(is_attached);
    drop(mount);
    // A loop device of another file does not matter.
    let other = image.dir.path().join("other.img");
    fs::copy(&path, &other).unwrap();
    let _device = Attached::new(&[text(&other)]).expect("attached before");
    image.is_accepted();
}

/// A mount may have written after the disk was read, even if it is unmounted since.
#[test]
fn a_block_device_that_was_mounted_when_it_was_read_is_left_alone() {
    let Some(image) = Image::new("raw") else {
        return;
    };
    let Some(device) = Attached::new(&[text(&image.path)]) else {
        return;
    };
    let Some(mount) = Mount::new(&["-t", "ntfs-3g", &device.0]) else {
        return;
    };
    let target = Target::open(device.0.as_ref()).unwrap();
    let refused = guard::not_in_use(&target).unwrap_err();
    assert!(matches!(refused, GuardError::DiskInUse), "{refused}");
    drop(mount);
    for refused in [guard::not_in_use(&target), guard::writable(&target)] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, GuardError::DiskWasInUse), "{refused}");
    }
}

/// A loop device of a loop device, or of a part of one, does not claim it.
#[test]
fn a_block_device_that_is_attached_to_another_is_left_alone() {
    let Some(image) = Image::new("raw") else {
        return;
    };
    let Some(below) = Attached::new(&[text(&image.path)]) else {
        return;
    };
    let device = || Target::open(below.0.as_ref()).unwrap();
    eventually(|| guard::not_in_use(&device()));
    eventually(|| guard::writable(&device()));
    let above = Attached::new(&[&below.0]).expect("attached before");
    {
        let target = device();
        for refused in [guard::not_in_use(&target), guard::writable(&target)] {
            assert!(is_attached(&refused.unwrap_err()));
        }
    }
    drop(above);
    eventually(|| guard::writable(&device()));
}

/// A QEMU program that has an image open.
struct Qemu(Child);

impl Qemu {
    /// Starts it and waits until it has opened the image, which a line or a file shows.
    fn start(program: &str, arguments: &[&str], ready: Option<&Path>) -> Option<Self> {
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => {
                skipped("qemu-utils", &error.to_string());
                return None;
            }
        };
        match ready {
            Some(path) => {
                let started = (0..200).any(|_| {
                    std::thread::sleep(Duration::from_millis(25));
                    path.exists()
                });
                assert!(started, "{program} did not start");
            }
            None => {
                // The answer to a command comes after the image is opened.
                child
                    .stdin
                    .as_mut()
                    .unwrap()
                    .write_all(b"length\n")
                    .unwrap();
                let mut answer = [0; 8];
                child
                    .stdout
                    .as_mut()
                    .unwrap()
                    .read_exact(&mut answer)
                    .unwrap();
            }
        }
        Some(Self(child))
    }

    fn io(image: &Image, format: &str, more: &[&str]) -> Option<Self> {
        let arguments = [&["-f", format], more, &[text(&image.path)]].concat();
        Self::start("qemu-io", &arguments, None)
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// True if qemu-io can open the image; its exit code is 0 in any case.
fn qemu_opens(image: &Image, format: &str, more: &[&str]) -> bool {
    let arguments = [&["-f", format], more, &["-c", "length", text(&image.path)]].concat();
    let output = Command::new("qemu-io").args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.stdout.is_empty() != told.is_empty(), "{told}");
    let opened = told.is_empty();
    assert!(opened || told.contains("lock"), "{told}");
    opened
}

#[test]
fn an_image_that_is_open_in_qemu_is_left_alone() {
    for format in ["raw", "vpc", "vhdx"] {
        let Some(image) = Image::new(format) else {
            return;
        };
        let Some(writing) = Qemu::io(&image, format, &[]) else {
            return;
        };
        image.is_refused(is_locked);
        // It can still be read.
        assert!(
            image
                .open()
                .root()
                .find(&["no such name"])
                .unwrap()
                .is_none()
        );
        drop(writing);
        image.is_accepted();
    }
    let image = Image::new("raw").expect("made before");
    let socket = image.dir.path().join("socket");
    let nbd = ["-f", "raw", "-t", "-k", text(&socket), text(&image.path)];
    let nbd = Qemu::start("qemu-nbd", &nbd, Some(&socket)).expect("installed");
    image.is_refused(is_locked);
    drop(nbd);
    let socket = image.dir.path().join("other socket");
    let file = format!("driver=file,node-name=disk,filename={}", text(&image.path));
    let listen = format!("addr.type=unix,addr.path={}", text(&socket));
    let export = "type=nbd,id=export,node-name=disk,writable=on";
    let daemon = [
        "--blockdev",
        &file,
        "--nbd-server",
        &listen,
        "--export",
        export,
    ];
    if let Some(daemon) = Qemu::start("qemu-storage-daemon", &daemon, Some(&socket)) {
        image.is_refused(is_locked);
        drop(daemon);
    }
    image.is_accepted();
}

#[test]
fn qemu_sees_that_an_image_is_written() {
    for format in ["raw", "vpc", "vhdx"] {
        let Some(image) = Image::new(format) else {
            return;
        };
        if run("qemu-io", &["--version"]).is_err() {
            skipped("qemu-utils", "no qemu-io");
            return;
        }
        let target = image.open();
        assert!(qemu_opens(&image, format, &[]), "{format}: only read");
        // A program that only reads, and lets others write, does not matter.
        let reader = Qemu::io(&image, format, &["-r"]).unwrap();
        match format {
            "raw" => eventually(|| guard::writable(&target)),
            _ => assert!(is_locked(&guard::writable(&target).unwrap_err())),
        }
        drop((reader, target));
        let target = image.open();
        eventually(|| guard::writable(&target));
        assert!(!qemu_opens(&image, format, &[]), "{format}: written");
        drop(target);
        let opened = (0..100).any(|_| qemu_opens(&image, format, &[]));
        assert!(opened, "{format}: closed");
    }
}

/// ntfs-3g mounts an image without a loop device. Its lock of the file ends when it goes to the
/// background, but it still has the file open for writing.
#[test]
fn an_image_that_a_driver_has_mounted_as_a_file_is_left_alone() {
    let Some(image) = Image::new("raw") else {
        return;
    };
    let mount = tempfile::tempdir().unwrap();
    if let Err(error) = run("ntfs-3g", &[text(&image.path), text(mount.path())]) {
        skipped("ntfs-3g, as root", &error);
        return;
    }
    let mounted = Mounted(mount.path());
    image.is_refused(|error| matches!(error, GuardError::DiskOpen));
    drop(mounted);
    image.is_accepted();
}

/// A folder that is unmounted when this is dropped.
struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        run("umount", &[text(self.0)]).unwrap();
    }
}
