//! Hives on NTFS are found, mapped and written in place; the guards work on NTFS.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use diskmend_disk::{
    Access, Buffer, GuardError, Kind, LookupError, MappedFile, Target, TargetLock, guard,
};
use rustix::fs::getxattr;

use crate::image::{NtfsImage, make_junction};

const HIVE: [&str; 4] = ["windows", "system32", "config", "system"];

fn security_descriptor(path: &Path) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 16];
    let len = getxattr(path, "system.ntfs_acl", &mut bytes[..]).unwrap();
    bytes.truncate(len);
    bytes
}

fn make_windows(root: &Path) -> PathBuf {
    let config = root.join("Windows/System32/config");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("SYSTEM"), vec![1; 10_000]).unwrap();
    config
}

#[test]
fn a_hive_on_ntfs_is_found_mapped_and_written_in_place() {
    let Some(image) = NtfsImage::new(64) else {
        return;
    };
    let Some(mount) = image.mount() else { return };
    let hive = make_windows(mount.path()).join("SYSTEM");
    let target = Target::open(mount.path()).unwrap();
    guard::windows_volume(&target).unwrap();
    guard::writable(&target).unwrap();
    guard::not_own_disk(&target).unwrap();
    assert!(guard::free_space(&target).unwrap() < 64 << 20);
    let lock = TargetLock::acquire(target.root()).unwrap();
    let refused = TargetLock::acquire(target.root());
    assert!(matches!(refused, Err(GuardError::Busy)));

    let found = target
        .root()
        .find(&HIVE)
        .unwrap()
        .expect("the hive is there");
    assert_eq!(found.path, "Windows/System32/config/SYSTEM");
    let before = security_descriptor(&hive);
    let mut file = found.open(Access::ReadWrite).unwrap();
    let mut mapped = MappedFile::open(file.as_ref(), 1 << 20, u64::MAX).unwrap();
    mapped.grow(12_288).unwrap();
    mapped.bytes_mut()[4096..8192].fill(2);
    file.write_all_at(&mapped.bytes()[4096..], 4096).unwrap();
    file.sync().unwrap();
    found.dir.sync().unwrap();
    let mut expected = vec![1; 10_000];
    expected[4096..8192].fill(2);
    expected.resize(12_288, 0);
    assert_eq!(mapped.bytes(), expected);
    assert_eq!(security_descriptor(&hive), before);
    drop((lock, file, mapped, found, target, mount));

    let Some(mount) = image.mount() else { return };
    let hive = mount.path().join("Windows/System32/config/SYSTEM");
    assert_eq!(fs::read(hive).unwrap(), expected);
}

#[test]
fn junctions_and_symlinks_on_ntfs_are_refused() {
    let Some(image) = NtfsImage::new(64) else {
        return;
    };
    let Some(mount) = image.mount() else { return };
    let config = make_windows(mount.path());
    make_junction(&mount.path().join("Junction"), "\\??\\C:\\Windows");
    symlink("Windows", mount.path().join("Symlink")).unwrap();
    symlink("SYSTEM", config.join("Linked")).unwrap();
    // The kernel still has the junction in its cache as the folder that it was before.
    drop(mount);
    let Some(mount) = image.mount() else { return };
    assert!(
        mount
            .path()
            .join("Junction/System32/config/SYSTEM")
            .exists()
    );
    let target = Target::open(mount.path()).unwrap();
    for name in ["Junction", "Symlink"] {
        let refused = target
            .root()
            .find(&[&name.to_lowercase(), "System32", "config", "SYSTEM"]);
        match refused {
            Err(LookupError::Link { path }) => assert_eq!(path, Path::new(name)),
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(target.root().metadata(name).unwrap().kind, Kind::Link);
        target.root().open_dir(name).expect_err("a link");
    }
    let refused = target
        .root()
        .find(&["Windows", "System32", "config", "Linked"]);
    assert!(matches!(refused, Err(LookupError::Link { .. })));
}

/// ntfs-3g mounts such a volume read-only without a message.
#[test]
fn a_hibernated_volume_is_noticed_by_both_guards() {
    let Some(image) = NtfsImage::new(64) else {
        return;
    };
    let Some(mount) = image.mount() else { return };
    let mut session = vec![0; 4096];
    session[..4].copy_from_slice(b"hibr");
    fs::write(mount.path().join("hiberfil.sys"), session).unwrap();
    drop(mount);
    let Some(mount) = image.mount() else { return };
    let target = Target::open(mount.path()).unwrap();
    let refused = guard::not_hibernated(&target);
    assert!(matches!(refused, Err(GuardError::Hibernated)));
    assert!(matches!(
        guard::writable(&target),
        Err(GuardError::ReadOnly)
    ));
    let refused = TargetLock::acquire(target.root());
    assert!(matches!(refused, Err(GuardError::ReadOnly)));
}

#[test]
fn a_device_that_is_not_mounted_is_a_disk() {
    let Some(image) = NtfsImage::new(64) else {
        return;
    };
    let target = Target::open(image.device().as_ref()).unwrap();
    assert!(
        target
            .disk()
            .is_some_and(diskmend_disk::Disk::is_block_device)
    );
    assert!(target.root().find(&["Windows"]).unwrap().is_none());
    // One of the volume's own files can't be looked up.
    target.root().find(&["$MFT"]).expect_err("its own");
    let sector = b"\xeb\x58\x90-FVE-FS-".as_slice();
    let sector = [sector, &[0; 501]].concat();
    let device = fs::OpenOptions::new()
        .write(true)
        .open(image.device())
        .unwrap();
    std::os::unix::fs::FileExt::write_all_at(&device, &sector, 0).unwrap();
    drop(device);
    let refused = Target::open(image.device().as_ref());
    let error = refused.expect_err("encrypted");
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.to_string().contains("BitLocker"), "{source}");
}
