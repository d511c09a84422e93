//! Junctions on the way of a lookup, at its end, and in place of the program's own files are never
//! followed.

#![cfg(test)]
#![cfg(windows)]

use std::fs;
use std::path::Path;
use std::process::Command;

use diskmend_disk::{Access, GuardError, Kind, LOCK_FILE_NAME, LookupError, Target, TargetLock};

/// Makes a junction, which needs no privileges; returns `false` if the system can't.
fn junction(link: &Path, to: &Path) -> bool {
    let made = Command::new("cmd")
        .args(["/c", "mklink", "/J"])
        .args([link, to])
        .output();
    let is_link = made.is_ok() && fs::symlink_metadata(link).is_ok_and(|found| found.is_symlink());
    if !is_link {
        println!("SKIPPED: there are no junctions here, as under Wine 8");
    }
    is_link
}

#[test]
fn a_junction_on_the_way_or_at_the_end_is_an_error_that_names_it() {
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir_all(outside.path().join("config")).unwrap();
    fs::write(outside.path().join("config").join("SYSTEM"), b"regf").unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("Windows")).unwrap();
    let link = dir.path().join("Windows").join("System32");
    if !junction(&link, outside.path()) {
        return;
    }
    let target = Target::open(dir.path()).unwrap();
    for way in [
        &["Windows", "System32"][..],
        &["windows", "SYSTEM32", "config"],
        &["Windows", "System32", "config", "SYSTEM"],
    ] {
        match target.root().find(way) {
            Err(LookupError::Link { path }) => {
                assert_eq!(path, Path::new(r"Windows\System32"));
            }
            other => panic!("{way:?}: {other:?}"),
        }
    }
    let windows = target.root().find(&["Windows"]).unwrap().expect("there");
    let windows = windows.open_dir().unwrap();
    assert_eq!(windows.metadata("System32").unwrap().kind, Kind::Link);
    windows.open_dir("System32").expect_err("a junction");
    windows
        .open("System32", Access::Read)
        .expect_err("a junction");
    // Only the link is removed, and nothing to which it leads.
    windows.remove_file("System32").unwrap();
    assert!(!link.exists());
    assert!(outside.path().join("config").join("SYSTEM").exists());
}

#[test]
fn a_junction_in_place_of_the_lock_file_is_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    if !junction(&dir.path().join(LOCK_FILE_NAME), outside.path()) {
        return;
    }
    let target = Target::open(dir.path()).unwrap();
    let refused = TargetLock::acquire(target.root());
    assert!(matches!(refused, Err(GuardError::Io { .. })), "{refused:?}");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}
