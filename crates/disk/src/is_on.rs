//! Whether a folder is on a target disk.

use std::io;
use std::path::Path;

use crate::dir::Dir as _;
use crate::system::SystemDir;

/// True if the folder is on a target: in the folder `target`, on the volume that is mounted there,
/// or on a volume of the block device or image file `target` that Linux has mounted.
///
/// # Errors
/// If one of the two can't be found, or the system doesn't tell where it is.
pub fn is_on(folder: &Path, target: &Path) -> io::Result<bool> {
    let (folder, target) = (whole(folder)?, whole(target)?);
    if target.is_dir() {
        Ok(folder.starts_with(&target) || is_on_mount(&folder, &target)?)
    } else {
        is_on_disk(&folder, &target)
    }
}

/// The path without links. A volume of Windows without a drive letter has no such path.
fn whole(path: &Path) -> io::Result<std::path::PathBuf> {
    match path.canonicalize() {
        Err(_) if cfg!(windows) && path.exists() => std::path::absolute(path),
        whole => whole,
    }
}

fn device(folder: &Path) -> io::Result<u64> {
    Ok(SystemDir::open_ambient(folder)?
        .own_metadata()?
        .identity
        .device)
}

/// True if `target` is the root of a volume, and the folder is on this volume, wherever that is
/// mounted too.
fn is_on_mount(folder: &Path, target: &Path) -> io::Result<bool> {
    let own = device(target)?;
    let is_root = match target.parent() {
        Some(above) => device(above)? != own,
        None => true,
    };
    Ok(is_root && device(folder)? == own)
}

#[cfg(not(target_os = "linux"))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "Linux's kernel may not tell, and Windows writes no disk with mounted volumes"
)]
const fn is_on_disk(_folder: &Path, _target: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(target_os = "linux")]
fn is_on_disk(folder: &Path, target: &Path) -> io::Result<bool> {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    use std::path::PathBuf;

    use rustix::fs::{major, minor};

    use crate::image::sysfs::attribute;

    let known = |device: u64| {
        let link = format!("/sys/dev/block/{}:{}", major(device), minor(device));
        match Path::new(&link).canonicalize() {
            // It is no block device, or nobody mounted /sys.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    };
    let Some(place) = known(device(folder)?)? else {
        return Ok(false);
    };
    let metadata = target.metadata()?;
    if metadata.file_type().is_block_device() {
        let disk = known(metadata.rdev())?;
        return Ok(disk.is_some_and(|disk| place.starts_with(disk)));
    }
    // The folder of a partition is in that of its disk.
    for device in place.ancestors().take(2) {
        if let Some(path) = attribute(device, "loop/backing_file")? {
            let image = PathBuf::from(OsString::from_vec(path));
            return Ok(whole(&image).is_ok_and(|image| image == target));
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_below_the_target_is_on_it_by_any_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("f");
        let below = target.join("Windows").join("Temp");
        let other = folder.path().join("g");
        for made in [&below, &other] {
            fs::create_dir_all(made).expect("writable");
        }
        for on in [&target, &below, &below.join(".."), &other.join("../f")] {
            assert!(is_on(on, &target).expect("found"), "{}", on.display());
        }
        for elsewhere in [folder.path(), &other] {
            let found = is_on(elsewhere, &target).expect("found");
            assert!(!found, "{}", elsewhere.display());
        }
        assert!(is_on(&folder.path().join("missing"), &target).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_does_not_hide_the_target() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("f");
        fs::create_dir(&target).expect("writable");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&target, &link).expect("writable");
        assert!(is_on(&link, &target).expect("found"));
        assert!(is_on(&target, &link).expect("found"));
    }

    #[test]
    fn a_folder_is_not_on_an_image_that_is_not_mounted() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("disk.vhd");
        fs::write(&image, b"").expect("writable");
        assert!(!is_on(folder.path(), &image).expect("found"));
    }
}
