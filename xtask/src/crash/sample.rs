//! The disks that lose power: a folder, and a small NTFS volume in each kind of container.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diskmend_acl::{Domains, SecurityDescriptor};
use rustix::fs::{XattrFlags, setxattr};

use crate::{fixtures, program};

/// The fixture with the disk's hive and log. It wasn't closed cleanly, and its Remote Desktop is
/// broken.
const FIXTURE: &str = "dirty-hvle-log1";
const CONFIG: &str = "Windows/System32/config";
const KEYS: &str = "ProgramData/Microsoft/Crypto/RSA/MachineKeys";
/// The number of private keys with broken permissions.
const KEY_COUNT: usize = 12;
/// The permissions that a failed hardening leaves on the folder of the keys and on each key.
const BROKEN_FOLDER: &str = "O:SYG:SYD:P(D;OICI;FA;;;SY)(A;;0x12019f;;;WD)(A;;FA;;;BA)";
const BROKEN_KEY: &str = "O:SYG:SYD:P(D;;FR;;;NS)(D;;FA;;;SY)(A;;FR;;;NS)";
/// The size of the volume in bytes.
const VOLUME_LEN: u64 = 8 << 20;

/// What contains the Windows volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Folder,
    Raw,
    Vhd,
    Vhdx,
}

impl Holder {
    pub(super) const ALL: [Self; 4] = [Self::Folder, Self::Raw, Self::Vhd, Self::Vhdx];

    /// The target, below the folder that holds everything.
    pub(crate) const fn target(self) -> &'static str {
        match self {
            Self::Folder => "disk",
            Self::Raw => "disk.img",
            Self::Vhd => "disk.vhd",
            Self::Vhdx => "disk.vhdx",
        }
    }

    /// True if a path below that folder is part of the target and not undo data.
    pub(super) fn holds(self, path: &Path) -> bool {
        path.starts_with(self.target()) && !path.starts_with("disk/diskmend")
    }

    /// Makes the target in a folder.
    pub(crate) fn make(self, folder: &Path) -> Result<()> {
        let target = folder.join(self.target());
        let (format, options) = match self {
            Self::Folder => {
                std::fs::create_dir(&target)?;
                return windows(&target);
            }
            Self::Raw => return volume(&target, folder),
            Self::Vhd => ("vpc", "subformat=dynamic,force_size=on"),
            Self::Vhdx => ("vhdx", "subformat=dynamic,block_size=1M"),
        };
        let raw = folder.join("raw");
        volume(&raw, folder)?;
        let mut arguments = vec!["convert", "-f", "raw", "-O", format, "-o", options];
        arguments.extend([path(&raw)?, path(&target)?]);
        program::stdout(Path::new("qemu-img"), &arguments)?;
        Ok(std::fs::remove_file(raw)?)
    }
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}

/// Makes the folders of a Windows around the fixture's hive.
fn windows(root: &Path) -> Result<()> {
    let config = root.join(CONFIG);
    std::fs::create_dir_all(&config)?;
    let all = fixtures::all()?;
    let fixture = all.iter().find(|fixture| fixture.name == FIXTURE);
    for (name, bytes) in fixture.context(FIXTURE)?.build()? {
        std::fs::write(config.join(name), bytes)?;
    }
    Ok(())
}

/// Creates an NTFS volume with a Windows on which the private keys have broken permissions.
fn volume(image: &Path, folder: &Path) -> Result<()> {
    std::fs::File::create(image)?.set_len(VOLUME_LEN)?;
    program::stdout(Path::new("mkntfs"), &["-F", "-Q", "-q", path(image)?])?;
    let mount = Mount::new(image, folder)?;
    let root = &mount.root;
    windows(root)?;
    let keys = root.join(KEYS);
    std::fs::create_dir_all(&keys)?;
    for number in 0..KEY_COUNT {
        let key = keys.join(format!("key-{number}"));
        std::fs::write(&key, "a key")?;
        secure(&key, BROKEN_KEY)?;
    }
    secure(&keys, BROKEN_FOLDER)?;
    mount.end()
}

fn secure(path: &Path, sddl: &str) -> Result<()> {
    let descriptor = SecurityDescriptor::from_sddl(sddl, &Domains::default())?;
    let bytes = descriptor.to_bytes()?;
    Ok(setxattr(
        path,
        "system.ntfs_acl",
        &bytes,
        XattrFlags::empty(),
    )?)
}

/// A mounted volume, unmounted at the end.
struct Mount {
    root: PathBuf,
    mounted: bool,
}

impl Mount {
    fn new(image: &Path, folder: &Path) -> Result<Self> {
        let root = folder.join("mount");
        std::fs::create_dir(&root)?;
        let mut arguments = vec!["-t", "ntfs-3g", "-o", "loop,permissions"];
        arguments.extend([path(image)?, path(&root)?]);
        program::stdout(Path::new("mount"), &arguments)?;
        Ok(Self {
            root,
            mounted: true,
        })
    }

    fn end(mut self) -> Result<()> {
        self.mounted = false;
        program::stdout(Path::new("umount"), &[&self.root])?;
        Ok(std::fs::remove_dir(&self.root)?)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if self.mounted {
            let _ = program::run(Path::new("umount"), &[&self.root]);
        }
    }
}
