//! The files that are never moved.

use diskmend_disk::{Dir, File};

use crate::finding::FileChangeKind;
use crate::names::same_file;
use crate::run::journal::valid::{components, renamed_len};
use crate::run::{STATE_FOLDER, STATE_FOLDER_BESIDE_PROGRAM};
use crate::site::Site;

/// The greatest length of a name in UTF-16 units.
const MAX_UNITS: usize = 255;
/// The folder with the hives of Windows, and their names.
pub(super) const CONFIG: [&str; 3] = ["Windows", "System32", "config"];
const HIVES: [&str; 9] = [
    "SYSTEM",
    "SOFTWARE",
    "SAM",
    "SECURITY",
    "DEFAULT",
    "COMPONENTS",
    "DRIVERS",
    "BBI",
    "ELAM",
];

/// Checks if a file can be moved. `path` is its path below the root.
///
/// # Errors
/// The reason why it can't, for display.
pub(crate) fn may_move(
    site: &Site,
    folder: &dyn Dir,
    file: &dyn File,
    (path, change): (&str, FileChangeKind),
) -> Result<(), String> {
    allowed(path, change)?;
    let name = path.rsplit('/').next().unwrap_or(path);
    if change == FileChangeKind::Rename && renamed_len(name) > MAX_UNITS {
        return Err("its new name would be too long".to_owned());
    }
    let said = |error: std::io::Error| format!("it can't be looked at: {error}");
    match file.names().map_err(said)? {
        1 => {}
        names => return Err(format!("it has {names} names (hard links)")),
    }
    on_one_volume(site, folder)?;
    // On a disk that isn't mounted, the file is copied into the run.
    if change != FileChangeKind::Rename && site.disk.is_none() {
        is_run_on_volume(site, "removed or replaced")?;
    }
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(error) => Err(format!("it is in use: {error}")),
    }
}

/// Checks if a file that is missing can be made. `path` is its path below the root, `folder` the
/// folder that it belongs in, and `like` has the folder and the name of the file that it is made from.
///
/// # Errors
/// The reason why it can't, for display.
pub(crate) fn may_create(
    site: &Site,
    (folder, path): (&dyn Dir, &str),
    like: (&dyn Dir, &str),
) -> Result<(), String> {
    allowed(path, FileChangeKind::Create)?;
    if site.disk.is_some() {
        return Err(
            "on an unmounted disk, diskmend makes no file: mount the volume, and repair it there"
                .to_owned(),
        );
    }
    on_one_volume(site, folder)?;
    is_run_on_volume(site, "made")?;
    let details = like.0.details(like.1);
    details.map(drop).map_err(|error| {
        format!("the permissions and attributes of its copy can't be read: {error}")
    })
}

fn on_one_volume(site: &Site, folder: &dyn Dir) -> Result<(), String> {
    let said = |error: std::io::Error| format!("it can't be looked at: {error}");
    let volume = |dir: &dyn Dir| Ok::<_, String>(dir.own_metadata().map_err(said)?.identity.device);
    if volume(folder)? != volume(site.root.as_ref())? {
        return Err("it is on another volume".to_owned());
    }
    Ok(())
}

fn is_run_on_volume(site: &Site, change: &str) -> Result<(), String> {
    if site.state.is_on_volume_of(site.root.as_ref()) {
        return Ok(());
    }
    Err(format!(
        "the folder for undo data is on another volume, and a file that is {change} is moved from or \
         to it: leave out --state-dir"
    ))
}

/// Checks that a path is that of a file that a run may move. A hive and its logs only go if another
/// hive takes their place.
///
/// # Errors
/// The reason why it isn't, for display.
pub(super) fn allowed(path: &str, change: FileChangeKind) -> Result<(), String> {
    let names = components(path)?;
    let Some((first, rest)) = names.split_first() else {
        return Err("it has no name".to_owned());
    };
    let own = [STATE_FOLDER, STATE_FOLDER_BESIDE_PROGRAM];
    if own.iter().any(|own| same_file(own, first)) && !rest.is_empty() {
        return Err("it belongs to diskmend".to_owned());
    }
    if first.starts_with('$') {
        return Err("it belongs to the file system".to_owned());
    }
    if change != FileChangeKind::Copy
        && let Some((name, folder)) = names.split_last()
        && folder.len() == CONFIG.len()
        && folder.iter().zip(CONFIG).all(|(a, b)| same_file(a, b))
    {
        let stem = name.split_once('.').map_or(*name, |(stem, _)| stem);
        if HIVES.iter().any(|hive| same_file(hive, stem)) {
            return Err("it belongs to a registry hive".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hives_and_undo_data_stay_where_they_are() {
        for path in [
            "Windows/System32/drivers/a.sys",
            "Windows/System32/config/TxR/SYSTEM.TxR.blf",
            "diskmend",
        ] {
            let removed = allowed(path, FileChangeKind::Remove);
            assert_eq!(removed, Ok(()), "{path}");
        }
        let hive = "Windows/System32/config/SYSTEM";
        assert_eq!(allowed(hive, FileChangeKind::Copy), Ok(()));
        assert!(allowed("$MFT", FileChangeKind::Copy).is_err());
        for path in [
            "Windows/System32/config/system",
            "windows/SYSTEM32/config/SOFTWARE.LOG1",
            "diskmend/runs/20261123T124100Z",
            "Diskmend/x",
            "$Extend/$Quota",
            "$MFT",
            "a/../b",
            "a//b",
            "NUL",
        ] {
            assert!(allowed(path, FileChangeKind::Remove).is_err(), "{path}");
        }
    }
}
