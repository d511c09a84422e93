//! The names of a volume on Windows, also of the volume of the running system.
//!
//! `cargo xtask windows test` prepares drives under Wine and passes their names in variables.
//! Without the variables, only the drives of every Windows are tried.

#![cfg(test)]
#![cfg(windows)]

use std::fs;
use std::path::{Path, PathBuf};

use diskmend_disk::{Access, GuardError, Kind, OpenError, Target, TargetLock, guard};

/// The paths in a variable, separated by `|`.
fn prepared(variable: &str) -> Vec<PathBuf> {
    match std::env::var(variable) {
        Ok(paths) => paths.split('|').map(PathBuf::from).collect(),
        Err(_) => {
            println!("SKIPPED: {variable} names no prepared drive: none was tried");
            Vec::new()
        }
    }
}

fn system_drive() -> String {
    std::env::var("SystemDrive").unwrap_or_else(|_| "C:".to_owned())
}

#[track_caller]
fn is_own(path: &Path) {
    let target = Target::open(path).unwrap();
    let refused = guard::not_own_disk(&target);
    assert!(
        matches!(refused, Err(GuardError::OwnDisk)),
        "{path:?}: {refused:?}"
    );
}

#[test]
fn the_system_drive_is_refused_by_any_path() {
    let drive = system_drive();
    let lower = drive.to_lowercase();
    for path in [
        format!(r"{drive}\"),
        format!("{lower}/"),
        format!(r"{drive}\Windows\.."),
        format!(r"\\?\{drive}\"),
        format!(r"\\.\{drive}\"),
    ] {
        is_own(path.as_ref());
    }
}

/// By another letter, a mounted folder, or a substituted drive.
#[test]
fn the_system_drive_is_refused_by_a_second_name() {
    for path in prepared("DISKMEND_TEST_OWN") {
        is_own(&path);
    }
}

#[test]
fn a_folder_on_the_system_drive_is_accepted() {
    let target = Target::open(format!(r"{}\Windows", system_drive()).as_ref()).unwrap();
    guard::not_own_disk(&target).unwrap();
}

#[test]
fn a_drive_and_the_name_of_its_volume_are_targets() {
    for path in prepared("DISKMEND_TEST_DRIVES") {
        let config = path.join("Windows").join("System32").join("Config");
        fs::create_dir_all(&config).unwrap();
        fs::write(config.join("System"), b"regf").unwrap();
        let target = Target::open(&path).unwrap();
        guard::windows_volume(&target).unwrap();
        guard::not_own_disk(&target).unwrap();
        guard::writable(&target).unwrap();
        guard::not_hibernated(&target).unwrap();
        guard::require_free(&target, 1).unwrap();
        let found = target
            .root()
            .find(&["windows", "SYSTEM32", "config", "SYSTEM"]);
        let found = found.unwrap().expect("the file is there");
        assert_eq!(found.kind(), Kind::File);
        assert_eq!(found.name, "System");
        assert_eq!(found.open(Access::Read).unwrap().len().unwrap(), 4);
        let lock = TargetLock::acquire(target.root()).unwrap();
        let again = TargetLock::acquire(Target::open(&path).unwrap().root());
        assert!(matches!(again, Err(GuardError::Busy)), "{path:?}");
        // An open volume keeps its name until it is closed.
        drop((lock, again, found, target));
        fs::remove_dir_all(path.join("Windows")).unwrap();
    }
}

/// Wine has no disks; on a real machine, the other volumes of this disk belong to the machine
/// itself.
#[test]
fn no_volume_beside_the_running_system_is_taken_for_a_sibling() {
    let own = Target::open(format!(r"{}\", system_drive()).as_ref()).unwrap();
    assert!(diskmend_disk::siblings(&own).unwrap().is_empty());
    let folder = Target::open(format!(r"{}\Windows", system_drive()).as_ref()).unwrap();
    assert!(diskmend_disk::siblings(&folder).unwrap().is_empty());
}

#[test]
fn every_prepared_drive_finds_its_siblings() {
    for path in prepared("DISKMEND_TEST_DRIVES") {
        let target = Target::open(&path).unwrap();
        for sibling in diskmend_disk::siblings(&target).unwrap() {
            assert!(!sibling.open().unwrap().is_same(&target).unwrap());
        }
    }
}

#[test]
fn a_drive_that_is_not_there_is_not_found() {
    let error = Target::open(r"\\?\Volume{00000000-0000-0000-0000-000000000000}\".as_ref());
    assert!(
        matches!(
            error,
            Err(OpenError::NotFound { .. } | OpenError::Offline { .. })
        ),
        "{error:?}"
    );
}
