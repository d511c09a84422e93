//! The image file behind a mounted volume.

use std::path::PathBuf;

use crate::target::Target;

impl Target {
    /// The image file that contains this mounted volume, if a loop device shows it; `None` on other
    /// systems than Linux.
    #[must_use]
    pub fn image_file(&self) -> Option<PathBuf> {
        image_file(self)
    }
}

#[cfg(target_os = "linux")]
use linux::image_file;

#[cfg(not(target_os = "linux"))]
fn image_file(_target: &Target) -> Option<PathBuf> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    use std::path::{Path, PathBuf};

    use rustix::fs::{major, minor};

    use crate::dir::Dir as _;
    use crate::image::sysfs::attribute;
    use crate::target::Target;

    pub(super) fn image_file(target: &Target) -> Option<PathBuf> {
        let device = target.mounted()?.own_metadata().ok()?.identity.device;
        let known = format!("/sys/dev/block/{}:{}", major(device), minor(device));
        let known = Path::new(&known).canonicalize().ok()?;
        let is_partition = known.join("partition").exists();
        let disk = if is_partition {
            known.parent()?
        } else {
            &known
        };
        let path = attribute(disk, "loop/backing_file").ok().flatten()?;
        let path = PathBuf::from(OsString::from_vec(path));
        // A file that was removed or is in another namespace is not there.
        path.is_file().then_some(path)
    }
}
