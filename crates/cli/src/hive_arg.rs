//! A hive file as the user names it: a file of this machine, or a file on an unmounted disk.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use diskmend_repair::hive_file::HivePath;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::image_path::{is_disk, split};
use crate::output::shell;
use crate::target_arg::VolumeArgs;

/// The options for a hive file on an unmounted disk.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ImageArgs {
    /// The unmounted disk that contains the file: an image file (raw, VHD, VHDX) or a block device;
    /// the file is then a path from the root of its volume
    #[arg(long, value_name = "IMAGE")]
    target: Option<PathBuf>,
    #[command(flatten)]
    volume: VolumeArgs,
}

/// The hive file.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct HiveArgs {
    /// The hive file; on an unmounted disk IMAGE:PATH, such as
    /// disk.vhdx:Windows/System32/config/SYSTEM
    file: PathBuf,
    #[command(flatten)]
    image: ImageArgs,
}

impl HiveArgs {
    /// The place of the file.
    pub(crate) fn path(&self) -> Result<HivePath, Failure> {
        self.image.path(&self.file)
    }
}

impl ImageArgs {
    /// The place of the file that the user has typed.
    pub(crate) fn path(&self, file: &Path) -> Result<HivePath, Failure> {
        if let Some(disk) = &self.target {
            return self.on_disk(disk, file);
        }
        match split(file, is_disk) {
            Some((disk, path)) => self.on_disk(disk, path),
            None => {
                self.no_volume(file)?;
                Ok(HivePath::File(file.to_path_buf()))
            }
        }
    }

    /// The unmounted disk, if the user has named one with an option.
    pub(crate) fn target(&self) -> Option<&Path> {
        self.target.as_deref()
    }

    /// The number of the partition, if the user has named one.
    pub(crate) fn partition(&self) -> Option<u32> {
        self.volume.number()
    }

    /// Refuses the number of a partition if the file is not on an unmounted disk.
    pub(crate) fn no_volume(&self, file: &Path) -> Result<(), Failure> {
        match self.volume.number() {
            None => Ok(()),
            Some(number) => {
                let message = format!(
                    "{} is not on an unmounted disk, so it has no partition {number}",
                    file.display()
                );
                Err(Failure::new(Exit::Usage, message).hint(
                    "leave --volume out; or name the file as IMAGE:PATH, or the disk with --target",
                ))
            }
        }
    }

    fn on_disk(&self, disk: &Path, path: &Path) -> Result<HivePath, Failure> {
        if disk.is_dir() {
            let file: PathBuf = names(path)?.iter().collect();
            let file = shell::word(&disk.join(file).display().to_string()).into_owned();
            let message = format!("{}: a folder, not an unmounted disk", disk.display());
            return Err(Failure::new(Exit::Usage, message)
                .hint(format!("on a mounted volume, name the file itself: {file}")));
        }
        Ok(HivePath::OnDisk {
            disk: disk.to_path_buf(),
            partition: self.volume.number(),
            path: names(path)?,
        })
    }
}

/// The names of a path below the root of a volume, in the notation of any system.
fn names(path: &Path) -> Result<Vec<String>, Failure> {
    let bad = |what| {
        let message = format!("\"{}\": {what}", path.display());
        Failure::new(Exit::Usage, message).hint(
            "name the file by its path from the root of its volume, such as \
             Windows/System32/config/SYSTEM",
        )
    };
    let text = path.to_str().ok_or_else(|| bad("not valid Unicode"))?;
    let names: Vec<String> = text
        .split(['/', '\\'])
        .filter(|name| !name.is_empty() && *name != ".")
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        return Err(bad("no path of a file"));
    }
    if names.iter().any(|name| name == "..") {
        return Err(bad("'..' is not allowed here"));
    }
    if names.iter().any(|name| name.contains(':')) {
        return Err(bad("a path on a volume has no drive letter and no colon"));
    }
    Ok(names)
}

/// The place as a path, for messages about it.
pub(crate) fn shown(path: &HivePath) -> PathBuf {
    PathBuf::from(AsRef::<OsStr>::as_ref(&path.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_on_a_volume_has_the_notation_of_any_system() {
        for path in [
            "Boot/BCD",
            r"Boot\BCD",
            "/Boot/BCD",
            r"\Boot\\BCD",
            "./Boot/BCD",
        ] {
            assert_eq!(names(path.as_ref()).expect(path), ["Boot", "BCD"], "{path}");
        }
        for path in [
            "",
            "/",
            ".",
            "../BCD",
            "Boot/../BCD",
            "C:/BCD",
            "BCD:stream",
        ] {
            assert!(names(path.as_ref()).is_err(), "{path}");
        }
    }
}
