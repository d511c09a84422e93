//! The volume to which a hive file belongs.

use std::path::{Path, PathBuf};

use diskmend_disk::{Target, folder_and_name};

use crate::error::{Error, Refusal};
use crate::hive_on_disk::HivePlace;
use crate::place::HiveId;
use crate::run::journal::valid;

/// A folder on a volume that holds hives of that volume.
pub(crate) struct Home {
    folders: &'static [&'static str],
    /// The only hive of the volume there, if the folder may contain other hives too.
    file: Option<&'static str>,
    /// True if the volume must hold a Windows.
    pub(crate) windows: bool,
}

/// The folders with hives of their volume. If the path of one folder is the end of another path,
/// the longer path comes first.
const HOMES: [Home; 3] = [
    Home {
        folders: &["windows", "system32", "config"],
        file: None,
        windows: true,
    },
    Home {
        folders: &["efi", "microsoft", "boot"],
        file: Some("bcd"),
        windows: false,
    },
    Home {
        folders: &["boot"],
        file: Some("bcd"),
        windows: false,
    },
];

/// The root of the volume that a hive file belongs to, and the file's path below it.
pub(crate) fn whereabouts(path: &Path) -> Result<(PathBuf, Vec<String>), Error> {
    let file = HiveFile::locate(path)?;
    Ok((file.target.path().to_path_buf(), file.components))
}

/// A hive file, and the target that it belongs to.
pub(crate) struct HiveFile {
    pub(crate) target: Target,
    components: Vec<String>,
    pub(crate) home: Option<&'static Home>,
}

impl HiveFile {
    pub(crate) fn locate(path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let opened = |source| Error::Target {
            path: shown.clone(),
            source,
        };
        let (_, name) = folder_and_name(path).map_err(opened)?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let whole = match folder.canonicalize() {
            // A volume without a drive letter has no canonical path.
            Err(_) if cfg!(windows) => std::path::absolute(folder),
            whole => whole,
        };
        let whole = whole.map_err(Error::io(&shown, "find the folder of"))?;
        if let Some((home, root, mut components)) = home(&whole, &name) {
            components.push(name);
            return Ok(Self {
                target: Target::open(&root).map_err(opened)?,
                components,
                home: Some(home),
            });
        }
        Ok(Self {
            target: Target::open(folder).map_err(opened)?,
            components: vec![name],
            home: None,
        })
    }

    /// A file on an unmounted disk. Its volume keeps no undo data, so a file that is not one of the
    /// volume's own hives has them in the disk's folder too.
    pub(crate) fn on_disk(target: Target, components: Vec<String>) -> Self {
        Self {
            home: home_on_disk(&components),
            target,
            components,
        }
    }

    /// Refuses a file on an unmounted disk whose path no journal may name: its edit could not be
    /// undone file by file.
    pub(crate) fn require_plain(&self) -> Result<(), Error> {
        if self.target.disk().is_none() {
            return Ok(());
        }
        let path = self.components.join("/");
        let is_of_ntfs = path.starts_with('$');
        if is_of_ntfs || valid::components(&path).is_err() {
            return Err(Refusal::NoHivePath { path }.into());
        }
        Ok(())
    }

    pub(crate) fn place(&self, target: &Target) -> Result<HivePlace, Error> {
        let components: Vec<&str> = self.components.iter().map(String::as_str).collect();
        let place = target.root().find(&components)?;
        let path = self.components.join("/");
        let place = place.ok_or(Error::NoHive { path })?;
        Ok(HivePlace {
            hive: HiveId::File(place.name.clone()),
            volume: None,
            place,
        })
    }
}

/// The folder of hives that a path below the root of a volume leads to.
fn home_on_disk(components: &[String]) -> Option<&'static Home> {
    let (file, folders) = components.split_last()?;
    HOMES.iter().find(|home| {
        let is_folder =
            |(name, wanted): (&String, &&'static str)| name.eq_ignore_ascii_case(wanted);
        home.folders.len() == folders.len()
            && folders.iter().zip(home.folders).all(is_folder)
            && home
                .file
                .is_none_or(|wanted| file.eq_ignore_ascii_case(wanted))
    })
}

/// The root of the volume that the file in this folder belongs to, and the path from the root to
/// the folder.
fn home(folder: &Path, file: &str) -> Option<(&'static Home, PathBuf, Vec<String>)> {
    HOMES.iter().find_map(|home| {
        let is_file = |wanted: &str| file.eq_ignore_ascii_case(wanted);
        if !home.file.is_none_or(is_file) {
            return None;
        }
        let mut root = folder;
        let mut names = Vec::new();
        for wanted in home.folders.iter().rev() {
            let name = root.file_name()?.to_str()?;
            if !name.eq_ignore_ascii_case(wanted) {
                return None;
            }
            names.push(name.to_owned());
            root = root.parent()?;
        }
        names.reverse();
        Some((home, root.to_path_buf(), names))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_of(folder: &str, file: &str) -> Option<(PathBuf, Vec<String>)> {
        home(Path::new(folder), file).map(|(_, root, names)| (root, names))
    }

    #[test]
    fn a_hive_among_those_of_windows_belongs_to_the_volume() {
        let (root, names) = root_of("/mnt/f/WINDOWS/system32/Config", "SYSTEM").expect("is");
        assert_eq!(root, Path::new("/mnt/f"));
        assert_eq!(names, ["WINDOWS", "system32", "Config"]);
        assert!(root_of("/mnt/f/Windows/System32", "SYSTEM").is_none());
        assert!(root_of("/config", "SYSTEM").is_none());
    }

    #[test]
    fn a_boot_store_in_its_place_belongs_to_the_volume() {
        let (root, names) = root_of("/mnt/esp/EFI/MICROSOFT/boot", "bcd").expect("is");
        assert_eq!(root, Path::new("/mnt/esp"));
        assert_eq!(names, ["EFI", "MICROSOFT", "boot"]);
        let (root, names) = root_of("/mnt/f/Boot", "BCD").expect("is");
        assert_eq!(root, Path::new("/mnt/f"));
        assert_eq!(names, ["Boot"]);
        assert!(root_of("/mnt/f/Boot", "SYSTEM").is_none());
        assert!(root_of("/mnt/f", "BCD").is_none());
    }
}
