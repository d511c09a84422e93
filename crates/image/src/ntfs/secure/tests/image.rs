//! NTFS volumes in image files, mounted while files are made or looked at.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{XattrFlags, getxattr, setxattr};

const XATTR: &str = "system.ntfs_acl";

/// A volume in a file.
pub(super) struct Image {
    dir: tempfile::TempDir,
    path: PathBuf,
}

/// Runs a program; its error output otherwise.
fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(text),
        false => {
            let errors = String::from_utf8_lossy(&output.stderr);
            Err(format!("{program}: {text}{errors}"))
        }
    }
}

/// Says that a test could not be run, or fails it where none may be left out.
fn skipped(error: &str) {
    assert!(std::env::var_os("DISKMEND_NO_SKIP").is_none(), "{error}");
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: mkntfs, ntfs-3g as root: {error}"
    );
}

impl Image {
    /// A new volume; where that is not possible says so and gives nothing.
    pub(super) fn new(mebibytes: u64) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("volume.img");
        let file = File::create(&path).expect("a file");
        file.set_len(mebibytes << 20).expect("a length");
        fs::create_dir(dir.path().join("mnt")).expect("a folder");
        let image = Self { dir, path };
        match run("mkntfs", &["-F", "-Q", "-q", image.path()]) {
            Ok(_) => Some(image),
            Err(error) => {
                skipped(&error);
                None
            }
        }
    }

    fn path(&self) -> &str {
        self.path.to_str().expect("UTF-8")
    }

    /// Calls `act` with the folder where the volume is mounted.
    fn mounted<T>(&self, act: impl FnOnce(&Path) -> T) -> Option<T> {
        /// Unmounts and detaches however the test ends.
        struct Undo<'a>(Option<&'a str>, String);
        impl Drop for Undo<'_> {
            fn drop(&mut self) {
                if let Some(folder) = self.0 {
                    let _ = run("umount", &[folder]);
                }
                let _ = run("losetup", &["--detach", &self.1]);
            }
        }
        let folder = self.dir.path().join("mnt");
        let folder = folder.to_str().expect("UTF-8");
        let device = match run("losetup", &["--find", "--show", self.path()]) {
            Ok(device) => device.trim().to_string(),
            Err(error) => {
                skipped(&error);
                return None;
            }
        };
        let mut undo = Undo(None, device.clone());
        if let Err(error) = run(
            "mount",
            &["-t", "ntfs-3g", "-o", "permissions", &device, folder],
        ) {
            skipped(&error);
            return None;
        }
        undo.0 = Some(folder);
        Some(act(Path::new(folder)))
    }

    /// Makes a file for each of the descriptors and gives the numbers of their records.
    pub(super) fn make_files(&self, descriptors: &[Vec<u8>]) -> Option<Vec<u64>> {
        self.mounted(|folder| {
            let mut records = Vec::new();
            for (number, descriptor) in descriptors.iter().enumerate() {
                let path = folder.join(format!("f{number}"));
                let file = File::create(&path).expect("a file");
                records.push(file.metadata().expect("metadata").ino());
                setxattr(&path, XATTR, descriptor, XattrFlags::empty()).expect("set");
            }
            records
        })
    }

    /// Sets the descriptors of the first files.
    pub(super) fn set_files(&self, descriptors: &[Vec<u8>]) {
        self.mounted(|folder| {
            for (number, descriptor) in descriptors.iter().enumerate() {
                let path = folder.join(format!("f{number}"));
                setxattr(&path, XATTR, descriptor, XattrFlags::empty()).expect("set");
            }
        });
    }

    /// Whether the first files have these descriptors.
    pub(super) fn compare(&self, descriptors: &[&[u8]]) {
        self.mounted(|folder| {
            for (number, expected) in descriptors.iter().enumerate() {
                let found = xattr(&folder.join(format!("f{number}")));
                assert!(found == *expected, "file {number}");
            }
        });
    }

    pub(super) fn xattr_of_root(&self) -> Option<Vec<u8>> {
        self.mounted(xattr)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).expect("the image")
    }

    pub(super) fn store(&self, bytes: &[u8]) {
        fs::write(&self.path, bytes).expect("the image");
    }

    /// Lets other programs check the volume.
    pub(super) fn check(&self) {
        let found = run("ntfsfix", &["-n", self.path()]).expect("a sound volume");
        assert!(found.contains("processed successfully"), "{found}");
        run("ntfsinfo", &["-f", "-i", "9", self.path()]).expect("$Secure");
        let found = run("ntfssecaudit", &["-a", self.path()]).unwrap_or_else(|error| error);
        for part in ["$SDS-1", "$SII", "$SDH"] {
            assert!(
                found.contains(&format!("\n0 errors in {part}\n")),
                "{found}"
            );
        }
        assert!(
            found.contains("All keys are present in all lists"),
            "{found}"
        );
    }
}

fn xattr(path: &Path) -> Vec<u8> {
    // A buffer that is too small gives EIO.
    let mut found = vec![0; 1 << 16];
    let len = getxattr(path, XATTR, found.as_mut_slice()).expect("a descriptor");
    found.truncate(len);
    found
}

/// A descriptor with `more` entries beside the first, different for each number.
pub(super) fn descriptor(number: u32, more: u32) -> Vec<u8> {
    // Their hashes lie far from each other, as those of real ones.
    let number = number.wrapping_mul(0x9E37_79B1);
    let sid = |parts: &[u32]| {
        let mut sid = vec![1, parts.len() as u8, 0, 0, 0, 0, 0, 5];
        sid.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
        sid
    };
    let mut entries = Vec::new();
    for entry in 0..=more {
        let sid = sid(&[21, number, entry, 7, number % 1000]);
        let len = (8 + sid.len()) as u8;
        entries.extend([0, 0, len, 0, 0xFF, 1, 0x1F, 0]);
        entries.extend(sid);
    }
    let owner = sid(&[32, 544]);
    let acl_len = 8 + entries.len() as u32;
    let owner_at = 20 + acl_len;
    let mut bytes = vec![1, 0, 4, 0x80];
    for offset in [owner_at, owner_at + owner.len() as u32, 0, 20] {
        bytes.extend(offset.to_le_bytes());
    }
    bytes.extend([2, 0]);
    bytes.extend((acl_len as u16).to_le_bytes());
    bytes.extend((more as u16 + 1).to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(entries);
    bytes.extend(&owner);
    bytes.extend(&owner);
    bytes
}
