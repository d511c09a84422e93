//! The disks that are attached to this machine.

use std::io;
use std::path::PathBuf;

/// A disk that is attached to this machine. Nothing of it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attached {
    /// The path by which it can be opened.
    pub path: PathBuf,
    /// Its length in bytes, if the system tells it.
    pub len: Option<u64>,
    /// Its model, or the file that a loop device shows.
    pub model: Option<String>,
}

/// The disks that are attached to this machine, ordered by name. Disks without a medium, memory
/// disks and partitions are left out. Nothing is opened for writing.
///
/// # Errors
/// The system's error.
#[cfg(target_os = "linux")]
pub fn attached() -> io::Result<Vec<Attached>> {
    let mut disks = Vec::new();
    for folder in crate::image::sysfs::devices()? {
        disks.extend(linux::disk(&folder)?);
    }
    disks.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(disks)
}

/// The disks that are attached to this machine, ordered by number.
///
/// # Errors
/// The system's error.
#[cfg(windows)]
pub fn attached() -> io::Result<Vec<Attached>> {
    let disks = crate::disk_number::disks()
        .into_iter()
        .map(|disk| Attached {
            path: format!(r"\\.\PhysicalDrive{disk}").into(),
            len: None,
            model: None,
        });
    Ok(disks.collect())
}

/// This system does not tell.
///
/// # Errors
/// Always [`io::ErrorKind::Unsupported`].
#[cfg(not(any(target_os = "linux", windows)))]
pub fn attached() -> io::Result<Vec<Attached>> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::path::Path;

    use super::Attached;
    use crate::image::sysfs::attribute;

    /// Block devices that hold no disk: memory, and floppy drives, which a look makes spin.
    const OTHERS: [&str; 3] = ["ram", "zram", "fd"];
    /// The kernel counts sectors of this length, whatever the disk has.
    const SECTOR: u64 = 512;

    /// The disk that a folder of sysfs describes; `None` if it is none.
    pub(super) fn disk(folder: &Path) -> io::Result<Option<Attached>> {
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else {
            return Ok(None);
        };
        let numbered = |prefix: &&str| {
            let rest = name.strip_prefix(prefix);
            rest.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if OTHERS.iter().any(numbered) {
            return Ok(None);
        }
        let text = |name: &str| {
            let bytes = attribute(folder, name)?;
            let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
            Ok::<_, io::Error>(text.filter(|text| !text.is_empty()))
        };
        let sectors = text("size")?.and_then(|text| text.parse::<u64>().ok());
        // A drive without a medium, a loop device without a file.
        if sectors.is_none_or(|sectors| sectors == 0) {
            return Ok(None);
        }
        let model = match text("device/model")? {
            Some(model) => Some(model),
            None => text("loop/backing_file")?,
        };
        Ok(Some(Attached {
            // The kernel writes '!' for '/'.
            path: Path::new("/dev").join(name.replace('!', "/")),
            len: sectors.and_then(|sectors| sectors.checked_mul(SECTOR)),
            model,
        }))
    }

    #[cfg(test)]
    mod tests {
        use std::fs;

        use super::*;

        fn described(name: &str, attributes: &[(&str, &str)]) -> Option<Attached> {
            let dir = tempfile::tempdir().expect("a folder");
            let folder = dir.path().join(name);
            fs::create_dir_all(folder.join("device")).expect("writable");
            fs::create_dir_all(folder.join("loop")).expect("writable");
            for (attribute, text) in attributes {
                fs::write(folder.join(attribute), text).expect("writable");
            }
            disk(&folder).expect("readable")
        }

        #[test]
        fn disks_with_a_medium_are_listed_and_memory_is_not() {
            let size = ("size", "2048\n");
            let found = described("sda", &[size, ("device/model", "QEMU HARDDISK   \n")]);
            let disk = found.expect("a disk");
            assert_eq!(disk.path, Path::new("/dev/sda"));
            assert_eq!(disk.len, Some(1 << 20));
            assert_eq!(disk.model.as_deref(), Some("QEMU HARDDISK"));
            let found = described("loop3", &[size, ("loop/backing_file", "/a/disk.img\n")]);
            assert_eq!(found.expect("a disk").model.as_deref(), Some("/a/disk.img"));
            let found = described("cciss!c0d0", &[size]).expect("a disk");
            assert_eq!(found.path, Path::new("/dev/cciss/c0d0"));
            for (name, size) in [
                ("sr0", "0\n"),
                ("loop0", "0\n"),
                ("zram0", "2048\n"),
                ("ram1", "2048\n"),
                ("fd0", "8\n"),
                ("sdb", "many\n"),
            ] {
                assert_eq!(described(name, &[("size", size)]), None, "{name}");
            }
        }
    }
}
