//! A hive file as the user names it: a file of this machine, or a file on an unmounted disk.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use diskmend_disk::DiskNumber;
use diskmend_repair::hive_file::HivePath;

use crate::exit::Exit;
use crate::failure::Failure;
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

/// Separates IMAGE:PATH at the last colon, because no path on a volume has one. `None` if the whole
/// is the name of something that exists, if what precedes the colon is no disk, or if it is a drive
/// letter, on whatever system.
fn split(file: &Path, is_disk: impl Fn(&Path) -> bool) -> Option<(&Path, &Path)> {
    if fs::symlink_metadata(file).is_ok() {
        return None;
    }
    let text = file.to_str()?;
    let (disk, path) = text.rsplit_once(':')?;
    let is_drive = disk.len() == 1 && disk.chars().all(|letter| letter.is_ascii_alphabetic());
    let (disk, path) = (Path::new(disk), Path::new(path));
    (!is_drive && is_disk(disk)).then_some((disk, path))
}

/// True if a disk can be read from what has this name.
pub(crate) fn is_disk(path: &Path) -> bool {
    if cfg!(windows) && DiskNumber::of_path(path).is_some() {
        return true;
    }
    path.metadata().is_ok_and(|known| {
        #[cfg(unix)]
        let is_device = std::os::unix::fs::FileTypeExt::is_block_device(&known.file_type());
        #[cfg(not(unix))]
        let is_device = false;
        known.is_file() || is_device
    })
}

/// The place as a path, for messages about it.
pub(crate) fn shown(path: &HivePath) -> PathBuf {
    PathBuf::from(AsRef::<OsStr>::as_ref(&path.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_text(text: &str) -> Option<(String, String)> {
        let known = ["disk.vhdx", "F", "a:b", r"\\.\PhysicalDrive2", "F:/x.img"];
        let found = split(text.as_ref(), |disk| {
            known.iter().any(|one| disk == Path::new(one))
        });
        found.map(|(disk, path)| (disk.display().to_string(), path.display().to_string()))
    }

    #[test]
    fn an_image_and_a_path_are_separated_at_the_last_colon() {
        for (text, disk, path) in [
            ("disk.vhdx:Boot/BCD", "disk.vhdx", "Boot/BCD"),
            (r"disk.vhdx:Windows\x", "disk.vhdx", r"Windows\x"),
            ("disk.vhdx:", "disk.vhdx", ""),
            ("a:b:c", "a:b", "c"),
            ("F:/x.img:c", "F:/x.img", "c"),
            (r"\\.\PhysicalDrive2:c", r"\\.\PhysicalDrive2", "c"),
        ] {
            let expected = Some((disk.to_owned(), path.to_owned()));
            assert_eq!(split_text(text), expected, "{text}");
        }
    }

    #[test]
    fn a_drive_and_an_unknown_name_are_no_image() {
        for text in [
            "F:",
            r"F:\Windows\System32\config\SYSTEM",
            "F:x",
            "other.vhdx:Boot/BCD",
            "disk.vhdx:C:/Windows",
            "disk.vhdx",
            "",
        ] {
            assert_eq!(split_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_file_with_a_colon_in_its_name_is_that_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let image = folder.path().join("disk.img");
        let whole = folder.path().join("disk.img:a");
        fs::write(&image, "").expect("writable");
        if fs::write(&whole, "").is_err() {
            return;
        }
        assert_eq!(split(&whole, is_disk), None);
        let other = folder.path().join("disk.img:b");
        assert_eq!(split(&other, is_disk), Some((&*image, "b".as_ref())));
    }

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
