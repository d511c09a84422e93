//! Every guard accepts an ordinary target and refuses one for its own reason only.

#![cfg(test)]

mod common;

use std::fs;

use diskmend_disk::{Access, GuardError, LOCK_FILE_NAME, Target, TargetLock, guard};

fn target() -> (tempfile::TempDir, Target) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("WINDOWS/System32/Config")).unwrap();
    let target = Target::open(dir.path()).unwrap();
    (dir, target)
}

#[test]
fn an_ordinary_target_passes_all_guards_and_is_not_written() {
    let (dir, target) = target();
    guard::windows_volume(&target).unwrap();
    guard::writable(&target).unwrap();
    guard::not_hibernated(&target).unwrap();
    guard::not_own_disk(&target).unwrap();
    guard::not_decrypted_image(&target).unwrap();
    guard::require_free(&target, 1).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_folder_without_windows_on_it_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let target = Target::open(dir.path()).unwrap();
    let refused = guard::windows_volume(&target);
    assert!(matches!(refused, Err(GuardError::NotWindows)));
    fs::create_dir_all(dir.path().join("Windows/System32")).unwrap();
    fs::write(dir.path().join("Windows/System32/config"), b"").unwrap();
    let refused = guard::windows_volume(&target);
    assert!(matches!(refused, Err(GuardError::NotWindows)));
}

#[test]
fn only_a_saved_session_counts_as_hibernated() {
    let (dir, target) = target();
    let file = dir.path().join("HiberFil.SYS");
    for fine in [&b""[..], b"hib", b"wake", b"WAKE", b"\0\0\0\0\0\0\0\0"] {
        fs::write(&file, fine).unwrap();
        guard::not_hibernated(&target).unwrap();
    }
    for session in [&b"hibr"[..], b"HIBR and more"] {
        fs::write(&file, session).unwrap();
        let refused = guard::not_hibernated(&target);
        assert!(matches!(refused, Err(GuardError::Hibernated)));
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let refused = guard::not_hibernated(&target);
    assert!(matches!(refused, Err(GuardError::Io { .. })));
}

#[cfg(unix)]
#[test]
fn a_link_where_a_guard_looks_is_an_error() {
    let (dir, target) = target();
    std::os::unix::fs::symlink("/etc/hostname", dir.path().join("hiberfil.sys")).unwrap();
    match guard::not_hibernated(&target) {
        Err(GuardError::Lookup(diskmend_disk::LookupError::Link { .. })) => {}
        other => panic!("{other:?}"),
    }
}

#[cfg(unix)]
#[test]
fn the_running_systems_root_is_refused_by_any_path() {
    let (dir, _) = target();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink("/", &link).unwrap();
    for path in ["/".as_ref(), "/tmp/..".as_ref(), link.as_path()] {
        let target = Target::open(path).unwrap();
        let refused = guard::not_own_disk(&target);
        assert!(matches!(refused, Err(GuardError::OwnDisk)), "{path:?}");
    }
}

#[test]
fn a_folder_with_only_a_decrypted_image_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let target = Target::open(dir.path()).unwrap();
    guard::not_decrypted_image(&target).unwrap();
    fs::write(dir.path().join("dislocker-file"), b"").unwrap();
    let refused = guard::not_decrypted_image(&target);
    assert!(matches!(refused, Err(GuardError::DecryptedImage { .. })));
    fs::create_dir(dir.path().join("Windows")).unwrap();
    guard::not_decrypted_image(&target).unwrap();
}

#[test]
fn too_little_space_is_reported_in_numbers() {
    let (_dir, target) = target();
    let free = guard::free_space(&target).unwrap();
    assert!(free > 0);
    match guard::require_free(&target, u64::MAX) {
        Err(error @ GuardError::NoSpace { needed, .. }) => {
            assert_eq!(needed, u64::MAX);
            assert!(error.to_string().contains(&u64::MAX.to_string()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_lock_is_refused_until_the_first_is_dropped() {
    let (dir, target) = target();
    let lock = TargetLock::acquire(target.root()).unwrap();
    let refused = TargetLock::acquire(Target::open(dir.path()).unwrap().root());
    assert!(matches!(refused, Err(GuardError::Busy)));
    drop(lock);
    // If another test is just starting a program, the new process has a copy of the lock file for a
    // moment.
    let mut attempts = (0..2000).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(5));
        TargetLock::acquire(target.root())
    });
    assert!(attempts.any(|lock| lock.is_ok()));
    let file = target.root().open(LOCK_FILE_NAME, Access::Read);
    assert_eq!(file.unwrap().len().unwrap(), 0);
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_lock_file_is_not_followed() {
    let (dir, target) = target();
    let outside = tempfile::NamedTempFile::new().unwrap();
    fs::write(outside.path(), b"bytes").unwrap();
    std::os::unix::fs::symlink(outside.path(), dir.path().join(LOCK_FILE_NAME)).unwrap();
    let refused = TargetLock::acquire(target.root());
    assert!(matches!(refused, Err(GuardError::Io { .. })));

    let missing = outside.path().with_extension("missing");
    fs::remove_file(dir.path().join(LOCK_FILE_NAME)).unwrap();
    std::os::unix::fs::symlink(&missing, dir.path().join(LOCK_FILE_NAME)).unwrap();
    let refused = TargetLock::acquire(target.root());
    assert!(matches!(refused, Err(GuardError::Io { .. })));
    assert!(!missing.exists());
    assert_eq!(fs::read(outside.path()).unwrap(), b"bytes");
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_mount_is_refused_by_the_guard_and_by_the_lock() {
    let Some(mount) = common::Mount::new(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"]) else {
        return;
    };
    fs::write(mount.path().join(LOCK_FILE_NAME), b"").unwrap();
    let target = Target::open(mount.path()).unwrap();
    guard::writable(&target).unwrap();
    assert!(guard::free_space(&target).unwrap() <= 1 << 20);
    common::run(
        "mount",
        &["-o", "remount,ro", mount.path().to_str().unwrap()],
    )
    .unwrap();
    assert!(matches!(
        guard::writable(&target),
        Err(GuardError::ReadOnly)
    ));
    let refused = TargetLock::acquire(target.root());
    assert!(matches!(refused, Err(GuardError::ReadOnly)));
}
