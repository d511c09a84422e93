//! Editing any hive file by its path, with the same recovery, verification, crash-safe commit and
//! undo as for the hives of a target.

use std::path::{Path, PathBuf};

use diskmend_disk::{Access, Target, folder_and_name};
use diskmend_hive::{Editor, Hive};

use crate::documents::{Change, HiveStatus, Outcome, RepairReport, RunKind};
use crate::error::Error;
use crate::examined::Examined;
use crate::hive_on_disk::{self, HivePlace};
use crate::place::HiveId;
use crate::progress::{Phase, Watch};
use crate::run::JournalChange;
use crate::session::{NewRun, commit, prepare};
use crate::site::{Options, Site, guards};
use crate::stop::{NotEdited, Stop};

/// A folder on a volume that holds hives of that volume.
struct Home {
    folders: &'static [&'static str],
    /// The only file there that is one, if other hives may be there too.
    file: Option<&'static str>,
    /// True if the volume must hold a Windows.
    windows: bool,
}

/// The folders in which hives belong to their volume. A path comes before a path that is its end.
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

/// A hive file that is open for reading. A dirty one was recovered in memory.
pub struct OpenHive {
    /// The hive.
    pub hive: Hive,
    /// The state in which it was found.
    pub status: HiveStatus,
}

/// Opens a hive file and its logs for reading. Nothing is written.
///
/// # Errors
/// If it isn't a hive, or is dirty and can't be recovered; see [`Error`].
pub fn open(path: &Path) -> Result<OpenHive, Error> {
    let file = HiveFile::locate(path)?;
    let place = file.place(&file.target)?;
    let opened = hive_on_disk::open(place, Access::Read)?;
    Ok(OpenHive {
        status: HiveStatus::from(&Examined::from(&opened)),
        hive: opened.hive,
    })
}

/// Edits a hive file: recovers it if it is dirty, lets `change` edit it in memory, verifies the
/// result and commits it. An edit that changes nothing recovers a dirty hive and doesn't write to a
/// clean one. An edit that fails writes nothing, whatever it did before. Returns the report and the
/// result of `change`.
///
/// # Errors
/// [`NotEdited::Refused`] with the error of `change`; otherwise see [`Error`] and its
/// [`class`](Error::class).
pub fn edit<T, R>(
    path: &Path,
    options: &Options,
    watch: &mut Watch<'_>,
    change: impl FnOnce(&mut Editor) -> Result<T, Stop<R>>,
) -> Result<(RepairReport, T), NotEdited<R>> {
    let file = HiveFile::locate(path)?;
    let site = Site::of(&file.target, options)?;
    watch.phase(Phase::Guards, &site.display)?;
    match file.home {
        Some(home) => guards(&file.target, home.windows)?,
        None => diskmend_disk::guard::writable(&file.target).map_err(Error::from)?,
    }
    site.state.require_place()?;
    site.state.require_private()?;
    let place = file.place(&file.target)?;
    edit_site(&site, place, options, watch, change)
}

pub(crate) fn edit_site<T, R>(
    site: &Site,
    place: HivePlace,
    options: &Options,
    watch: &mut Watch<'_>,
    change: impl FnOnce(&mut Editor) -> Result<T, Stop<R>>,
) -> Result<(RepairReport, T), NotEdited<R>> {
    site.no_unfinished_run(None)?;
    watch.phase(Phase::Opening, &place.place.path)?;
    let opened = hive_on_disk::open(place, Access::ReadWrite)?;
    let mut report = RepairReport::by_hand(&site.display);
    let hive = opened.hive_place.hive.clone();
    let (prepared, given) = prepare(opened, options, watch, change)?;
    let Some(prepared) = prepared else {
        return Ok((report, given));
    };
    let value = |change: &diskmend_hive::Change| match JournalChange::from(change) {
        JournalChange::Value(value) => Some(Change {
            recipe: String::new(),
            hive: hive.to_string(),
            fault: false,
            why: String::new(),
            element: None,
            value,
        }),
        JournalChange::KeyCreated(_) | JournalChange::KeyDeleted(_) => None,
    };
    report.changes = prepared.changes().iter().filter_map(value).collect();
    let run = NewRun {
        kind: RunKind::HiveEdit,
        recipes: Vec::new(),
        reverses: None,
    };
    let committed = commit(site, run, vec![prepared], None, watch)?;
    report.outcome = Outcome::Done;
    report.run = committed.run;
    report.hives = committed.hives;
    Ok((report, given))
}

/// The folder with the `diskmend` folder that remembers the edits of a hive file. It is the target
/// to pass to [`Engine::undo`](crate::Engine::undo).
///
/// # Errors
/// If the file's folder can't be opened.
pub fn target_of(path: &Path) -> Result<PathBuf, Error> {
    Ok(HiveFile::locate(path)?.target.path().to_path_buf())
}

/// The root of the volume that a hive file belongs to, and the file's path below it.
pub(crate) fn whereabouts(path: &Path) -> Result<(PathBuf, Vec<String>), Error> {
    let file = HiveFile::locate(path)?;
    Ok((file.target.path().to_path_buf(), file.components))
}

/// A hive file, and the target that it belongs to.
struct HiveFile {
    target: Target,
    components: Vec<String>,
    home: Option<&'static Home>,
}

impl HiveFile {
    fn locate(path: &Path) -> Result<Self, Error> {
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

    fn place(&self, target: &Target) -> Result<HivePlace, Error> {
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
