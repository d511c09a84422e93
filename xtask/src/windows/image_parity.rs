//! Compares the program for Windows, under Wine, with the program for Linux on an unmounted image.
//! A repair must give the same hive, store and permissions, and undo must restore the identical
//! file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::parity::expect;
use super::same_hive;
use super::wine::Wine;
use crate::{program, workspace};

/// The size of the volume in bytes.
const SIZE: u64 = 48 << 20;
const RECIPES: [&str; 5] = ["tls", "nla", "crash-dump", "serial-console", "machine-keys"];
const HIVE: &str = "Windows/System32/config/SYSTEM";
const STORE: &str = "Boot/BCD";
const KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";
/// The paths in the fixtures, and the paths on the volume.
const FILES: [(&str, &str); 4] = [
    ("dirty-hvle-both/SYSTEM", HIVE),
    (
        "dirty-hvle-both/SYSTEM.LOG1",
        "Windows/System32/config/SYSTEM.LOG1",
    ),
    (
        "dirty-hvle-both/SYSTEM.LOG2",
        "Windows/System32/config/SYSTEM.LOG2",
    ),
    ("bcd-bios/BCD", STORE),
];

/// A folder with the image and two copies of it.
struct Images {
    folder: PathBuf,
}

/// True if this user may mount volumes.
pub(super) fn can_be_made() -> bool {
    rustix::process::geteuid().is_root()
}

/// Compares both programs on a dynamic VHD.
pub(super) fn run(wine: &Wine, linux: &Path, windows: &Path) -> Result<()> {
    let images = Images {
        folder: workspace::output("windows-image-parity")?,
    };
    images.make()?;
    let before = fs::read(images.path("before.vhd"))?;
    let (ours, theirs) = (images.copy("linux.vhd")?, images.copy("windows.vhd")?);
    let their_name = format!("Z:{}", theirs.display());
    let on_linux = || (Command::new(linux), ours.display().to_string());
    let on_windows = || (wine.command(windows), their_name.clone());

    let (command, image) = on_windows();
    expect(command, &[&["inspect", &image][..], &RECIPES].concat(), 3)?;
    if fs::read(&theirs)? != before {
        bail!("inspection has written");
    }
    let repair = |(command, image): (Command, String)| {
        let arguments = [&["repair", &image][..], &RECIPES, &["--yes"]].concat();
        expect(command, &arguments, 0)
    };
    repair(on_linux())?;
    repair(on_windows())?;
    let (our_volume, their_volume) = (images.raw("linux")?, images.raw("windows")?);
    for file in [HIVE, STORE] {
        same_hive::expect(&content(&our_volume, file)?, &content(&their_volume, file)?)
            .with_context(|| file.to_owned())?;
    }
    let permissions = |image: &Path| {
        let show = ["acl", "show", "--tree", KEYS, "--target"];
        let image = image.display().to_string();
        program::stdout(linux, &[&show[..], &[&image]].concat())
    };
    if permissions(&ours)? != permissions(&theirs)? {
        bail!("the permissions are not the same");
    }
    let repaired = fs::read(&theirs)?;
    repair(on_windows())?;
    if fs::read(&theirs)? != repaired {
        bail!("a second repair has written");
    }
    for (command, image) in [on_linux(), on_windows()] {
        expect(command, &["undo", &image, "--yes"], 0)?;
    }
    for image in [&ours, &theirs] {
        if fs::read(image)? != before {
            bail!("{}: undo did not give back every byte", image.display());
        }
    }
    println!("an image: the same repair, undone byte for byte");
    Ok(())
}

impl Images {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes a volume that fills a dynamic VHD.
    fn make(&self) -> Result<()> {
        for entry in self.folder.read_dir()? {
            let path = entry?.path();
            if path.is_dir() {
                fs::remove_dir_all(path)?
            } else {
                fs::remove_file(path)?
            }
        }
        let (image, mount) = (self.path("volume.img"), self.path("mount"));
        File::create(&image)?.set_len(SIZE)?;
        let volume = image.to_string_lossy();
        let make = ["--force", "--quiet", "--fast", &*volume];
        program::stdout(Path::new("mkntfs"), &make)?;
        fs::create_dir(&mount)?;
        let folder = mount.to_string_lossy();
        let options = ["-o", "permissions", &*volume, &*folder];
        program::stdout(Path::new("ntfs-3g"), &options)?;
        let filled = fill(&mount);
        let unmounted = program::stdout(Path::new("umount"), &[&*folder]);
        filled?;
        unmounted?;
        let vhd = self.path("before.vhd");
        let vhd = vhd.to_string_lossy();
        let format = ["-O", "vpc", "-o", "subformat=dynamic,force_size=on"];
        let convert = [&["convert", "-f", "raw"][..], &format, &[&*volume, &*vhd]].concat();
        program::stdout(Path::new("qemu-img"), &convert)?;
        Ok(())
    }

    fn copy(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name);
        fs::copy(self.path("before.vhd"), &path)?;
        Ok(path)
    }

    /// The volume in a copy of the image, as a raw file.
    fn raw(&self, name: &str) -> Result<PathBuf> {
        let (vhd, raw) = (
            self.path(&format!("{name}.vhd")),
            self.path(&format!("{name}.img")),
        );
        let (from, to) = (vhd.to_string_lossy(), raw.to_string_lossy());
        let convert = ["convert", "-f", "vpc", "-O", "raw", &*from, &*to];
        program::stdout(Path::new("qemu-img"), &convert)?;
        Ok(raw)
    }
}

/// Creates the hive, the store and the keys.
fn fill(root: &Path) -> Result<()> {
    let fixtures = workspace::root()?.join("fixtures");
    for (from, to) in FILES {
        let to = root.join(to);
        fs::create_dir_all(to.parent().context("a file without a folder")?)?;
        fs::write(to, fs::read(fixtures.join(from))?)?;
    }
    fs::create_dir_all(root.join(KEYS))?;
    for number in 0..50 {
        fs::write(root.join(KEYS).join(format!("key{number}")), "key")?;
    }
    Ok(())
}

/// The bytes of a file on a volume, as ntfs-3g's tools read them.
fn content(volume: &Path, file: &str) -> Result<Vec<u8>> {
    let volume = volume.to_string_lossy();
    program::stdout(Path::new("ntfscat"), &[&*volume, file])
}
